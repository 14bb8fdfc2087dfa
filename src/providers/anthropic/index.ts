import { changedBody } from '../changed-body.ts'
import { type Provider } from '../provider.ts'
import { anthropicRateHeaders, renderAnthropicRefusal } from './errors.ts'
import { meterMessages } from './meter.ts'
import { readMessages } from './request.ts'

/** Anthropic's messages. */
export const anthropic: Provider = {
  name: 'anthropic',
  endpoints: [
    {
      kind: 'billable',
      name: 'messages',
      method: 'POST',
      path: '/messages',
      read: readMessages,
      forwardBody: (_call, body, bytes, changes) => changedBody(body, bytes, changes, ['max_tokens']),
      meter: meterMessages,
    },
    { kind: 'free', name: 'messages.count_tokens', method: 'POST', path: '/messages/count_tokens', served: 'forward' },
    { kind: 'free', name: 'models', method: 'GET', path: '/models', served: 'models' },
  ],
  credential: (apiKey) => ({ 'x-api-key': apiKey }),
  renderModels (models, id) {
    if (id !== undefined) return models.includes(id) ? JSON.stringify(model(id)) : null
    const data = models.map(model)
    return JSON.stringify({ data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null })
  },
  renderRefusal: renderAnthropicRefusal,
  rateHeaders: anthropicRateHeaders,
}

function model (id: string) { return { type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' } }
