import { changedBody } from '../changed-body.ts'
import { openAiRateHeaders } from '../openai/errors.ts'
import { modelLists } from '../model-lists.ts'
import { type BillableEndpoint, type Dialect, type Provider } from '../provider.ts'
import { renderCohereCut, renderCohereRefusal } from './errors.ts'
import { meterChat, meterMeta } from './meter.ts'
import { readChat, readEmbed, readRerank } from './request.ts'

const dialect: Dialect = {
  name: 'cohere',
  speaks: () => false,
  renderModels (models, id) {
    if (id !== undefined) return models.includes(id) ? JSON.stringify({ name: id }) : null
    return JSON.stringify({ models: models.map((name) => ({ name })) })
  },
  renderRefusal: renderCohereRefusal,
  renderCut: renderCohereCut,
  rateHeaders: openAiRateHeaders,
}

const chat: BillableEndpoint = {
  kind: 'billable',
  name: 'chat',
  method: 'POST',
  path: '/v2/chat',
  about: { model: '`model`', output: '`max_tokens`', usage: '`usage.billed_units`; in a stream of `message-end`' },
  read: readChat,
  forwardBody: (_call, body, bytes, changes) => changedBody(body, bytes, changes, ['max_tokens']),
  meter: meterChat,
}

const embed: BillableEndpoint = {
  ...chat,
  name: 'embed',
  path: '/v2/embed',
  about: { model: '`model`', output: 'none', usage: '`meta.billed_units`' },
  read: readEmbed,
  forwardBody: (_call, body, bytes, changes) => changedBody(body, bytes, { ...changes, outputTokens: null }, []),
  meter: meterMeta,
}

const rerank: BillableEndpoint = {
  ...embed,
  name: 'rerank',
  path: '/v2/rerank',
  about: { model: '`model`', output: 'searches, by number and length of `documents`', usage: '`meta.billed_units.search_units`' },
  read: readRerank,
}

/** Cohere's second API. */
export const cohere: Provider = {
  name: 'cohere',
  title: 'Cohere',
  url: 'https://api.cohere.com',
  base: '',
  atRoot: false,
  needsKey: true,
  dialect,
  endpoints: [
    chat,
    embed,
    rerank,
    ...modelLists('/v1'),
  ],
  credential: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
}
