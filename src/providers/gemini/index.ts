import { type Refusal } from '../../errors.ts'
import { isGiven, isObject, notMetered } from '../body.ts'
import { embeddings } from '../openai/embeddings.ts'
import { chatCompletions, openaiDialect } from '../openai/index.ts'
import {
  type BillableEndpoint, type CallRequest, type Dialect, type Endpoint, type FreeEndpoint, type Provider,
} from '../provider.ts'
import { changedBatch, changedContent, changedInteraction } from './change.ts'
import { meterEmbedding, readEmbedding, readEmbeddings } from './embed.ts'
import { renderGeminiRefusal } from './errors.ts'
import { meterInteraction, readInteraction } from './interactions.ts'
import { meterContent } from './meter.ts'
import { readGenerateContent } from './request.ts'

/** Google's clients; all of them say who they are, and their keys have a header of their own. */
export const geminiDialect: Dialect = {
  name: 'gemini',
  speaks: (headers) => headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined,
  renderModels (models, id) {
    if (id !== undefined) return models.includes(id) ? JSON.stringify(model(id)) : null
    return JSON.stringify({ models: models.map(model) })
  },
  renderRefusal: renderGeminiRefusal,
  renderCut: (refusal, callId) => `data: ${renderGeminiRefusal(refusal, callId).body}\n\n`,
  // Google tells of no limited rates
  rateHeaders: () => ({}),
}

const ABOUT_CONTENT = {
  model: 'in the path',
  output: '`generationConfig.maxOutputTokens`, times `candidateCount`',
  usage: '`usageMetadata`; in a stream the last one',
}
const ABOUT_EMBEDDINGS = { model: 'in the path', output: 'none', usage: '`usageMetadata`, where the model has it' }

/** What a model answers, as a whole and as a stream, and how many tokens it would read. `models`: `/v1beta/models`. */
export function contentEndpoints (models: string): Endpoint[] {
  return [
    content(`${models}/{model}:generateContent`, 'generateContent', false),
    content(`${models}/{model}:streamGenerateContent`, 'streamGenerateContent', true),
    { kind: 'free', name: 'countTokens', method: 'POST', path: `${models}/{model}:countTokens`, served: 'forward' },
  ]
}

function content (path: string, name: string, stream: boolean): BillableEndpoint {
  return {
    kind: 'billable',
    name,
    method: 'POST',
    path,
    about: ABOUT_CONTENT,
    read: (body, bytes, target) => readGenerateContent(body, bytes, target, stream),
    forwardBody: (_call, body, bytes, changes) => changedContent(body, bytes, changes),
    meter: meterContent,
  }
}

export function embedContent (path: string): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'embedContent',
    method: 'POST',
    path,
    about: ABOUT_EMBEDDINGS,
    read: readEmbedding,
    forwardBody: (_call, body, bytes, { model }) => changedContent(body, bytes, { model, outputTokens: null }),
    meter: meterEmbedding,
  }
}

function batchEmbedContents (path: string): BillableEndpoint {
  return {
    ...embedContent(path),
    name: 'batchEmbedContents',
    read: readEmbeddings,
    forwardBody: (_call, _body, bytes, changes) => changedBatch(bytes, changes),
  }
}

function interactions (path: string): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'interactions',
    method: 'POST',
    path,
    about: {
      model: '`model`',
      output: '`generation_config.max_output_tokens`',
      usage: '`usage`; in a stream that of `interaction.completed`',
    },
    read: readInteraction,
    forwardBody: (_call, body, bytes, changes) => changedInteraction(body, bytes, changes),
    meter: meterInteraction,
  }
}

function models (path: string): FreeEndpoint[] {
  return [
    { kind: 'free', name: 'models', method: 'GET', path, served: 'models' },
    { kind: 'free', name: 'models', method: 'GET', path: `${path}/{model+}`, served: 'models' },
  ]
}

/** Beyond OpenAI's fields, how a model thinks; a cache or tools would be more than the body bounds. */
const THOUGHT = new Set(['thinking_config', 'thinkingConfig'])

/** Google's own version of OpenAI's chat completions; in its streams each chunk has the figures of all so far. */
export function compatible (path: string): BillableEndpoint {
  return { ...chatCompletions(path, { running: true, also: onlyThought }), dialect: openaiDialect }
}

function onlyThought (request: CallRequest, body: Record<string, unknown>): CallRequest | Refusal {
  // it may stand at the top as well, as SDKs put it there
  for (const extra of [body['extra_body'], isGiven(body['google']) ? { google: body['google'] } : null]) {
    if (!isGiven(extra)) continue
    const google = isObject(extra) ? extra['google'] : null
    const known = isObject(google) && Object.keys(extra as object).length === 1 &&
      Object.keys(google).every((name) => THOUGHT.has(name))
    if (!known) return notMetered('extra_body other than google.thinking_config')
  }
  return request
}

const VERSIONS = ['/v1beta', '/v1']

/** The Gemini API, with both versions of its paths: SDKs before 3.0 use the first. */
export const gemini: Provider = {
  name: 'gemini',
  title: 'Gemini API',
  url: 'https://generativelanguage.googleapis.com',
  base: '',
  atRoot: true,
  needsKey: true,
  dialect: geminiDialect,
  endpoints: VERSIONS.flatMap((version): Endpoint[] => [
    ...contentEndpoints(`${version}/models`),
    embedContent(`${version}/models/{model}:embedContent`),
    batchEmbedContents(`${version}/models/{model}:batchEmbedContents`),
    interactions(`${version}/interactions`),
    ...models(`${version}/models`),
  ]).concat(compatible('/v1beta/openai/chat/completions'), { ...embeddings('/v1beta/openai/embeddings'), dialect: openaiDialect }),
  credential: (apiKey) => ({ 'x-goog-api-key': apiKey }),
}

function model (id: string) {
  return {
    name: `models/${id}`,
    version: '001',
    displayName: id,
    supportedGenerationMethods: ['generateContent', 'countTokens'],
  }
}
