import { type Refusal } from '../../errors.ts'
import { BodyMeter, type Facts, textOrNull, UnreadMeter } from '../../usage/body-meter.ts'
import { badRequest, firstRefusal, isObject, modelField } from '../body.ts'
import { changedBody } from '../changed-body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type BillableEndpoint, type CallRequest } from '../provider.ts'
import { objectOf, textUsage } from './usage.ts'

const WANTED = ['model', 'usage']

/** Embeddings of OpenAI and of what speaks its dialect. */
export function embeddings (path: string): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'embeddings',
    method: 'POST',
    path,
    about: { model: '`model`', output: 'none is billed', usage: '`usage.prompt_tokens`' },
    read: readEmbedding,
    forwardBody: (_call, body, bytes, changes) => changedBody(body, bytes, { ...changes, outputTokens: null }, []),
    meter (_call, { status, contentEncoding }) {
      return status >= 400 ? new UnreadMeter() : new BodyMeter(contentEncoding, readEmbeddings)
    },
  }
}

/**
 * What embeddings may cost (OpenAI API reference, "Create embeddings"): texts, or lists of tokens, of which each is
 * written with a byte at least. Each input may be as long as the context window.
 */
function readEmbedding (body: unknown, bytes: Buffer): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const model = modelField(body)
  const wrong = firstRefusal([model])
  if (wrong !== null) return wrong
  const { input } = body
  const several = Array.isArray(input) && typeof input[0] !== 'number' ? input.length : 1
  return {
    model: model as string,
    stream: false,
    usageAsked: true,
    thinking: null,
    endUser: body['user'],
    endUserField: 'user',
    bound: {
      inputTokens: bytes.length,
      inputs: Math.max(1, several),
      outputTokens: 0,
      choices: 1,
      cacheWrite: 'none',
      tier: null,
      webSearches: 0,
    },
  }
}

function readEmbeddings (text: Buffer): Facts {
  const answer = topLevelValues(text, WANTED) ?? {}
  const { prompt_tokens: input } = objectOf(answer['usage'])
  const reported = { input, output: 0, total: null, inputDetails: null, outputDetails: null, tier: null }
  const usage = textUsage(reported, 'none')
  return { usage, final: usage !== null, modelUsed: textOrNull(answer['model']), providerRequestId: null }
}
