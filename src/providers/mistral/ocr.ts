import { type Refusal } from '../../errors.ts'
import { BodyMeter, type Facts, isCount, NOTHING_READ, textOrNull, UnreadMeter } from '../../usage/body-meter.ts'
import { NOTHING_USED } from '../../usage/usage.ts'
import { badRequest, isGiven, isObject, modelField, notMetered, shown } from '../body.ts'
import { changedBody } from '../changed-body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type BillableEndpoint, type CallRequest } from '../provider.ts'

/** the longest document that it reads (Mistral's guide to OCR) */
const MOST_PAGES = 1_000
/** have another price per page */
const ANNOTATIONS = ['document_annotation_format', 'bbox_annotation_format', 'document_annotation_prompt']

/** Documents read to text, billed by pages: those that are asked for, else as many as a document can have. */
export const ocr: BillableEndpoint = {
  kind: 'billable',
  name: 'ocr',
  method: 'POST',
  path: '/v1/ocr',
  about: { model: '`model`', output: '`pages`, else 1,000 of them; an image is one', usage: '`usage_info.pages_processed`' },
  read: readOcr,
  forwardBody: (_call, body, bytes, changes) => changedBody(body, bytes, { ...changes, outputTokens: null }, []),
  meter: (_call, { status, contentEncoding }) =>
    status >= 400 ? new UnreadMeter() : new BodyMeter(contentEncoding, readAnswer),
}

function readOcr (body: unknown): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const model = modelField(body)
  if (typeof model !== 'string') return model
  const annotated = ANNOTATIONS.find((field) => isGiven(body[field]))
  if (annotated !== undefined) return notMetered(annotated)
  const pages = pagesOf(body)
  if (typeof pages !== 'number') return pages
  return {
    model,
    stream: false,
    usageAsked: false,
    thinking: null,
    endUserField: 'user',
    bound: { inputTokens: 0, outputTokens: 0, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0, units: { pages } },
  }
}

function pagesOf (body: Record<string, unknown>): number | Refusal {
  const { document, pages } = body
  if (!isObject(document)) return badRequest(`document must be an object; got ${shown(document)}.`, 'document')
  if (document['type'] === 'image_url') return 1
  if (Array.isArray(pages)) return Math.min(pages.length, MOST_PAGES)
  if (typeof pages === 'string') return Math.min(countRanges(pages), MOST_PAGES)
  return isGiven(pages) ? badRequest(`pages must be a list of numbers or ranges like "0-5"; got ${shown(pages)}.`, 'pages') : MOST_PAGES
}

/** `3`, `0-5` or `0,2-4`; Infinity where it is anything else */
function countRanges (text: string): number {
  let pages = 0
  for (const part of text.split(',')) {
    const [, from, to = from] = /^\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*$/.exec(part) ?? []
    if (from === undefined || Number(to) < Number(from)) return Infinity
    pages += Number(to) - Number(from) + 1
  }
  return pages
}

function readAnswer (text: Buffer): Facts {
  const answer = topLevelValues(text, ['model', 'usage_info'])
  const told = answer?.['usage_info']
  const pages = isObject(told) ? told['pages_processed'] : undefined
  if (answer === null || !isCount(pages)) return NOTHING_READ
  return { usage: pages === 0 ? NOTHING_USED : { ...NOTHING_USED, units: { pages } }, final: true, modelUsed: textOrNull(answer['model']), providerRequestId: null }
}
