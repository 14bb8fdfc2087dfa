import { Type } from 'typebox'
import { defineRate, parseEcbDaily, renderRate, type ExchangeRate } from '../../src/money/exchange-rates.ts'
import { type Scope, type Tools } from './index.ts'
import { Once, PageAnswer, PageQuery, problems, Time } from './schemas.ts'

/** Exchange rates: prices are in USD, budgets in any currency that has one. They concern everybody. */
const tags = ['exchange rates']

const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217', examples: ['EUR'] })

const NewRate = Type.Object({
  currency: Currency,
  rate: Type.Union([Type.String({ maxLength: 64 }), Type.Number()], {
    description: 'units of the currency per USD, a decimal', examples: ['0.9213'],
  }),
  effectiveAt: Type.Optional(Type.String({ description: 'RFC 3339, from when on; now if not given', examples: ['2026-12-01T00:00:00Z'] })),
}, { additionalProperties: false, examples: [{ currency: 'EUR', rate: '0.9213' }] })

const RateAnswer = Type.Object({
  currency: Currency,
  rate: Type.String({ description: 'units of the currency per USD', examples: ['0.9213'] }),
  effectiveAt: Time,
})

const Import = Type.Object({
  format: Type.Enum(['ecb-daily'], { description: 'eurofxref-daily.xml of the European Central Bank' }),
  content: Type.String({ minLength: 1, maxLength: 900_000, description: 'the file' }),
}, {
  additionalProperties: false,
  examples: [{
    format: 'ecb-daily',
    content: "<Cube><Cube time='2026-11-25'><Cube currency='USD' rate='1.0854'/><Cube currency='JPY' rate='161.3'/></Cube></Cube>",
  }],
})

const RatePage = Type.Object({
  rates: Type.Array(RateAnswer), count: PageAnswer.count, limit: PageAnswer.limit, nextCursor: PageAnswer.nextCursor,
})

const RateQuery = Type.Object({ ...PageQuery, currency: Type.Optional(Currency) }, { additionalProperties: false })

export function rateRoutes (scope: Scope, { mutate, rates }: Tools): void {
  scope.get('/exchange-rates', {
    config: { access: 'see' },
    schema: {
      summary: 'List exchange rates',
      description: 'The latest first; the first that has begun is in force.',
      querystring: RateQuery,
      response: { 200: RatePage, ...problems() },
      tags,
    },
  }, async ({ query }) => {
    const { rates: found, nextCursor } = await rates.page(query)
    return { rates: found.map(renderRate), count: found.length, limit: query.limit, nextCursor }
  })

  scope.post('/exchange-rates', {
    config: { access: 'administer' },
    schema: {
      summary: 'Add an exchange rate',
      description: 'It is in force from its moment on, until the next one of its currency. What was charged before keeps ' +
        'the rate that it was charged at. The same again changes nothing.',
      headers: Once,
      body: NewRate,
      response: { 201: RateAnswer, ...problems(409, 413, 422) },
      tags,
    },
  }, async (request, reply) => {
    const rate = defineRate(request.body, Date.now())
    return await mutate(request, reply, async (stores) => {
      await stores.rates.add([rate])
      return { status: 201, headers: { location: `/api/v1/exchange-rates?currency=${rate.currency}` }, body: renderRate(rate) }
    })
  })

  scope.post('/exchange-rates/import', {
    config: { access: 'administer' },
    schema: {
      summary: 'Add the exchange rates of a file',
      description: 'All of them or none; those that are there already stay.',
      headers: Once,
      body: Import,
      response: { 200: Type.Object({ rates: Type.Array(RateAnswer), added: Type.Integer({ description: 'how many were new' }) }), ...problems(409, 413, 422) },
      tags,
    },
  }, async (request, reply) => {
    const found: ExchangeRate[] = parseEcbDaily(request.body.content)
    return await mutate(request, reply, async (stores) => {
      const added = await stores.rates.add(found)
      return { status: 200, body: { rates: found.map(renderRate), added: added.length } }
    })
  })
}
