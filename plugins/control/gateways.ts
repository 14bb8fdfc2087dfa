import { Type } from 'typebox'
import { invalidField } from '../../src/errors.ts'
import { formatNano } from '../../src/money/amount.ts'
import { type Scope, type Tools } from './index.ts'
import { Once, problems, Text, Time } from './schemas.ts'

const tags = ['gateways']

const Lost = Type.Object({
  gateways: Type.Array(Type.Object({
    id: Type.String({ description: 'of one life of the process', examples: ['17'] }),
    host: Type.String(),
    state: Type.Enum(['live', 'recovering'], { description: 'recovering: it has begun to close its former life' }),
    silentSince: Time,
    accounts: Type.Integer({ description: 'on which it has leased something' }),
  })),
  count: Type.Integer(),
})

const WrittenOff = Type.Object({
  accounts: Type.Array(Type.Object({
    accountId: Type.String(),
    budgetId: Type.String(),
    amount: Text,
    currency: Type.String({ description: 'ISO 4217' }),
  }), { description: 'what counts as spent' }),
})

/** What is in doubt, and giving it up. It concerns everybody. */
export function gatewayRoutes (scope: Scope, { lostGateways, mutate }: Tools): void {
  scope.get('/gateways', {
    config: { access: 'administer' },
    schema: {
      summary: 'List gateways that do not answer and have leased something',
      description: 'Started again on its journal, a gateway settles what it left by itself.',
      response: { 200: Lost, ...problems() },
      tags,
    },
  }, async () => {
    const found = await lostGateways()
    return {
      gateways: found.map(({ incarnation, host, state, since, accounts }) =>
        ({ id: String(incarnation), host, state: state as 'live' | 'recovering', silentSince: new Date(since).toISOString(), accounts })),
      count: found.length,
    }
  })

  scope.post('/gateways/:id/write-off', {
    config: { access: 'administer' },
    schema: {
      summary: 'Give up a gateway that will not come back',
      description: 'What it had leased counts as spent. Should its journal turn up, that is taken back as far as it says otherwise.',
      params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 64, description: 'as in the list', examples: ['17'] }) }),
      headers: Once,
      response: { 200: WrittenOff, ...problems(409) },
      tags,
    },
  }, async (request, reply) => {
    const { id } = request.params
    if (!/^\d{1,15}$/.test(id)) throw invalidField('id', 'the number of a gateway, as in the list', id)
    return await mutate(request, reply, async ({ gateways }) => {
      const written = await gateways.writeOff(Number(id))
      return {
        status: 200,
        body: {
          accounts: written.map(({ accountId, budgetId, amountNano, currency }) =>
            ({ accountId: String(accountId), budgetId, amount: formatNano(amountNano), currency })),
        },
      }
    })
  })
}
