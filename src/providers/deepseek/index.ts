import { count } from '../../usage/body-meter.ts'
import { type Usage } from '../../usage/usage.ts'
import { anthropicDialect, messages } from '../anthropic/index.ts'
import { isObject } from '../body.ts'
import { openaiCompatible } from '../compatible.ts'
import { modelLists } from '../model-lists.ts'
import { chatCompletions, type ChatTraits, promptCompletions } from '../openai/index.ts'
import { chatUsage } from '../openai/meter.ts'

/** `max_tokens` alone bounds the output, reasoning included (DeepSeek API, "Create chat completion"). */
const chat: ChatTraits = {
  about: { output: '`max_tokens`, times `n`' },
  limits: ['max_tokens'],
  fields: { limits: ['max_tokens'] },
  usageOf,
}

/** DeepSeek: its paths with and without a version, the beta ones, and Anthropic's dialect below `/anthropic`. */
export const deepseek = openaiCompatible({
  name: 'deepseek',
  title: 'DeepSeek',
  url: 'https://api.deepseek.com',
  base: '',
  needsKey: true,
  chat,
  more: [
    chatCompletions('/v1/chat/completions', chat),
    chatCompletions('/beta/chat/completions', chat),
    promptCompletions('/beta/completions', 'completions', chat),
    { ...messages('/anthropic/v1/messages'), dialect: anthropicDialect },
    ...modelLists('/v1'),
  ],
})

/** what was read from its cache has a name of its own, `prompt_cache_hit_tokens`, and is part of `prompt_tokens` */
function usageOf (answer: Record<string, unknown>): Usage | null {
  const usage = chatUsage(answer)
  const told = answer['usage']
  if (usage === null || !isObject(told) || usage.cacheReadTokens > 0) return usage
  const hit = Math.min(count(told['prompt_cache_hit_tokens']), usage.inputTokens)
  return { ...usage, inputTokens: usage.inputTokens - hit, cacheReadTokens: hit }
}
