import { isObject } from '../body.ts'
import { openaiCompatible } from '../compatible.ts'
import { embeddings } from '../openai/embeddings.ts'
import { type ChatTraits, completions, responses } from '../openai/index.ts'
import { withStreamOption, withUsage } from '../openai/include-usage.ts'
import { type CallRequest } from '../provider.ts'
import { pairs } from './pairs.ts'

/**
 * vLLM can tell with every chunk of a stream what was used so far (`stream_options.continuous_usage_stats`), so that
 * what is charged for an answer that its client left is known to the token. A chat template may say anything, and what
 * is made of an image may be set, so either has the context window.
 */
const chat: ChatTraits = {
  fields: { unbounded: ['chat_template', 'mm_processor_kwargs'] },
  usage: (bytes) => withStreamOption(withUsage(bytes), 'continuous_usage_stats'),
  running: true,
  also: readAsked,
}

export const vllm = openaiCompatible({
  name: 'vllm',
  title: 'vLLM',
  url: null,
  base: '/v1',
  needsKey: false,
  chat,
  more: [
    // what is embedded already stands for tokens that its bytes do not bound
    completions('/v1/completions', { ...chat, fields: { ...chat.fields, unmetered: ['prompt_embeds'] } }),
    responses('/v1/responses', { fields: { hostedTools: false } }),
    embeddings('/v1/embeddings'),
    pairs('/v1/rerank', 'rerank', ['query', 'documents']),
    pairs('/v1/score', 'score', ['text_1', 'text_2']),
  ],
})

function readAsked (request: CallRequest, body: Record<string, unknown>): CallRequest {
  const options = body['stream_options']
  if (!request.usageAsked || !isObject(options) || options['continuous_usage_stats'] === true) return request
  return { ...request, usageAsked: false, lastUsageAsked: true }
}
