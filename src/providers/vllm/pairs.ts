import { type Refusal } from '../../errors.ts'
import { BodyMeter, type Facts, textOrNull, UnreadMeter } from '../../usage/body-meter.ts'
import { badRequest, eachObject, firstRefusal, isGiven, isObject, modelField, notMetered, shown } from '../body.ts'
import { changedBody } from '../changed-body.ts'
import { topLevelValues } from '../json-scan.ts'
import { SCAFFOLDING_TOKENS } from '../openai/bounds.ts'
import { objectOf, textUsage } from '../openai/usage.ts'
import { type BillableEndpoint, type CallRequest } from '../provider.ts'

const WANTED = ['id', 'model', 'usage']

/** Texts that are judged in pairs, each of one side with each or one of the other: vLLM's rerank and score. */
export function pairs (path: string, name: string, sides: readonly [string, string]): BillableEndpoint {
  return {
    kind: 'billable',
    name,
    method: 'POST',
    path,
    about: { model: '`model`', output: 'none is billed', usage: '`usage`' },
    read: (body, bytes) => readPairs(body, bytes, sides),
    forwardBody: (_call, body, bytes, changes) => changedBody(body, bytes, { ...changes, outputTokens: null }, []),
    meter (_call, { status, contentEncoding }) {
      return status >= 400 ? new UnreadMeter() : new BodyMeter(contentEncoding, readPairsUsage)
    },
  }
}

/**
 * The model reads each pair by itself, so what stands alone on its side is read once for each of the other side, and
 * around each pair there is what makes a prompt of it.
 */
function readPairs (body: unknown, bytes: Buffer, sides: readonly [string, string]): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const model = modelField(body)
  const wrong = firstRefusal([model])
  if (wrong !== null) return wrong
  for (const side of sides) {
    if (!isGiven(body[side])) return badRequest(`${side} must be a text or a list of texts; got ${shown(body[side])}.`, side)
    let isText = true
    eachObject(body[side], () => { isText = false })
    if (!isText) return notMetered(`${side} that is no text`)
  }
  const count = Math.max(1, ...sides.map((side) => Array.isArray(body[side]) ? body[side].length : 1))
  const alone = sides.map((side) => Array.isArray(body[side]) && body[side].length > 1 ? 0 : bytesOf(body[side]))
  const repeated = Math.max(...alone) * (count - 1)
  return {
    model: model as string,
    stream: false,
    usageAsked: true,
    thinking: null,
    endUser: body['user'],
    endUserField: 'user',
    bound: {
      inputTokens: bytes.length + repeated + count * SCAFFOLDING_TOKENS,
      inputs: count,
      outputTokens: 0,
      choices: 1,
      cacheWrite: 'none',
      tier: null,
      webSearches: 0,
    },
  }
}

function bytesOf (text: unknown): number {
  return Buffer.byteLength(Array.isArray(text) ? String(text[0]) : String(text))
}

function readPairsUsage (text: Buffer): Facts {
  const answer = topLevelValues(text, WANTED) ?? {}
  const { prompt_tokens: prompt, total_tokens: total } = objectOf(answer['usage'])
  const input = prompt ?? total
  const reported = { input, output: 0, total: null, inputDetails: null, outputDetails: null, tier: null }
  const usage = textUsage(reported, 'none')
  return {
    usage,
    final: usage !== null,
    modelUsed: textOrNull(answer['model']),
    providerRequestId: textOrNull(answer['id']),
  }
}
