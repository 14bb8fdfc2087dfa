import { type Refusal } from '../../errors.ts'
import { type PricedModel } from '../../pricing/price.ts'
import { badRequest, countField, firstRefusal, flagField, isObject, modelField, shown } from '../body.ts'
import { changedBody, withMembers } from '../changed-body.ts'
import { topLevelMembers } from '../json-scan.ts'
import { type CallChanges, type CallRequest } from '../provider.ts'

/** less is made this much (Ollama's server) */
const SHORTEST_CONTEXT = 4

/**
 * A chat, or a prompt to go on with. A model's own file may put a system prompt and messages before what is asked, so
 * the context window bounds the input, or what the request says that it should be. Where `num_predict` sets no bound,
 * one is sent: else a model goes on for as long as it likes.
 */
export function readOllama (body: unknown): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const options = body['options'] ?? {}
  if (!isObject(options)) return badRequest(`options must be an object; got ${shown(options)}.`, 'options')
  const { stream = true } = body
  const context = countField(options, 'num_ctx', 1, undefined, 'options.num_ctx')
  const most = countField(options, 'num_predict', Number.MIN_SAFE_INTEGER, undefined, 'options.num_predict')
  const wrong = firstRefusal([modelField(body), flagField({ stream }, 'stream'), context, most])
  if (wrong !== null) return wrong
  return {
    model: body['model'] as string,
    stream: stream === true,
    usageAsked: true,
    thinking: 'open',
    endUserField: 'user',
    bound: {
      inputTokens: context === null ? Infinity : Math.max(Number(context), SHORTEST_CONTEXT),
      // none, and what is below, is no bound
      outputTokens: typeof most === 'number' && most > 0 ? most : null,
      choices: 1,
      cacheWrite: 'none',
      tier: null,
      webSearches: 0,
    },
  }
}

/** texts that are each cut off at the context window */
export function readEmbed (body: unknown): CallRequest | Refusal {
  const request = readOllama(body)
  if ('retryable' in request) return request
  const { input } = body as Record<string, unknown>
  const inputs = Array.isArray(input) ? Math.max(1, input.length) : 1
  const inputTokens = request.bound.inputTokens * inputs
  const bound = { ...request.bound, inputTokens, inputs, outputTokens: 0 }
  return { ...request, stream: false, thinking: null, bound }
}

/** the most that is put out, as it was quoted */
export function mostOutput ({ bound }: CallRequest, priced: PricedModel | undefined): number {
  return Math.min(bound.outputTokens ?? Infinity, priced?.maxOutput ?? Infinity)
}

/** with `options.num_predict` as it was quoted */
export function forwardOllama (
  call: CallRequest, body: unknown, bytes: Buffer, changes: CallChanges, priced?: PricedModel
): Buffer {
  const changed = changedBody(body, bytes, { ...changes, outputTokens: null }, [])
  const most = Math.min(mostOutput(call, priced), changes.outputTokens ?? Infinity)
  const { options } = body as Record<string, unknown>
  if (most === Infinity || (isObject(options) && options['num_predict'] === most)) return changed
  const member = topLevelMembers(changed).find(({ key }) => key === 'options')
  const own = member === undefined || !isObject(options) ? null : member
  const inner = own === null ? EMPTY : changed.subarray(own.valueStart, own.valueEnd)
  const bounded = withMembers(inner, new Map([['num_predict', String(most)]]))
  return withMembers(changed, new Map([['options', bounded.toString()]]))
}

const EMPTY = Buffer.from('{}')
