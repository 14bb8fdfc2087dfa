import t from 'tap'
import { providers } from '../../src/providers/index.ts'
import { type BillableEndpoint } from '../../src/providers/provider.ts'
import { JSON_ANSWER, pass } from './builders.ts'
import { changeable, sampleOf } from './samples.ts'

// Walks every billable path of every provider, as docs/PROVIDERS.md lists them.

const ERROR = '{"usage":{"prompt_tokens":5,"completion_tokens":5,"input_tokens":5,"output_tokens":5}}'

for (const provider of providers) {
  t.test(`${provider.title}: each billable path reads a request, says what bounds it, and nothing of an error`, async (t) => {
    const billable = provider.endpoints.filter((endpoint): endpoint is BillableEndpoint => endpoint.kind === 'billable')
    for (const endpoint of billable) {
      const { bytes, body, call } = sampleOf(provider, endpoint)
      const { bound } = call
      const bounded = bound.outputTokens === null || Number.isSafeInteger(bound.outputTokens)
      t.ok(call.model !== '' && bound.inputTokens >= 0 && bounded && bound.choices >= 1, endpoint.path)
      const asked = endpoint.forwardBody(call, body, bytes, { model: null, outputTokens: null })
      t.ok(asked.includes(bytes.subarray(0, 1)), endpoint.path)
      const meter = endpoint.meter(call, { ...JSON_ANSWER, status: 500 })
      t.equal(pass(meter, Buffer.from(ERROR)).toString(), ERROR, endpoint.path)
      t.match(meter.reading(), { usage: null, final: false }, endpoint.path)
      const { about: { model, output, usage } } = endpoint
      t.ok(model !== '' && output !== '' && usage !== '', endpoint.path)
      // whose output costs can have it lowered, but for what has no field for it
      if (changeable(provider, endpoint).output) t.not(bound.outputTokens, 0, endpoint.path)
    }
  })
}
