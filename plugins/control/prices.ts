import { Type } from 'typebox'
import { SaidModelSchema } from '../../src/pricing/layers.ts'
import { defineOverride, renderOverride } from '../../src/pricing/overrides.ts'
import { type Scope, type Tools } from './index.ts'
import { Once, PageAnswer, PageQuery, problems, Time } from './schemas.ts'

/** What models cost here otherwise than in the catalog. */
const tags = ['prices']

const Provider = Type.String({ minLength: 1, maxLength: 100, description: 'as in the catalog, or one of your own', examples: ['openai'] })
const Model = Type.String({ minLength: 1, maxLength: 200, examples: ['gpt-4o'] })

const NewPrice = Type.Object({
  provider: Provider,
  model: Model,
  effectiveAt: Type.Optional(Type.String({ description: 'RFC 3339: for calls that open from then on; now if not given', examples: ['2026-12-01T00:00:00Z'] })),
  prices: SaidModelSchema,
}, {
  additionalProperties: false,
  examples: [{ provider: 'openai', model: 'gpt-4o', prices: { input: '2', cacheRead: '1', output: '8' } }],
})

const PriceAnswer = Type.Object({
  provider: Provider,
  model: Model,
  effectiveAt: Time,
  prices: Type.Object({}, { additionalProperties: true, description: 'as they were said' }),
})

const PricePage = Type.Object({
  prices: Type.Array(PriceAnswer), count: PageAnswer.count, limit: PageAnswer.limit, nextCursor: PageAnswer.nextCursor,
})

const PriceQuery = Type.Object({
  ...PageQuery, provider: Type.Optional(Provider), model: Type.Optional(Model),
}, { additionalProperties: false })

export function priceRoutes (scope: Scope, { mutate, overrides, livePrices }: Tools): void {
  scope.get('/prices', {
    config: { access: 'administer' },
    schema: {
      summary: 'List the prices that were added',
      description: 'Those over the catalog, the latest first.',
      querystring: PriceQuery,
      response: { 200: PricePage, ...problems() },
      tags,
    },
  }, async ({ query }) => {
    const { overrides: found, nextCursor } = await overrides.page(query)
    return { prices: found.map(renderOverride), count: found.length, limit: query.limit, nextCursor }
  })

  scope.post('/prices', {
    config: { access: 'administer' },
    schema: {
      summary: 'Add a price of a model',
      description: 'Over the catalog, for calls that open from its moment on, until the next one of the model; on all gateways ' +
        'within a second. A price of text replaces all of its prices of text. The same again changes nothing.',
      headers: Once,
      body: NewPrice,
      response: { 201: PriceAnswer, ...problems(409, 413) },
      tags,
    },
  }, async (request, reply) => {
    const override = defineOverride(request.body, livePrices, Date.now())
    return await mutate(request, reply, async (stores) => {
      await stores.prices.add(override)
      const query = new URLSearchParams({ provider: override.provider, model: override.model })
      return { status: 201, headers: { location: `/api/v1/prices?${query}` }, body: renderOverride(override) }
    })
  })
}
