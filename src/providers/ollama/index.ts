import { changedBody, withMembers } from '../changed-body.ts'
import { modelLists } from '../model-lists.ts'
import { embeddings } from '../openai/embeddings.ts'
import { chatCompletions, type ChatTraits, completions, openaiDialect } from '../openai/index.ts'
import { type BillableEndpoint, type Dialect, type Endpoint, type Provider } from '../provider.ts'
import { renderOllamaRefusal } from './errors.ts'
import { meterOllama } from './meter.ts'
import { forwardOllama, mostOutput, readEmbed, readOllama } from './request.ts'

const dialect: Dialect = { ...openaiDialect, name: 'ollama', renderRefusal: renderOllamaRefusal }

const chat: BillableEndpoint = {
  kind: 'billable',
  name: 'chat',
  method: 'POST',
  path: '/api/chat',
  about: {
    model: '`model`',
    output: '`options.num_predict`, else the model\'s maximum, which is sent',
    usage: '`prompt_eval_count`, `eval_count` of the last line',
  },
  read: readOllama,
  forwardBody: forwardOllama,
  meter: meterOllama,
}

const embed: BillableEndpoint = {
  ...chat,
  name: 'embed',
  path: '/api/embed',
  about: { model: '`model`', output: 'none', usage: '`prompt_eval_count`' },
  read: readEmbed,
  forwardBody: (_call, body, bytes, changes) => changedBody(body, bytes, { ...changes, outputTokens: null }, []),
}

/** `max_tokens` alone bounds the output there; input as with its own API */
const compatible: ChatTraits = {
  about: { output: '`max_tokens`, else the model\'s maximum, which is sent' },
  limits: ['max_tokens'],
  fields: { limits: ['max_tokens'], unbounded: ['model'] },
  keptTo: (bytes, body, call, priced) => {
    const most = mostOutput(call, priced)
    const asked = (body as Record<string, unknown>)['max_tokens']
    return asked === most ? bytes : withMembers(bytes, new Map([['max_tokens', String(most)]]))
  },
}
const v1: Endpoint[] = [
  chatCompletions('/v1/chat/completions', compatible),
  completions('/v1/completions', compatible),
  embeddings('/v1/embeddings'),
  ...modelLists('/v1'),
]

/** what tells of a server and its models, and changes neither */
const told: Endpoint[] = [
  { kind: 'free', name: 'tags', method: 'GET', path: '/api/tags', served: 'forward' },
  { kind: 'free', name: 'ps', method: 'GET', path: '/api/ps', served: 'forward' },
  { kind: 'free', name: 'version', method: 'GET', path: '/api/version', served: 'forward' },
  { kind: 'free', name: 'show', method: 'POST', path: '/api/show', served: 'forward' },
]

/** A server of one's own: its own API, and OpenAI's below `/v1`. It has no prices but those that its operator says. */
export const ollama: Provider = {
  name: 'ollama',
  title: 'Ollama',
  url: 'http://127.0.0.1:11434',
  base: '/v1',
  atRoot: false,
  needsKey: false,
  dialect,
  endpoints: [
    chat,
    { ...chat, name: 'generate', path: '/api/generate' },
    embed,
    ...told,
    ...v1.map((endpoint) => ({ ...endpoint, dialect: openaiDialect })),
  ],
  credential: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
}
