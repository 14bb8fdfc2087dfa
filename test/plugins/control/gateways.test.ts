import t from 'tap'
import { aGateway } from '../../e2e/gateway.ts'

t.test('what a lost gateway had leased is listed, and counts as spent once it is given up', async (t) => {
  const { admin, budget, core } = await aGateway(t)
  const id = await budget({ amount: '5' })
  const { body: status } = await admin('GET', `/budgets/${id}/status`)
  const [account] = await core.authority.ensureAccounts([{
    budgetId: id,
    subject: '',
    periodStart: Date.parse(String(status['periodStart'])),
    periodEnd: Date.parse(String(status['periodEnd'])),
  }])
  const lost = await core.authority.join('lost', 'elsewhere')
  const needs = [{ accountId: account?.accountId ?? 0, needNano: 2_000_000_000n }]
  await core.authority.grant(lost, { calls: [{ needs }], extras: [] })
  const path = `/gateways/${lost}/write-off`
  t.match(await admin('POST', path), { status: 409, body: { code: 'conflict', detail: /answers/ } }, 'not while it answers')
  t.match((await admin('GET', '/gateways')).body, { count: 0 })

  const text = "update gateways set heartbeat_at = now() - interval '1 hour' where incarnation = $1"
  await core.database.query({ text, values: [lost] })
  t.match((await admin('GET', '/gateways')).body, {
    count: 1, gateways: [{ id: String(lost), host: 'elsewhere', state: 'live', silentSince: String, accounts: 1 }],
  })
  t.match((await admin('GET', `/budgets/${id}/status`)).body, { inDoubt: '2', currentAmount: '0', remaining: '3' })
  t.match(await admin('POST', path), { status: 200, body: { accounts: [{ budgetId: id, amount: '2', currency: 'USD' }] } })
  t.match((await admin('GET', `/budgets/${id}/status`)).body, { inDoubt: '0', currentAmount: '2', remaining: '3' })
  t.match(await admin('POST', path), { status: 409 }, 'once')
  t.match((await admin('GET', '/gateways')).body, { count: 0 })
  t.match(await admin('POST', '/gateways/one/write-off'), { status: 400, body: { field: 'id' } })
})
