import { chatUsage, type UsageReader } from '../openai/meter.ts'
import { embeddings } from '../openai/embeddings.ts'
import { type ChatTraits, openaiDialect, promptCompletions } from '../openai/index.ts'
import { count } from '../../usage/body-meter.ts'
import { isObject } from '../body.ts'
import { openaiCompatible } from '../compatible.ts'
import { transcriptions } from '../openai/transcriptions.ts'
import { type Dialect } from '../provider.ts'
import { renderMistralRefusal } from './errors.ts'
import { ocr } from './ocr.ts'

const mistralDialect: Dialect = {
  ...openaiDialect,
  name: 'mistral',
  renderRefusal: renderMistralRefusal,
  renderCut: (refusal, callId) => `data: ${renderMistralRefusal(refusal, callId).body}\n\n`,
}

/**
 * Usage is in the last chunk of each stream unasked, and its SDK takes no chunk with `usage: null`, so it is never
 * switched on. `max_tokens` alone bounds the output (@mistralai/mistralai 2.7, ChatCompletionStreamRequest).
 */
const chat: ChatTraits = {
  about: { output: '`max_tokens`, times `n`' },
  limits: ['max_tokens'],
  fields: { limits: ['max_tokens'], texts: new Set(['thinking', 'reference']) },
  usage: 'always',
  usageOf,
}

/** Agents, conversations and batches keep their models and tools there, so their paths are refused. */
export const mistral = openaiCompatible({
  name: 'mistral',
  title: 'Mistral',
  url: 'https://api.mistral.ai',
  base: '/v1',
  needsKey: true,
  dialect: mistralDialect,
  chat,
  more: [
    promptCompletions('/v1/fim/completions', 'fim.completions', chat),
    embeddings('/v1/embeddings'),
    ocr,
    transcriptions('/v1/audio/transcriptions', { elsewhere: ['file_url', 'file_id'] }),
  ],
})

/** as OpenAI's, but cached tokens may be named otherwise, and sound is told in seconds (UsageInfo of its SDK) */
function usageOf (answer: Record<string, unknown>): ReturnType<UsageReader> {
  const usage = chatUsage(answer)
  const told = answer['usage']
  if (usage === null || !isObject(told) || count(told['prompt_audio_seconds']) > 0) return null
  const cached = count(told['num_cached_tokens'])
  if (usage.cacheReadTokens > 0 || cached === 0 || cached > usage.inputTokens) return usage
  return { ...usage, inputTokens: usage.inputTokens - cached, cacheReadTokens: cached }
}
