import { parseForm } from '../../src/providers/form.ts'
import { pathTemplate } from '../../src/providers/paths.ts'
import {
  type BillableEndpoint, type CallChanges, type CallRequest, isRefusal, NO_PARAMS, type Provider, type Target,
} from '../../src/providers/provider.ts'

/** A request that each billable endpoint takes, by its name, or by its provider's and its own where they differ. */
const messages = [{ role: 'user', content: 'Hello' }]
const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }]
const media = (file: string, more: Record<string, string> = {}) => ({ form: { model: 'small', ...more }, file })

const SAMPLES: Record<string, object> = {
  'chat.completions': { messages },
  responses: { input: 'Hello' },
  'responses.compact': { input: 'Hello' },
  realtime: { max_output_tokens: null, images: false },
  completions: { prompt: 'Hello' },
  'fim.completions': { prompt: 'Hello' },
  embeddings: { input: 'Hello' },
  'images.generations': { prompt: 'A cat' },
  'images.edits': media('image', { prompt: 'A cat' }),
  'images.variations': media('image'),
  'audio.speech': { input: 'Hello', voice: 'alloy' },
  'audio.transcriptions': media('file'),
  'audio.translations': media('file'),
  messages: { messages, max_tokens: 50 },
  generateContent: { contents },
  streamGenerateContent: { contents },
  embedContent: { content: { parts: [{ text: 'Hello' }] } },
  batchEmbedContents: { requests: [{ model: 'models/small', content: { parts: [{ text: 'Hello' }] } }] },
  interactions: { input: 'Hello' },
  predict: { instances: [{ content: 'Hello' }] },
  converse: { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] },
  invoke: { anthropic_version: 'bedrock-2023-05-31', messages, max_tokens: 50 },
  ocr: { document: { type: 'document_url', document_url: 'https://x' } },
  chat: { messages },
  generate: { prompt: 'Hello' },
  'cohere embed': { texts: ['Hello'], input_type: 'search_query', embedding_types: ['float'] },
  'ollama embed': { input: 'Hello' },
  'cohere rerank': { query: 'Hello', documents: ['a', 'b'] },
  'vllm rerank': { query: 'Hello', documents: ['a', 'b'] },
  score: { text_1: 'Hello', text_2: ['a', 'b'] },
  batches: { endpoint: '/v1/chat/completions', input_file_id: 'file-1', completion_window: '24h' },
  'messages.batches': { requests: [{ custom_id: 'a', params: { model: 'small', max_tokens: 50, messages } }] },
}

/** what is in the file that their endpoint reads */
const FILES: Record<string, object> = {
  batches: { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: { model: 'small', messages } },
}

/** names of models that their endpoint knows */
const MODELS: Record<string, string> = { invoke: 'anthropic.claude-sonnet-4-5-20250929-v1:0' }

const BOUNDARY = 'x'

function formOf ({ form, file }: ReturnType<typeof media>): { body: unknown, bytes: Buffer } {
  const part = (name: string, text: string, more = '') =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${text}\r\n`
  const fields = Object.entries(form).map(([name, text]) => part(name, text))
  const bytes = Buffer.from(`${fields.join('')}${part(file, 'abc', '; filename="a.mp3"')}--${BOUNDARY}--\r\n`)
  const parsed = parseForm(bytes, `multipart/form-data; boundary=${BOUNDARY}`)
  if ('refusal' in parsed) throw new Error(parsed.refusal.message)
  return { body: parsed.body, bytes }
}

export interface Sample { body: unknown, bytes: Buffer, target: Target, call: CallRequest }

export function sampleOf ({ name: provider }: Provider, endpoint: BillableEndpoint): Sample {
  const { name, path } = endpoint
  const sample = SAMPLES[`${provider} ${name}`] ?? SAMPLES[name]
  if (sample === undefined) throw new Error(`test/providers/samples.ts has no request for ${provider} ${name}`)
  const model = MODELS[name] ?? 'small'
  // where it stands in the path it stands nowhere else
  const own = path.includes('{model}') ? sample : { model, ...sample }
  const { body, bytes } = 'form' in own ? formOf(own as never) : { body: own, bytes: Buffer.from(JSON.stringify(own)) }
  const params = path.includes('{') ? paramsOf(path, model) : NO_PARAMS
  const file = FILES[name]
  const target = { params, search: '', headers: {}, ...file === undefined ? {} : { file: Buffer.from(JSON.stringify(file)) } }
  const call = endpoint.read(body, bytes, target)
  if (isRefusal(call)) throw new Error(`${provider} ${path} refuses its sample: ${call.message}`)
  return { body, bytes, target, call }
}

function paramsOf (path: string, model: string): Record<string, string> {
  const names = [...path.matchAll(/\{(\w+)\+?\}/g)].map(([, name]) => name as string)
  const params = Object.fromEntries(names.map((name) => [name, name === 'model' ? model : name]))
  pathTemplate(path).fill(params)
  return params
}

/** What a policy may change of the calls of an endpoint: which model answers, and how long the answer may be. */
export function changeable (provider: Provider, endpoint: BillableEndpoint): { model: boolean, output: boolean } {
  const { body, bytes, call } = sampleOf(provider, endpoint)
  if (endpoint.socket?.kind === 'talk') return { model: false, output: false }
  const asked = bytes.toString('latin1')
  const sent = (changes: CallChanges): string => endpoint.forwardBody(call, body, bytes, changes).toString('latin1')
  const lowered = sent({ model: null, outputTokens: 7 })
  return {
    model: endpoint.path.includes('{model}') || sent({ model: 'other', outputTokens: null }).includes('other'),
    output: call.thinking !== null && call.bound.outputTokens !== 0 && lowered !== asked,
  }
}
