import { type Provider } from '../provider.ts'
import { renderOpenAiRefusal } from './errors.ts'
import { withUsage } from './include-usage.ts'
import { meterChatCompletion } from './meter.ts'
import { readChatCompletion } from './request.ts'

/** Chat completions of OpenAI and of what speaks its dialect. */
export const openai: Provider = {
  name: 'openai',
  endpoints: [
    {
      kind: 'billable',
      name: 'chat.completions',
      method: 'POST',
      path: '/chat/completions',
      read: readChatCompletion,
      forwardBody: (call, bytes) => call.stream && !call.usageAsked ? withUsage(bytes) : bytes,
      meter: meterChatCompletion,
    },
    { kind: 'free', name: 'models', method: 'GET', path: '/models', served: 'models' },
  ],
  credential: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
  renderModels (models, id) {
    if (id !== undefined) return models.includes(id) ? JSON.stringify(model(id)) : null
    return JSON.stringify({ object: 'list', data: models.map(model) })
  },
  renderRefusal: renderOpenAiRefusal,
}

function model (id: string) { return { id, object: 'model', created: 0, owned_by: 'openai' } }
