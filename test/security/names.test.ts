import t from 'tap'
import { costNano } from '../../src/pricing/cost.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { type PricedModel } from '../../src/pricing/price.ts'
import { quoteNano } from '../../src/pricing/quote.ts'
import { parseBody } from '../../src/providers/body.ts'
import { providers } from '../../src/providers/index.ts'
import { type AnswerHead, isRefusal } from '../../src/providers/provider.ts'
import { sampleOf } from '../providers/samples.ts'

/** names that every object of JavaScript has, as text of clients and of providers: they are text, and nothing else */
const NAMES = ['__proto__', 'constructor', 'hasOwnProperty']
const VALUE = { polluted: true, input: '1', text: 1 }
/** fields by which something is looked up somewhere */
const FIELDS = ['service_tier', 'size', 'quality', 'voice', 'response_format', 'style', 'speed', 'inference_geo', 'model', 'user', 'type',
  'encoding_format', 'output_format', 'input_fidelity', 'reasoning_effort', 'modalities', 'tool_choice', 'truncation', 'task_type', 'taskType',
  'embedding_types', 'input_type', 'stream_format', 'background', 'moderation', 'verbosity']
const book = new CatalogPriceBook()
const MODELS = ['openai', 'anthropic', 'gemini'].flatMap((name) => book.list(name, Date.now()).slice(0, 1))

const sane = (): boolean => Object.getOwnPropertyNames(Object.prototype).length === 12 && !('polluted' in {})

t.test('no name that objects have by themselves is more than a name in a request', async (t) => {
  t.ok(sane(), Object.getOwnPropertyNames(Object.prototype).join())
  let read = 0
  for (const provider of providers) {
    for (const endpoint of provider.endpoints) {
      if (endpoint.kind !== 'billable') continue
      const { body, target } = sampleOf(provider, endpoint)
      for (const name of NAMES) {
        const fields: [string, unknown][] = [
          ...FIELDS.map((field): [string, unknown] => [field, name]),
          [name, VALUE],
          [name, name],
          ['generationConfig', { [name]: VALUE }],
          ['metadata', { [name]: name }],
          ['tools', [{ type: name }]],
          ['thinking', { type: name }],
          ['usage', { [name]: 1 }],
          ['stream_options', { [name]: true }],
          ['provider', { [name]: name }],
          ['audio', { voice: name, format: name }],
        ]
        for (const [field, value] of fields) {
          // as it comes, so that __proto__ is a member like any other
          const members = Object.entries(body as object).filter(([own]) => own !== field)
            .map(([own, is]) => `${JSON.stringify(own)}:${JSON.stringify(is)}`)
          const bytes = Buffer.from(`{${[...members, `${JSON.stringify(field)}:${JSON.stringify(value)}`].join()}}`)
          const parsed = parseBody(bytes)
          if ('refusal' in parsed) continue
          const call = endpoint.read(parsed.body, bytes, target)
          read++
          if (isRefusal(call)) continue
          for (const model of MODELS) {
            const quote = quoteNano(model, call.bound)
            if (quote !== null && typeof quote !== 'bigint') t.fail(`${provider.name} ${endpoint.name} ${field} ${name}`)
            endpoint.forwardBody(call, parsed.body, bytes, { model: 'other', outputTokens: 5 }, model)
          }
        }
      }
      if (!sane()) t.fail(`${provider.name} ${endpoint.name}`)
    }
  }
  t.ok(read > 1_000, `${read} requests`)
  t.ok(sane())
})

t.test('nor in an answer', async (t) => {
  let told = 0
  for (const provider of providers) {
    for (const endpoint of provider.endpoints) {
      if (endpoint.kind !== 'billable' || endpoint.socket?.kind === 'talk') continue
      const { call } = sampleOf(provider, endpoint)
      for (const name of NAMES) {
        for (const contentType of ['application/json', 'text/event-stream']) {
          const head: AnswerHead = { status: 200, contentType, contentEncoding: name, headers: { [name]: name } }
          const usage = `{"prompt_tokens":1,"completion_tokens":1,"input_tokens":1,"output_tokens":1,"total_tokens":2,"${name}":${JSON.stringify(VALUE)},"prompt_tokens_details":{"${name}":5}}`
          const answer = `{"id":"${name}","type":"${name}","model":"${name}","object":"${name}","service_tier":"${name}","${name}":${JSON.stringify(VALUE)},"usage":${usage},"usageMetadata":${usage},"choices":[{"${name}":1}]}`
          for (const contentEncoding of ['identity', name]) {
            const meter = endpoint.meter(call, { ...head, contentEncoding }, MODELS[0] as PricedModel)
            meter.data(Buffer.from(contentType === 'application/json' ? answer : `event: ${name}\ndata: ${answer}\n\n`))
            meter.end()
            const { usage: used } = meter.reading()
            told++
            if (used !== null) for (const model of MODELS) costNano(model, used)
          }
        }
      }
    }
  }
  t.ok(told > 200, `${told} answers`)
  t.ok(sane())
})
