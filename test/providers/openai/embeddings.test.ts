import fc from 'fast-check'
import t from 'tap'
import { costNano } from '../../../src/pricing/cost.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { openai } from '../../../src/providers/openai/index.ts'
import { aModel } from '../../pricing/builders.ts'
import { aCall, JSON_ANSWER, metered, read, surface } from '../builders.ts'

const embeddings = surface(openai, 'embeddings')
const model = aModel('openai', 'text-embedding-3-small')

t.test('texts and lists of tokens are bounded by their bytes, each by the context window', async (t) => {
  for (const [input, inputs] of [['x', 1], [['x', 'y', 'z'], 3], [[1, 2, 3], 1], [[[1, 2], [3]], 2], [[], 1]] as const) {
    const body = { model: model.model, input }
    t.match(aCall(embeddings, body).bound, { inputTokens: JSON.stringify(body).length, inputs, outputTokens: 0 })
  }
  t.match(read(embeddings, { input: 'x' }), { code: 'invalid_request', field: 'model' })
})

t.test('an answer without usage has none, one of an error is not read', async (t) => {
  const call = aCall(embeddings, { model: model.model, input: 'x' })
  for (const text of ['', '{}', '{"usage":{}}', '{"usage":{"prompt_tokens":-1}}']) {
    t.match(metered(embeddings, call, JSON_ANSWER, text).reading, { usage: null, final: false })
  }
  t.equal(metered(embeddings, call, { ...JSON_ANSWER, status: 500 }, '{"usage":{"prompt_tokens":1}}').reading.usage, null)
})

t.test('whatever a provider reports within its rules, it costs no more than the quote', async () => {
  const texts = fc.array(fc.string({ minLength: 1 }), { minLength: 1 })
  fc.assert(fc.property(texts, fc.double({ min: 0, max: 1, noNaN: true }), (input, share) => {
    const call = aCall(embeddings, { model: model.model, input })
    const tokens = Math.floor(Math.min(call.bound.inputTokens, model.contextWindow * input.length) * share)
    const text = JSON.stringify({ usage: { prompt_tokens: tokens } })
    const { usage } = metered(embeddings, call, JSON_ANSWER, text).reading
    return usage !== null && (costNano(model, usage) ?? Infinity) <= (quoteNano(model, call.bound) ?? -1)
  }))
})
