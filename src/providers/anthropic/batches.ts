import { type Refusal } from '../../errors.ts'
import { type PinnedTerms } from '../../pricing/pinned.ts'
import { BodyMeter, type Facts, KeepingMeter, NOTHING_READ, textOrNull, UnreadMeter } from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { NOTHING_USED, type Usage } from '../../usage/usage.ts'
import { batchOf, readAlone } from '../batch-request.ts'
import { meterResults } from '../batch-results.ts'
import { badRequest, isObject } from '../body.ts'
import { topLevelElements, topLevelMembers, topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type BillableEndpoint, type CallRequest, type JobEndpoint, type Target } from '../provider.ts'
import { readMessage } from './meter.ts'

/** of one batch (Anthropic's guide to batches) */
const MOST_REQUESTS = 100_000

/** Batches of messages, `of`, which stand in the body (Anthropic API reference, "Create a Message Batch"). */
export function messageBatches (path: string, of: BillableEndpoint): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'messages.batches',
    method: 'POST',
    path,
    about: { model: '`model` of each request, all of them the same', output: '`max_tokens` of each', usage: '`usage` of each result' },
    read: (body, bytes, target) => readBatch(body, bytes, target, of),
    forwardBody: (_call, _body, bytes) => bytes,
    meter: (_call, answer) => meterBatch(answer),
  }
}

/** What is asked of a batch; its results say what each request used. */
export function messageBatchJobs (path: string): JobEndpoint[] {
  const of = { kind: 'free', served: 'job', of: 'messages.batches' } as const
  const meter = (_terms: PinnedTerms, answer: AnswerHead) => meterBatch(answer)
  const results = { path: `${path}/{job}/results`, meter: meterMessageResults }
  return [
    { ...of, name: 'messages.batches.retrieve', method: 'GET', path: `${path}/{job}`, whileOpen: 'ask', meter, results },
    { ...of, name: 'messages.batches.results', method: 'GET', whileOpen: 'pass', ...results },
    { ...of, name: 'messages.batches.cancel', method: 'POST', path: `${path}/{job}/cancel`, whileOpen: 'pass', meter },
    { ...of, name: 'messages.batches.delete', method: 'DELETE', path: `${path}/{job}`, whileOpen: 'refuse', meter: () => new UnreadMeter() },
  ]
}

/** Each request is read as one of its own, by the bytes that it stands in. */
function readBatch (body: unknown, bytes: Buffer, target: Target, of: BillableEndpoint): CallRequest | Refusal {
  const requests = isObject(body) ? body['requests'] : undefined
  if (!Array.isArray(requests)) return badRequest('requests must be a list.', 'requests')
  if (requests.length > MOST_REQUESTS) return badRequest(`requests must be at most ${MOST_REQUESTS}.`, 'requests')
  const list = memberOf(bytes, 'requests') ?? bytes
  const elements = topLevelElements(list)
  const read = function * (): Generator<CallRequest | Refusal> {
    for (const [i, { start, end }] of elements.entries()) {
      const request: unknown = requests[i]
      const params = memberOf(list.subarray(start, end), 'params')
      yield isObject(request) && params !== null
        ? readAlone(of, request['params'], params, target)
        : badRequest('params must be an object.', 'params')
    }
  }
  return batchOf(read(), (i) => `requests.${i}`)
}

function memberOf (bytes: Buffer, name: string): Buffer | null {
  const member = topLevelMembers(bytes).findLast(({ key }) => key === name)
  return member === undefined ? null : bytes.subarray(member.valueStart, member.valueEnd)
}

/** Nobody hears of a batch before it is held for as long as it may take. */
function meterBatch ({ status, contentEncoding }: AnswerHead): Meter {
  return status >= 400 ? new UnreadMeter() : new KeepingMeter(new BodyMeter(contentEncoding, readBatchAnswer), 'all', atGateway)
}

function readBatchAnswer (text: Buffer): Facts {
  const batch = topLevelValues(text, ['id', 'processing_status'])
  const id = textOrNull(batch?.['id'])
  if (id === null) return NOTHING_READ
  const over = batch?.['processing_status'] === 'ended'
  return { ...NOTHING_READ, providerRequestId: id, job: { id, over, ...over ? { results: {} } : {} } }
}

const RESULTS = /("results_url"\s*:\s*")https?:\/\/[^/"\\]+(\/[^"\\]*")/

/**
 * SDKs go where `results_url` says, key in hand: a path leads them back here. Blanks make up for what is left out.
 */
function atGateway (answer: Buffer): Buffer {
  const text = answer.toString('latin1')
  return Buffer.from(text.replace(RESULTS, (whole, name: string, path: string) => (name + path).padEnd(whole.length)), 'latin1')
}

function meterMessageResults (terms: PinnedTerms, answer: AnswerHead): Meter {
  return meterResults(terms, answer, (line) => usageOf(line, terms))
}

/** Requests that failed, were cancelled or expired are not billed (Anthropic's guide to batches). */
function usageOf (line: Buffer, terms: PinnedTerms): Usage | null {
  const result = memberOf(line, 'result')
  const values = result === null ? null : topLevelValues(result, ['type'])
  if (result === null || values === null) return null
  if (values['type'] !== 'succeeded') return NOTHING_USED
  const message = memberOf(result, 'message')
  if (message === null) return null
  const { usage, others } = readMessage(message, terms)
  return others === undefined ? usage : null
}
