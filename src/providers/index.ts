import { anthropic } from './anthropic/index.ts'
import { openai } from './openai/index.ts'
import { type Provider } from './provider.ts'

/** Every dialect that the gateway speaks. */
export const providers: Provider[] = [openai, anthropic]
