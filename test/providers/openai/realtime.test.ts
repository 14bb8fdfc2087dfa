import fc from 'fast-check'
import t from 'tap'
import { costNano } from '../../../src/pricing/cost.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { openai } from '../../../src/providers/openai/index.ts'
import { type CallRequest, isRefusal, NO_TARGET, type Talk } from '../../../src/providers/provider.ts'
import { aModel } from '../../pricing/builders.ts'
import { named, pass, SSE } from '../builders.ts'

const realtime = named(openai, '/v1/realtime')

function aTalk (model: string): Talk {
  const talk = realtime.socket?.kind === 'talk' ? realtime.socket.begin({ ...NO_TARGET, search: `?model=${model}` }) : null
  if (talk === null || isRefusal(talk)) throw new Error('no conversation')
  return talk
}

/** what a message of the client's makes, as the gate reads it */
function asked (talk: Talk, message: Record<string, unknown>): CallRequest {
  const said = talk.fromClient(message)
  if (isRefusal(said) || said.makes === null) throw new Error('no call')
  const call = realtime.read(said.makes, Buffer.from(JSON.stringify(said.makes)), NO_TARGET)
  if (isRefusal(call)) throw new Error(call.message)
  return call
}

function used (call: CallRequest, usage: object) {
  const meter = realtime.meter(call, SSE)
  const done = { type: 'response.done', response: { id: 'r', status: 'completed', usage } }
  pass(meter, Buffer.from(`data: ${JSON.stringify(done)}\n\n`))
  return meter.reading()
}

t.test('images are held for from the first one on', async (t) => {
  const talk = aTalk('gpt-realtime')
  t.notMatch(asked(talk, { type: 'response.create' }).bound.inputUnits, ['inputImageTokens'])
  const content = [{ type: 'input_image', image_url: 'data:' }]
  const item = { type: 'message', role: 'user', content }
  t.same(talk.fromClient({ type: 'conversation.item.create', item }), { makes: null })
  t.ok(asked(talk, { type: 'response.create' }).bound.inputUnits?.includes('inputImageTokens'))
})

t.test('usage without its kinds is not known', async (t) => {
  const call = asked(aTalk('gpt-realtime'), { type: 'response.create' })
  t.match(used(call, { input_tokens: 5, output_tokens: 5, total_tokens: 10 }), { usage: null, final: false })
  const nothing = used(call, { input_tokens: 0, output_tokens: 0, total_tokens: 0 })
  t.match(nothing, { usage: { inputTokens: 0, outputTokens: 0 }, final: true })
})

t.test('whatever an answer may report within its rules, it costs no more than the quote', async () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const shares = fc.array(share, { minLength: 8, maxLength: 8 })
  const names = fc.constantFrom('gpt-realtime', 'gpt-realtime-mini', 'gpt-realtime-2')
  const limits = fc.option(fc.integer({ min: 1, max: 9_000 }))
  fc.assert(fc.property(names, limits, fc.boolean(), shares, (name, limit, images, shares) => {
    const of = (whole: number, i: number) => Math.floor(whole * (shares[i] as number))
    const model = aModel('openai', name)
    const talk = aTalk(name)
    if (images) talk.fromClient({ type: 'conversation.item.create', item: { content: [{ type: 'input_image' }] } })
    const call = asked(talk, { type: 'response.create', response: { max_output_tokens: limit ?? 'inf' } })
    const input = of(model.contextWindow, 0)
    const sound = of(input, 1)
    const image = images ? of(input - sound, 2) : 0
    const text = input - sound - image
    const output = of(Math.min(limit ?? model.maxOutput, model.maxOutput), 3)
    const cached = { text_tokens: of(text, 4), audio_tokens: of(sound, 5), image_tokens: of(image, 6) }
    const { usage } = used(call, {
      input_tokens: input,
      output_tokens: output,
      input_token_details: {
        text_tokens: text, audio_tokens: sound, image_tokens: image, cached_tokens_details: cached,
      },
      output_token_details: { audio_tokens: of(output, 7), text_tokens: output - of(output, 7) },
    })
    const [quote, cost] = [quoteNano(model, call.bound), usage === null ? null : costNano(model, usage)]
    return quote !== null && cost !== null && cost <= quote
  }))
})
