import { anthropic } from './anthropic/index.ts'
import { azure } from './azure/index.ts'
import { bedrock } from './bedrock/index.ts'
import { cohere } from './cohere/index.ts'
import { deepseek } from './deepseek/index.ts'
import { gemini } from './gemini/index.ts'
import { groq } from './groq/index.ts'
import { mistral } from './mistral/index.ts'
import { ollama } from './ollama/index.ts'
import { openai } from './openai/index.ts'
import { openrouter } from './openrouter/index.ts'
import { type Provider } from './provider.ts'
import { vertex } from './vertex/index.ts'
import { vllm } from './vllm/index.ts'
import { xai } from './xai/index.ts'

/** Every provider that the gateway knows by itself; at its root the first that it fits has a path. */
export const providers: Provider[] = [
  openai,
  anthropic,
  azure,
  gemini,
  vertex,
  bedrock,
  mistral,
  groq,
  openrouter,
  deepseek,
  xai,
  cohere,
  ollama,
  vllm,
]
