import { type Refusal } from '../../errors.ts'
import { type PinnedTerms } from '../../pricing/pinned.ts'
import { BodyMeter, count, type Facts, KeepingMeter, NOTHING_READ, textOrNull, UnreadMeter } from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { NOTHING_USED, type Usage } from '../../usage/usage.ts'
import { batchOf, readAlone } from '../batch-request.ts'
import { meterResults } from '../batch-results.ts'
import { badRequest, isObject, parseBody, shown } from '../body.ts'
import { topLevelMembers, topLevelValues } from '../json-scan.ts'
import {
  type AnswerHead, type BillableEndpoint, type CallRequest, type FileEndpoint, type JobEndpoint, NO_TARGET, type Target,
} from '../provider.ts'
import { objectOf } from './usage.ts'

/** of one batch (OpenAI API reference, "Create batch") */
const MOST_REQUESTS = 50_000
const OVER = new Set<unknown>(['completed', 'failed', 'expired', 'cancelled'])
const WANTED = ['id', 'status', 'output_file_id', 'error_file_id', 'request_counts']
const NEWLINE = 0x0a

/** Batches, whose requests are the lines of a file at the provider; `of`: what such requests may be for. */
export function batches (base: string, of: readonly BillableEndpoint[]): BillableEndpoint {
  const known = new Map(of.map((endpoint) => [endpoint.path, endpoint]))
  return {
    kind: 'billable',
    name: 'batches',
    method: 'POST',
    path: `${base}/batches`,
    about: {
      model: '`model` of each line of `input_file_id`, all of them the same',
      output: 'as each line\'s endpoint has it',
      usage: '`usage` of each line of `output_file_id`',
    },
    reads: { file: inputFile, path: `${base}/files/{file}/content` },
    read: (body, _bytes, target) => readBatch(body, target, known),
    forwardBody: (_call, _body, bytes) => bytes,
    meter: (_call, answer) => meterBatch(answer),
  }
}

export function batchJobs (base: string, of: readonly BillableEndpoint[]): JobEndpoint[] {
  const asked = { kind: 'free', served: 'job', of: 'batches', meter: (_terms: PinnedTerms, answer: AnswerHead) => meterBatch(answer) } as const
  const results = {
    path: `${base}/files/{file}/content`,
    meter: (terms: PinnedTerms, answer: AnswerHead) => meterResults(terms, answer, (line) => usageOf(line, terms, of)),
  }
  return [
    { ...asked, name: 'batches.retrieve', method: 'GET', path: `${base}/batches/{job}`, whileOpen: 'ask', results },
    { ...asked, name: 'batches.cancel', method: 'POST', path: `${base}/batches/{job}/cancel`, whileOpen: 'pass' },
  ]
}

/** Files that batches are made of, and those that they have made. */
export function files (base: string): FileEndpoint[] {
  const of = { kind: 'free', served: 'file' } as const
  return [
    { ...of, name: 'files.create', method: 'POST', path: `${base}/files` },
    { ...of, name: 'files.retrieve', method: 'GET', path: `${base}/files/{file}` },
    { ...of, name: 'files.content', method: 'GET', path: `${base}/files/{file}/content` },
    { ...of, name: 'files.delete', method: 'DELETE', path: `${base}/files/{file}` },
  ]
}

function inputFile (body: unknown): string | Refusal {
  const file = isObject(body) ? body['input_file_id'] : undefined
  return typeof file === 'string' && file !== '' ? file : badRequest(`input_file_id must be a file's id; got ${shown(file)}.`, 'input_file_id')
}

function readBatch (
  body: unknown, { file }: Target, known: ReadonlyMap<string, BillableEndpoint>
): CallRequest | Refusal {
  const named = isObject(body) ? body['endpoint'] : undefined
  const endpoint = typeof named === 'string' ? known.get(named) : undefined
  if (endpoint === undefined) return badRequest(`endpoint must be one of ${[...known.keys()].join(', ')}; got ${shown(named)}.`, 'endpoint')
  if (file === undefined) return badRequest('What is in the file is known only when the batch is made.', 'input_file_id')
  return batchOf(linesOf(file, endpoint), (i) => `line ${i + 1} of input_file_id`)
}

