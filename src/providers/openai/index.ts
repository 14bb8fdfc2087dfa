import { changedBody } from '../changed-body.ts'
import { type BillableEndpoint, type Dialect, type Provider } from '../provider.ts'
import { openAiRateHeaders, renderOpenAiRefusal } from './errors.ts'
import { withUsage } from './include-usage.ts'
import { meterChatCompletion } from './meter.ts'
import { readChatCompletion } from './request.ts'

/** the newer one first: models that reason take no other, and all of today's take it */
const OUTPUT_LIMITS = ['max_completion_tokens', 'max_tokens']

/** OpenAI's clients, and those of everybody who does as OpenAI does. */
export const openaiDialect: Dialect = {
  name: 'openai',
  speaks: () => false,
  renderModels (models, id) {
    if (id !== undefined) return models.includes(id) ? JSON.stringify(model(id)) : null
    return JSON.stringify({ object: 'list', data: models.map(model) })
  },
  renderRefusal: renderOpenAiRefusal,
  rateHeaders: openAiRateHeaders,
}

/** Chat completions of OpenAI and of what speaks its dialect. */
export function chatCompletions (path: string): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'chat.completions',
    method: 'POST',
    path,
    about: { model: '`model`', output: '`max_completion_tokens`, else `max_tokens`, times `n`', usage: '`usage`; in a stream its last chunk' },
    read: readChatCompletion,
    forwardBody (call, body, bytes, changes) {
      const changed = changedBody(body, bytes, changes, OUTPUT_LIMITS)
      return call.stream && !call.usageAsked ? withUsage(changed) : changed
    },
    meter: meterChatCompletion,
  }
}

export const openai: Provider = {
  name: 'openai',
  title: 'OpenAI',
  url: 'https://api.openai.com',
  base: '/v1',
  atRoot: true,
  needsKey: true,
  dialect: openaiDialect,
  endpoints: [
    chatCompletions('/v1/chat/completions'),
    { kind: 'free', name: 'models', method: 'GET', path: '/v1/models', served: 'models' },
    { kind: 'free', name: 'models', method: 'GET', path: '/v1/models/{model+}', served: 'models' },
  ],
  credential: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
}

function model (id: string) { return { id, object: 'model', created: 0, owned_by: 'openai' } }
