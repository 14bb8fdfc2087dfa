import { changedBody } from '../changed-body.ts'
import { type Provider } from '../provider.ts'
import { openAiRateHeaders, renderOpenAiRefusal } from './errors.ts'
import { withUsage } from './include-usage.ts'
import { meterChatCompletion } from './meter.ts'
import { readChatCompletion } from './request.ts'

/** the newer one first: models that reason take no other, and all of today's take it */
const OUTPUT_LIMITS = ['max_completion_tokens', 'max_tokens']

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
      forwardBody (call, body, bytes, changes) {
        const changed = changedBody(body, bytes, changes, OUTPUT_LIMITS)
        return call.stream && !call.usageAsked ? withUsage(changed) : changed
      },
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
  rateHeaders: openAiRateHeaders,
}

function model (id: string) { return { id, object: 'model', created: 0, owned_by: 'openai' } }
