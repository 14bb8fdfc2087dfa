import { type Refusal } from '../../errors.ts'
import { BodyMeter, type Facts, textOrNull, UnreadMeter } from '../../usage/body-meter.ts'
import { type Usage } from '../../usage/usage.ts'
import { badRequest, eachObject, firstRefusal, isGiven, isObject, modelField, notMetered, shown } from '../body.ts'
import { changedBody } from '../changed-body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type BillableEndpoint, type CallRequest, type EndpointTable } from '../provider.ts'
import { type ChatTraits } from './index.ts'
import { objectOf, textUsage } from './usage.ts'

const WANTED = ['model', 'usage']

/** In what somebody's embeddings differ from OpenAI's. */
export interface EmbeddingTraits {
  about?: Partial<EndpointTable>
  /** what is made of the usage that OpenAI's reader found in an answer */
  usageOf?: (answer: Record<string, unknown>, usage: Usage) => Usage
  /** what the provider is told besides, so that the call costs no more than it was quoted */
  keptTo?: ChatTraits['keptTo']
}

/** Embeddings of OpenAI and of what speaks its dialect. */
export function embeddings (path: string, traits: EmbeddingTraits = {}): BillableEndpoint {
  const { usageOf, keptTo } = traits
  return {
    kind: 'billable',
    name: 'embeddings',
    method: 'POST',
    path,
    about: { model: '`model`', output: 'none is billed', usage: '`usage.prompt_tokens`', ...traits.about },
    read: readEmbedding,
    forwardBody (call, body, bytes, changes, priced) {
      const changed = changedBody(body, bytes, { ...changes, outputTokens: null }, [])
      return keptTo === undefined || priced === undefined ? changed : keptTo(changed, body, call, priced)
    },
    meter (_call, { status, contentEncoding }) {
      return status >= 400 ? new UnreadMeter() : new BodyMeter(contentEncoding, (text) => readEmbeddings(text, usageOf))
    },
  }
}

/**
 * What embeddings may cost (OpenAI API reference, "Create embeddings"): texts, or lists of tokens, of which each is
 * written with a byte at least. Each input may be as long as the context window. What others take besides texts has
 * no bound.
 */
function readEmbedding (body: unknown, bytes: Buffer): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const model = modelField(body)
  const wrong = firstRefusal([model])
  if (wrong !== null) return wrong
  const { input } = body
  if (!isGiven(input)) return badRequest(`input must be a text or a list; got ${shown(input)}.`, 'input')
  let isText = true
  eachObject(input, () => { isText = false })
  if (!isText) return notMetered('an input that is no text')
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

function readEmbeddings (text: Buffer, usageOf: EmbeddingTraits['usageOf']): Facts {
  const answer = topLevelValues(text, WANTED) ?? {}
  const { prompt_tokens: input } = objectOf(answer['usage'])
  const reported = { input, output: 0, total: null, inputDetails: null, outputDetails: null, tier: null }
  const read = textUsage(reported, 'none')
  const usage = read === null || usageOf === undefined ? read : usageOf(answer, read)
  return { usage, final: usage !== null, modelUsed: textOrNull(answer['model']), providerRequestId: null }
}
