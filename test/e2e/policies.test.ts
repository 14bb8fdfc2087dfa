import pg from 'pg'
import t from 'tap'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from './gateway.ts'

// What budgets ask of a call besides its amount: which model, how long an answer. Through real stores and sockets.

const refusal = (json: Json) => (json['error'] as Json)['relaycore'] as Json

/** a call of 10 input tokens and 40 output tokens: 0.000425 USD by gpt-4o, 0.0000255 by gpt-4o-mini */
const USAGE = { input: 10, output: 40 }

async function spending (fields: object): Promise<{ gateway: GatewayUnderTest, key: string, budget: string }> {
  const gateway = await anOrganization()
  gateway.provider.behave = () => ({ usage: USAGE })
  const budget = await gateway.budget(fields)
  return { gateway, key: await gateway.key(), budget }
}

function bodyOf ({ provider }: GatewayUnderTest): Json {
  return JSON.parse(Buffer.from(provider.books.at(-1)?.body ?? '', 'base64').toString()) as Json
}

t.test('past its threshold a budget calls the mapped model instead, and the answer says so', async (t) => {
  const { gateway, key, budget } = await spending({
    amount: '0.01', alerts: [{ threshold: 4, actions: ['auto-downgrade'], downgrade: { 'gpt-4o': 'gpt-4o-mini' } }],
  })
  const before = await gateway.chat(key, {})
  t.equal(before.status, 200)
  t.equal(before.headers.get('x-relaycore-model-used'), null)
  t.equal(bodyOf(gateway)['model'], 'gpt-4o')

  for (const stream of [false, true]) {
    const after = await gateway.chat(key, { stream, n: 1, messages: [{ role: 'user', content: '"model": "gpt-4o"' }] })
    t.equal(after.status, 200)
    t.equal(after.headers.get('x-relaycore-model-requested'), 'gpt-4o')
    t.equal(after.headers.get('x-relaycore-model-used'), 'gpt-4o-mini')
    t.equal(after.headers.get('x-relaycore-changed'), `downgraded;budget=${budget};threshold=4`)
    t.match(bodyOf(gateway), { model: 'gpt-4o-mini', n: 1, messages: [{ content: '"model": "gpt-4o"' }] })
  }
  const events = await gateway.events()
  t.strictSame(events.map(({ model, cost_nano: cost }) => [model, String(cost)]),
    [['gpt-4o', '425000'], ['gpt-4o-mini', '25500'], ['gpt-4o-mini', '25500']], 'each is priced as what was used')
  t.ok(gateway.logs.some((line) => line.includes('"model":"gpt-4o-mini"') && line.includes('"asked":"gpt-4o"')))
})

t.test('past its threshold a budget allows only the models that it names', async (t) => {
  const { gateway, key, budget } = await spending({
    amount: '0.01', alerts: [{ threshold: 4, actions: ['restrict-models'], models: ['gpt-4o-mini*', 'claude-*'] }],
  })
  t.equal((await gateway.chat(key, {})).status, 200)
  const { status, headers, json } = await gateway.chat(key, {})
  t.equal(status, 429)
  t.equal(headers.get('x-should-retry'), 'false')
  t.match(json['error'], { message: /from 4 % on it does not allow "gpt-4o"\. Use a model that it allows \(gpt-4o-mini\*, claude-\*\), or wait/ })
  t.match(refusal(json)['remedy'], /^Use a model that it allows .*, when the threshold counts anew, or ask/)
  t.equal(refusal(json)['code'], 'model_restricted')
  t.equal((await gateway.chat(key, { model: 'gpt-4o-mini' })).status, 200)
  await gateway.admin('PATCH', `/budgets/${budget}`, { amount: '1' })
  t.equal((await gateway.chat(key, {})).status, 200, 'a change of the budget acts at once')
})

t.test('a downgraded call is held on the budgets of the model that is used, and obeys their rules', async (t) => {
  const { gateway, key } = await spending({
    amount: '0.01', alerts: [{ threshold: 4, actions: ['auto-downgrade'], downgrade: { 'gpt-4o': 'gpt-4o-mini' } }],
  })
  const mini = await gateway.budget({ name: 'mini', filters: { models: ['gpt-4o-mini'] } })
  const large = await gateway.budget({ name: 'large', filters: { models: ['gpt-4o'] } })
  for (let i = 0; i < 3; i++) t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()
  const spent = async (id: string) => (await gateway.admin('GET', `/budgets/${id}/status`)).body['currentAmount']
  t.equal(await spent(large), '0.000425')
  t.equal(await spent(mini), '0.000051')
})

