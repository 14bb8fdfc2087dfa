import { modelLists } from '../model-lists.ts'
import { type BillableEndpoint, type Dialect, type Provider } from '../provider.ts'
import { messageBatchJobs, messageBatches } from './batches.ts'
import { changedMessages } from './change.ts'
import { anthropicRateHeaders, renderAnthropicRefusal } from './errors.ts'
import { meterMessages } from './meter.ts'
import { readMessages } from './request.ts'

export const anthropicDialect: Dialect = {
  name: 'anthropic',
  speaks: (headers) => headers['anthropic-version'] !== undefined || headers['x-api-key'] !== undefined,
  renderModels (models, id) {
    if (id !== undefined) return models.includes(id) ? JSON.stringify(model(id)) : null
    const data = models.map(model)
    return JSON.stringify({ data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null })
  },
  renderRefusal: renderAnthropicRefusal,
  renderCut: (refusal, callId) => `event: error\ndata: ${renderAnthropicRefusal(refusal, callId).body}\n\n`,
  rateHeaders: anthropicRateHeaders,
}

export function messages (path: string): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'messages',
    method: 'POST',
    path,
    about: { model: '`model`', output: '`max_tokens`', usage: '`usage`; in a stream `message_start` and `message_delta`' },
    read: readMessages,
    forwardBody: (_call, body, bytes, changes) => changedMessages(body, bytes, changes),
    meter: meterMessages,
  }
}

/** Anthropic's messages. */
export const anthropic: Provider = {
  name: 'anthropic',
  title: 'Anthropic',
  url: 'https://api.anthropic.com',
  base: '/v1',
  atRoot: true,
  needsKey: true,
  dialect: anthropicDialect,
  endpoints: [
    messages('/v1/messages'),
    messageBatches('/v1/messages/batches', messages('/v1/messages')),
    ...messageBatchJobs('/v1/messages/batches'),
    { kind: 'free', name: 'messages.count_tokens', method: 'POST', path: '/v1/messages/count_tokens', served: 'forward' },
    ...modelLists('/v1'),
  ],
  credential: (apiKey) => ({ 'x-api-key': apiKey }),
}

function model (id: string) { return { type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' } }