function * linesOf (file: Buffer, endpoint: BillableEndpoint): Generator<CallRequest | Refusal> {
  let lines = 0
  for (let from = 0; from < file.length;) {
    const end = file.indexOf(NEWLINE, from)
    const line = file.subarray(from, end === -1 ? file.length : end)
    from = end === -1 ? file.length : end + 1
    if (line.length === 0 || (line.length === 1 && line[0] === 0x0d)) continue
    if (++lines > MOST_REQUESTS) yield badRequest(`A batch has at most ${MOST_REQUESTS} requests.`)
    yield readLine(line, endpoint)
  }
}

function readLine (line: Buffer, endpoint: BillableEndpoint): CallRequest | Refusal {
  const parsed = parseBody(line)
  if ('refusal' in parsed) return parsed.refusal
  const { url, method, body } = parsed.body
  if (url !== endpoint.path || method !== 'POST') return badRequest(`it must be POST ${endpoint.path}; got ${shown(method)} ${shown(url)}.`)
  const bytes = memberOf(line, 'body')
  return bytes === null || !isObject(body) ? badRequest('body must be an object.') : readAlone(endpoint, body, bytes, NO_TARGET)
}

function memberOf (bytes: Buffer, name: string): Buffer | null {
  const member = topLevelMembers(bytes).findLast(({ key }) => key === name)
  return member === undefined ? null : bytes.subarray(member.valueStart, member.valueEnd)
}

/** Nobody hears of a batch before it is held for long, nor of its files before it is known whose they are. */
function meterBatch ({ status, contentEncoding }: AnswerHead): Meter {
  return status >= 400 ? new UnreadMeter() : new KeepingMeter(new BodyMeter(contentEncoding, readBatchAnswer), 'all')
}

function readBatchAnswer (text: Buffer): Facts {
  const batch = topLevelValues(text, WANTED)
  const id = textOrNull(batch?.['id'])
  if (batch === null || id === null) return NOTHING_READ
  const over = OVER.has(batch['status'])
  const output = textOrNull(batch['output_file_id'])
  const made = [output, textOrNull(batch['error_file_id'])].filter((file) => file !== null)
  const results = over && output !== null ? { results: { file: output } } : {}
  const job = { id, over, ...made.length === 0 ? {} : { files: made }, ...results }
  const facts = { ...NOTHING_READ, providerRequestId: id, job }
  // what failed whole, or in each of its lines, is not billed
  const nothing = over && output === null && count(objectOf(batch['request_counts'])['completed']) === 0
  return nothing ? { ...facts, usage: { ...NOTHING_USED, tier: 'batch' }, costNano: 0n, final: true } : facts
}

/** Which endpoint's answer a line has, by what it calls itself. */
const ANSWERS: Readonly<Record<string, string>> = {
  'chat.completion': 'chat.completions', text_completion: 'completions', response: 'responses', list: 'embeddings',
}

function usageOf (line: Buffer, { asked, bound }: PinnedTerms, of: readonly BillableEndpoint[]): Usage | null {
  const response = memberOf(line, 'response')
  const answered = response === null ? null : topLevelValues(response, ['status_code'])
  // without an answer there is an error
  if (response === null || answered === null || count(answered['status_code']) >= 400) return NOTHING_USED
  const body = memberOf(response, 'body')
  const object = body === null ? null : topLevelValues(body, ['object'])?.['object']
  const endpoint = typeof object === 'string' ? of.find(({ name }) => name === ANSWERS[object]) : undefined
  if (body === null || endpoint === undefined) return null
  const call = {
    model: asked, stream: false, usageAsked: true, thinking: null, endUserField: '', bound: { ...bound, inputTokens: Infinity },
  }
  const meter = endpoint.meter(call, { status: 200, contentType: 'application/json', contentEncoding: '', headers: {} })
  meter.data(body)
  meter.end()
  const { usage, final } = meter.reading()
  return final ? usage : null
}