t.test('a call that does not fit is capped to what is left, where its budgets let it be', async (t) => {
  const { gateway, key, budget } = await spending({ amount: '0.001', capToFit: { minimumTokens: 20 } })
  const call = { max_tokens: 5_000, messages: [] }
  const capped = await gateway.chat(key, call)
  t.equal(capped.status, 200)
  const limit = Number(capped.headers.get('x-relaycore-output-limit'))
  t.equal(bodyOf(gateway)['max_tokens'], limit)
  t.equal(capped.headers.get('x-relaycore-changed'), `capped;budget=${budget};reason=quote_exceeds_budget`)
  t.ok(limit > 20 && limit < 100, `${limit} tokens of 10 micro-USD each fit into a milli-USD, less the input`)
  // what one more token would cost is not there any more
  const quote = Number(capped.headers.get('x-relaycore-quote'))
  t.ok(quote <= 0.001 && quote + 0.00001 > 0.001)

  const fitting = await gateway.chat(key, { max_tokens: 30, messages: [] })
  t.equal(fitting.headers.get('x-relaycore-output-limit'), null, 'what fits stays as it was asked for')
  const { status, json } = await gateway.chat(key, call)
  t.equal(status, 429, 'with less than the minimum left the call is refused')
  t.equal(refusal(json)['code'], 'quote_exceeds_budget')
  await gateway.events()
  t.equal((await gateway.admin('GET', `/budgets/${budget}/status`)).body['currentAmount'], '0.00085')
})

t.test('no cap where another budget of the call has none, or the model thinks as long as it likes', async (t) => {
  const { gateway, key } = await spending({ amount: '0.01', capToFit: true })
  t.equal((await gateway.chat(key, { model: 'o3', max_completion_tokens: 90_000 })).status, 429)
  t.equal((await gateway.chat(key, { max_tokens: 16_000 })).status, 429, 'the default minimum does not fit')
  await gateway.budget({ name: 'team', scopeType: 'team', scopeId: 'search', amount: '0.05', capToFit: { minimumTokens: 1, reasoning: true } })
  const team = await gateway.key({ teamId: 'search' })
  t.equal((await gateway.chat(team, { max_tokens: 16_000 })).status, 429, 'the organization\'s minimum counts')
})

t.test('a budget in shadow mode lets all through, and says what it would have done', async (t) => {
  const { gateway, key, budget } = await spending({
    mode: 'shadow',
    amount: '0.0005',
    alerts: [{ threshold: 80, actions: ['auto-downgrade'], downgrade: { 'gpt-4o': 'gpt-4o-mini' } }],
  })
  // other tests use the gateway too
  const downgraded = async () => {
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    return Number(/relaycore_shadow_verdicts_total\{verdict="downgraded"\} (\d+)/.exec(metrics)?.[1] ?? 0)
  }
  const before = await downgraded()
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await gateway.chat(key, { max_tokens: 40 })
    t.equal(status, 200)
    t.equal(headers.get('x-relaycore-model-used'), null)
    await gateway.events()
  }
  const shadows = gateway.logs.filter((line) => line.includes('shadow'))
  t.equal(shadows.length, 3, 'too large for it, then past its threshold')
  t.match(shadows, [/"verdict":"refused"/, /"verdict":"downgraded"/, /"verdict":"downgraded"/])
  const status = (await gateway.admin('GET', `/budgets/${budget}/status`)).body
  t.match(status, { currentAmount: '0.001275', leased: '0', status: 'exceeded' })
  t.equal(await downgraded() - before, 2)
})

