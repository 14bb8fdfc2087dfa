import { anthropic } from './anthropic/index.ts'
import { azure } from './azure/index.ts'
import { openaiCompatible } from './compatible.ts'
import { openai } from './openai/index.ts'
import { type Provider } from './provider.ts'

/** Every provider that the gateway knows by itself; at its root the first that it fits has a path. */
export const providers: Provider[] = [
  openai,
  anthropic,
  azure,
  openaiCompatible({ name: 'mistral', title: 'Mistral', url: 'https://api.mistral.ai', base: '/v1', needsKey: true }),
  openaiCompatible({ name: 'groq', title: 'Groq', url: 'https://api.groq.com', base: '/openai/v1', needsKey: true }),
  openaiCompatible({ name: 'openrouter', title: 'OpenRouter', url: 'https://openrouter.ai', base: '/api/v1', needsKey: true }),
  openaiCompatible({ name: 'deepseek', title: 'DeepSeek', url: 'https://api.deepseek.com', base: '', needsKey: true }),
  openaiCompatible({ name: 'xai', title: 'xAI', url: 'https://api.x.ai', base: '/v1', needsKey: true }),
  openaiCompatible({ name: 'ollama', title: 'Ollama', url: 'http://127.0.0.1:11434', base: '/v1', needsKey: false }),
  openaiCompatible({ name: 'vllm', title: 'vLLM', url: null, base: '/v1', needsKey: false }),
]
