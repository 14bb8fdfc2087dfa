import { anthropicDialect, messages } from './anthropic/index.ts'
import { embeddings } from './openai/embeddings.ts'
import { type ChatTraits, chatCompletions, completions, openaiDialect, responses } from './openai/index.ts'
import { imageEdits, images } from './openai/images.ts'
import { speech } from './openai/speech.ts'
import { transcriptions, translations } from './openai/transcriptions.ts'
import { modelLists } from './model-lists.ts'
import { type Dialect, type Endpoint, type Provider } from './provider.ts'

/** What a provider is that does as OpenAI does. */
export interface CompatibleOptions {
  name: string
  title: string
  /** null: only its operator knows it */
  url: string | null
  /** what its clients' base URLs end in, and its paths begin with */
  base: string
  needsKey: boolean
  /** in what its chat completions differ from OpenAI's */
  chat?: ChatTraits
  /** its paths besides */
  more?: Endpoint[]
  /** where its refusals are no OpenAI's */
  dialect?: Dialect
}

/** OpenAI's paths and shapes, at another provider or server. */
export function openaiCompatible (
  { name, title, url, base, needsKey, chat, more = [], dialect = openaiDialect }: CompatibleOptions
): Provider {
  return {
    name,
    title,
    url,
    base,
    atRoot: false,
    needsKey,
    dialect,
    endpoints: [chatCompletions(`${base}/chat/completions`, chat), ...more, ...modelLists(base)],
    credential: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
  }
}

/** What a server may have besides chat of which nothing more is known than that it does as OpenAI does. */
export function usualPaths (base: string): Endpoint[] {
  return [
    completions(`${base}/completions`),
    responses(`${base}/responses`, { fields: { hostedTools: false } }),
    embeddings(`${base}/embeddings`),
    images(`${base}/images/generations`),
    imageEdits(`${base}/images/edits`),
    speech(`${base}/audio/speech`),
    transcriptions(`${base}/audio/transcriptions`),
    translations(`${base}/audio/translations`),
  ]
}

/** Anthropic's paths and shapes, at another provider or server. */
export function anthropicCompatible ({ name, title, url, base, needsKey }: CompatibleOptions): Provider {
  return {
    name,
    title,
    url,
    base,
    atRoot: false,
    needsKey,
    dialect: anthropicDialect,
    endpoints: [
      messages(`${base}/messages`),
      { kind: 'free', name: 'messages.count_tokens', method: 'POST', path: `${base}/messages/count_tokens`, served: 'forward' },
      ...modelLists(base),
    ],
    credential: (apiKey) => ({ 'x-api-key': apiKey }),
  }
}