t.test('while PostgreSQL does not answer, a budget that fails open lets calls through up to its amount', async (t) => {
  const gateway = await aGateway(t)
  const { core, provider } = gateway
  provider.behave = () => ({ usage: USAGE })
  const open = await gateway.budget({ name: 'open', failMode: { openUpTo: '0.003' } })
  const key = await gateway.key()
  t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()

  const call = { max_tokens: 100 }
  const statuses: number[] = []
  const other = new pg.Client(core.config.databaseUrl)
  await other.connect()
  try {
    await other.query('begin; lock table budget_accounts in access exclusive mode')
    const first = await gateway.chat(key, { max_tokens: 10_000 })
    t.equal(first.status, 503, 'more than it may let through at once')
    t.equal(refusal(first.json)['code'], 'ledger_unavailable')
    for (let i = 0; i < 20 && statuses.at(-1) !== 503; i++) statuses.push((await gateway.chat(key, call)).status)
  } finally {
    await other.end()
  }
  t.equal(statuses.at(-1), 503)
  t.ok(core.tracker.failedOpen > 0)
  // a quote is 0.0010825 USD at most, a call costs 0.000425: of earlier calls what they cost counts, not what was held
  t.equal(core.tracker.failedOpen, 5)
  const events = await gateway.events()
  t.equal(events.length, statuses.length)
  t.match((await gateway.admin('GET', `/budgets/${open}/status`)).body, { currentAmount: String(0.000425 * events.length) })
  t.equal((await gateway.chat(key, call)).status, 200)
})

t.test('policies that make no sense are refused by the field', async (t) => {
  const gateway = await anOrganization()
  const wrong: [object, string, RegExp][] = [
    [{ alerts: [{ threshold: 50, actions: ['auto-downgrade'] }] }, 'alerts/0/downgrade', /a map from models/],
    [{ alerts: [{ threshold: 50, actions: ['auto-downgrade'], downgrade: { 'gpt-4o-mini': 'gpt-4o' } }] },
      'alerts/0/downgrade/gpt-4o-mini', /costs no more than gpt-4o-mini; its price of input is higher/],
    [{ alerts: [{ threshold: 50, actions: ['auto-downgrade'], downgrade: { 'gpt-4o': 'claude-haiku-4-5' } }] },
      'alerts/0/downgrade/gpt-4o', /a model of openai/],
    [{ alerts: [{ threshold: 50, actions: ['auto-downgrade'], downgrade: { 'gpt-99': 'gpt-4o' } }] },
      'alerts/0/downgrade/gpt-99', /has a price for/],
    [{ alerts: [{ threshold: 50, actions: ['auto-downgrade'], downgrade: { 'gpt-4o': 'gpt-4o' } }] },
      'alerts/0/downgrade/gpt-4o', /another model/],
    [{ alerts: [{ threshold: 50, actions: ['restrict-models'], models: [] }] }, 'alerts/0/models', /still allows/],
    [{ alerts: [{ threshold: 50, actions: ['notify'], models: ['x'] }] }, 'alerts/0/models', /absent/],
    [{ capToFit: 1 }, 'capToFit', /true, false, or an object/],
    [{ capToFit: { minimumTokens: 0 } }, 'capToFit/minimumTokens', /whole number/],
    [{ failMode: 'open' }, 'failMode', /openUpTo/],
    [{ failMode: { openUpTo: '0' } }, 'failMode/openUpTo', /more than 0/],
  ]
  const budget = { name: 'b', scopeType: 'organization', scopeId: 'acme', amount: '10', currency: 'USD', period: 'monthly' }
  for (const [fields, field, detail] of wrong) {
    const { status, body } = await gateway.admin('POST', '/budgets', { ...budget, ...fields })
    t.equal(status, 400)
    t.match(body, { code: 'invalid_field', field, detail })
  }
  const made = await gateway.admin('POST', '/budgets', {
    ...budget,
    capToFit: true,
    failMode: { openUpTo: 2.5 },
    alerts: [{ threshold: 50, actions: ['auto-downgrade', 'restrict-models'], downgrade: { 'gpt-4o': 'gpt-4o-mini' }, models: ['gpt-4o-mini'] }],
  })
  t.match(made.body, {
    capToFit: { minimumTokens: 1024, reasoning: false },
    failMode: { openUpTo: '2.5' },
    alerts: [{ downgrade: { 'gpt-4o': 'gpt-4o-mini' }, models: ['gpt-4o-mini'] }],
  })
  const patched = await gateway.admin('PATCH', `/budgets/${String(made.body['id'])}`, { capToFit: { minimumTokens: 7 }, failMode: 'closed' })
  t.match(patched.body, { capToFit: { minimumTokens: 7, reasoning: false }, failMode: 'closed' })
})
