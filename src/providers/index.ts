import { anthropic } from './anthropic/index.ts'
import { azure } from './azure/index.ts'
import { openaiCompatible } from './compatible.ts'
import { deepseek } from './deepseek/index.ts'
import { groq } from './groq/index.ts'
import { mistral } from './mistral/index.ts'
import { openai } from './openai/index.ts'
import { openrouter } from './openrouter/index.ts'
import { type Provider } from './provider.ts'
import { vllm } from './vllm/index.ts'
import { xai } from './xai/index.ts'

/** Every provider that the gateway knows by itself; at its root the first that it fits has a path. */
export const providers: Provider[] = [
  openai,
  anthropic,
  azure,
  mistral,
  groq,
  openrouter,
  deepseek,
  xai,
  openaiCompatible({ name: 'ollama', title: 'Ollama', url: 'http://127.0.0.1:11434', base: '/v1', needsKey: false }),
  vllm,
]
