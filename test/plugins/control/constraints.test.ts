import fc from 'fast-check'
import t from 'tap'
import { type Identity } from '../../../src/budget/budget.ts'
import { type OpenCall } from '../../../src/gateway/call.ts'
import { convertNano, formatNano, parseAmount } from '../../../src/money/amount.ts'
import { type PricedModel } from '../../../src/pricing/price.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { providers } from '../../../src/providers/index.ts'
import { type CallRequest, isRefusal, NO_TARGET } from '../../../src/providers/provider.ts'
import { aGateway, anOrganization, type AdminAnswer, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'

const DAY_MS = 86_400_000
const RATES: Record<string, string | null> = { USD: null, EUR: '0.9', JPY: '150.123' }

interface Level {
  /** of the quote of the call that is asked about */
  percent: number
  /** nano-units beside it */
  beside: bigint
  currency: string
  mode: 'enforced' | 'soft'
  /** percent */
  blockAll: number | null
  when: 'now' | 'not yet' | 'over'
  then: 'as it is' | 'paused' | 'archived'
}

const level: fc.Arbitrary<Level> = fc.record({
  percent: fc.constantFrom(40, 100, 110, 150, 200, 250, 400, 1_000, 1_000),
  beside: fc.constantFrom(-1n, 0n, 1n),
  currency: fc.constantFrom('USD', 'USD', 'EUR', 'JPY'),
  mode: fc.constantFrom<Level['mode'][]>('enforced', 'enforced', 'enforced', 'soft'),
  blockAll: fc.constantFrom(null, null, null, 50, 33.3, 99.999999999),
  when: fc.constantFrom<Level['when'][]>(...Array<'now'>(18).fill('now'), 'not yet', 'over'),
  then: fc.constantFrom<Level['then'][]>(...Array<'as it is'>(18).fill('as it is'), 'paused', 'archived'),
})

/** the openai dialect's chat completions, as the data plane uses it */
function aCall (gateway: GatewayUnderTest, identity: Identity, tokens: number) {
  const [provider] = providers
  const endpoint = provider?.endpoints.find((one) => one.kind === 'billable')
  if (provider === undefined || endpoint?.kind !== 'billable') throw new Error('no dialect')
  const body = { model: 'gpt-4o', max_tokens: tokens, messages: [] }
  const bytes = Buffer.from(JSON.stringify(body))
  const request = endpoint.read(body, bytes, NO_TARGET) as CallRequest
  const model = gateway.core.prices.find('openai', 'gpt-4o', Date.now()) as PricedModel
  const { inputTokens, outputTokens } = request.bound
  return {
    quote: quoteNano(model, request.bound) as bigint,
    question: { provider: 'openai', model: 'gpt-4o', inputTokens, outputTokens },
    open: async () => {
      const intake = { provider, endpoint, target: NO_TARGET, identity, body, bytes, requestId: null }
      return await gateway.core.gate.open(intake, () => false)
    },
  }
}

const check = async (gateway: GatewayUnderTest, id: string, question: object): Promise<AdminAnswer> =>
  await gateway.admin('POST', `/budgets/${id}/check-constraints`, question)

t.test('a check says what a hold then does, whatever the hierarchy', { timeout: 300_000 }, async (t) => {
  const gateway = await aGateway(t)
  for (const [currency, rate] of Object.entries(RATES)) {
    if (rate !== null) await gateway.core.rates.add([{ currency, rate, effectiveAt: Date.now() - 1_000 }])
  }
  let number = 0
  const seen = new Map<string, number>()
  const tokens = fc.constantFrom(100, 300, 500)
  const prior = fc.record({ ended: fc.array(tokens, { maxLength: 4 }), open: fc.array(tokens, { maxLength: 2 }) })
  const chain = fc.array(level, { minLength: 1, maxLength: 4 })
  await fc.assert(fc.asyncProperty(chain, prior, async (levels, { ended, open }) => {
    const organizationId = `org-${++number}`
    const identity: Identity = {
      organizationId, teamId: 'red', projectId: null, userId: null, keyId: 'k', sessionId: null, tags: null,
    }
    const asked = aCall(gateway, identity, 1_000)
    const ids = await chainOf(gateway, organizationId, levels, asked.quote)
    const before: OpenCall[] = []
    for (const [list, ends] of [[ended, true], [open, false]] as const) {
      for (const one of list) {
        const call = await aCall(gateway, identity, one).open()
        if (isRefusal(call)) continue
        if (ends) call.settle({ outcome: 'completed', status: 200, reading: null, error: null })
        else before.push(call)
      }
    }
    for (const [i, { then }] of levels.entries()) await become(gateway, ids[i] as string, then)

    const leaf = ids.at(-1) as string
    const { body: byAmount } = await check(gateway, leaf, { estimatedCost: formatNano(asked.quote), currency: 'USD' })
    const { body: byTokens } = await check(gateway, leaf, asked.question)
    const call = await asked.open()

    const outcome = isRefusal(call) ? call.code : 'held'
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
    for (const said of [byAmount, byTokens]) {
      if (said['canProceed'] === !isRefusal(call) && said['retryable'] === (isRefusal(call) && call.retryable)) continue
      throw new Error(`${outcome}, and the check said ${JSON.stringify(said)}`)
    }
    if (isRefusal(call)) {
      if (call.code !== byAmount['code']) throw new Error(`${call.code} ${JSON.stringify(byAmount)}`)
    } else call.release()
    for (const one of before) one.release()
  }), { numRuns: 25 })
  t.comment(JSON.stringify([...seen]))
  t.ok(seen.has('held') && seen.size > 3, 'it was held, and refused for more than one reason')
})

/** the topmost first */
async function chainOf (
  gateway: GatewayUnderTest, organizationId: string, levels: Level[], quote: bigint
): Promise<string[]> {
  const ids: string[] = []
  for (const [i, one] of levels.entries()) {
    const nano = convertNano(quote * BigInt(one.percent) / 100n, RATES[one.currency] ?? null) + one.beside
    const now = Date.now()
    const time = (days: number) => new Date(now + days * DAY_MS).toISOString()
    const dates = { now: {}, 'not yet': { startDate: time(1) }, over: { startDate: time(-60), endDate: time(-1) } }
    ids.push(await gateway.budget({
      organizationId,
      scopeType: i === levels.length - 1 ? 'team' : 'project',
      scopeId: i === levels.length - 1 ? 'red' : 'elsewhere',
      amount: formatNano(nano),
      currency: one.currency,
      mode: one.mode,
      alerts: one.blockAll === null ? [] : [{ threshold: one.blockAll, actions: ['block-all'] }],
      ...dates[one.when],
      ...ids.length === 0 ? {} : { parentBudgetId: ids.at(-1) },
    }))
  }
  return ids
}

async function become (gateway: GatewayUnderTest, id: string, then: Level['then']): Promise<void> {
  if (then === 'paused') await gateway.admin('PUT', `/budgets/${id}`, { paused: true })
  if (then === 'archived') await gateway.admin('DELETE', `/budgets/${id}`)
}

async function aTeam (gateway: GatewayUnderTest, company: object = {}, team: object = {}) {
  const { organizationId } = gateway
  const top = await gateway.budget({ name: 'company', amount: '1', ...company })
  const id = await gateway.budget({
    name: 'team', scopeType: 'team', scopeId: 'red', organizationId, parentBudgetId: top, amount: '5', ...team,
  })
  const ask = async (question: object) => {
    const { status, body } = await check(gateway, id, question)
    if (status !== 200) throw new Error(JSON.stringify(body))
    return body
  }
  return { gateway, top, id, ask }
}

t.test('names the budget that decides, the whole chain, what would be crossed and when it resets', async (t) => {
  const alerts = [{ threshold: 50 }, { threshold: 90 }]
  const { ask, id, top } = await aTeam(await anOrganization(), { alerts }, { alerts: [{ threshold: 10 }] })
  t.match(await ask({ estimatedCost: 0.5 }), {
    budgetId: id,
    estimatedCost: '0.5',
    currency: 'USD',
    canProceed: true,
    code: null,
    retryable: false,
    decidingBudgetId: top,
    resetsAt: /-01T00:00:00.000Z$/,
    suggestedActions: [],
    thresholds: [{ budgetId: id, threshold: 10, actions: ['notify'] }, { budgetId: top, threshold: 50 }],
    chain: [
      { budgetId: id, name: 'team', state: 'running', limit: '5', currentAmount: '0', held: '0', remaining: '5' },
      { budgetId: top, name: 'company', limit: '1', remaining: '1', canProceed: true },
    ],
  })
  t.match(await ask({ estimatedCost: '1.000000001' }), {
    canProceed: false,
    code: 'quote_exceeds_budget',
    decidingBudgetId: top,
    reason: /1.000000001 USD is more than the whole budget "company" \(organization acme-\d+\) allows/,
    chain: [{ canProceed: true }, { canProceed: false }],
  })
})

t.test('changes nothing: no account is made, no lease moves', async (t) => {
  const { ask, gateway, id } = await aTeam(await aGateway(t))
  const books = async () => await gateway.core.database.query({
    text: 'select (select count(*) from budget_accounts) as accounts, (select count(*) from leases) as leases',
  })
  await ask({ estimatedCost: 0.5 })
  await gateway.admin('GET', `/budgets/${id}/status`)
  await gateway.admin('GET', '/budgets/hierarchy/organization/acme')
  t.same(await books(), [{ accounts: '0', leases: '0' }])
})

t.test('what it suggests is true: done, and asked again, there is room', async (t) => {
  const alerts = [{ threshold: 33.3, actions: ['block-all'] }]
  const { ask, gateway, top, id } = await aTeam(await anOrganization(), { alerts, amount: '0.1' }, { amount: '0.02' })
  const question = { provider: 'openai', model: 'gpt-4o', inputTokens: 5_000, outputTokens: 4_000 }
  const said = await ask(question)
  t.match(said, { canProceed: false, estimatedCost: '0.0525' })
  const actions = said['suggestedActions'] as string[]

  const tokens = Number(/max_tokens to (\d+)/.exec(actions.join())?.[1])
  t.match(await ask({ ...question, outputTokens: tokens }), { canProceed: true })
  t.match(await ask({ ...question, outputTokens: tokens + 1 }), { canProceed: false }, 'and not one token more')
  const models = actions.flatMap((one) => /Use the model (\S+):/.exec(one)?.[1] ?? [])
  t.ok(models.length > 0)
  for (const model of models) t.match(await ask({ ...question, model }), { canProceed: true }, model)

  const raise = /raise of budget "(\w+)" .* by at least ([\d.]+) USD/
  const raises = actions.flatMap((one) => raise.exec(one)?.slice(1) ?? [])
  t.same([raises[0], raises[2]], ['team', 'company'])
  const raised = async (budget: string, amount: string, by: string, less = 0n) => {
    const next = (parseAmount(amount) as bigint) + (parseAmount(by) as bigint) - less
    await gateway.admin('PUT', `/budgets/${budget}`, { amount: formatNano(next) })
  }
  await raised(id, '0.02', raises[1] ?? '')
  await raised(top, '0.1', raises[3] ?? '', 1n)
  t.match(await ask(question), { canProceed: false }, 'a nano-unit less is not enough')
  await raised(top, '0.1', raises[3] ?? '')
  t.match(await ask(question), { canProceed: true })
})

t.test('suggests to wait where a new period brings room, and to resume what is paused', async (t) => {
  const { ask, gateway, id } = await aTeam(await anOrganization(), {}, { amount: '0.0007', period: 'annual' })
  const key = await gateway.key({ teamId: 'red' })
  t.equal((await gateway.chat(key, {})).status, 200)
  t.match(await ask({ estimatedCost: 0.0005 }), {
    canProceed: false,
    code: 'budget_exhausted',
    suggestedActions: [/^Wait until .*-01-01T00:00:00.000Z, when budget "team"/, /raise/],
  })
  const never = await ask({ estimatedCost: 2 })
  t.match(never, { suggestedActions: [/raise .*"team"/, /raise .*"company"/] }, 'no period brings that')
  await gateway.admin('PUT', `/budgets/${id}`, { paused: true })
  t.match(await ask({ estimatedCost: 0 }), {
    canProceed: false, code: 'budget_paused', suggestedActions: [/^Ask for .* to be resumed/],
  })
})

t.test('open calls are contention, and nothing but', async (t) => {
  const { ask, gateway } = await aTeam(await anOrganization(), { amount: '0.001' })
  const { organizationId } = gateway
  const identity: Identity = {
    organizationId, teamId: 'red', projectId: null, userId: null, keyId: 'k', sessionId: null, tags: null,
  }
  const call = aCall(gateway, identity, 50)
  const open = await call.open()
  const rest = 1_000_000n - call.quote
  const held = formatNano(call.quote)
  t.match(await ask({ estimatedCost: formatNano(rest) }), { canProceed: true, chain: [{ held }, { held }] })
  t.match(await ask({ estimatedCost: formatNano(rest + 1n) }), {
    canProceed: false, code: 'budget_contention', retryable: true, suggestedActions: [/^Try again/, /^Ask for a raise/],
  })
  if (!isRefusal(open)) open.release()
})

t.test('a budget whose filters leave out the model does not apply to it', async (t) => {
  const { ask, id } = await aTeam(await anOrganization(), {}, { filters: { models: ['gpt-4o*'], tags: { env: 'prod' } } })
  t.match(await ask({ provider: 'openai', model: 'gpt-4.1', inputTokens: 1 }),
    { canProceed: false, code: 'no_budget', decidingBudgetId: id, reason: /filters leave out/ })
  const snapshot = { provider: 'openai', model: 'gpt-4o-2024-08-06', inputTokens: 1, outputTokens: 1 }
  t.match(await ask(snapshot), { canProceed: true })
  const dear = await ask({ ...snapshot, inputTokens: 100_000, outputTokens: 10_000, choices: 100 })
  t.notMatch(JSON.stringify(dear['suggestedActions']), /gpt-4\.1/, 'nor is it suggested')
})

t.test('what cannot be priced or read is refused by name', async (t) => {
  const { gateway, id } = await aTeam(await anOrganization())
  const asked = async (question: unknown) => {
    const { status, body } = await check(gateway, id, question as object)
    return [status, body['code'], body['field'] ?? body['detail']]
  }
  const named = (code: string, field: RegExp | string) => [code === 'invalid_field' ? 400 : 422, code, field]
  const unknown = await asked({ provider: 'openai', model: 'gpt-99', inputTokens: 1 })
  t.match(unknown, named('unprocessable', 'model'))
  const unpriced = await asked({ provider: 'openai', model: 'gpt-4o', inputTokens: 1, tier: 'gold' })
  t.match(unpriced, named('unprocessable', 'tier'))
  t.match(await asked({ estimatedCost: 1, currency: 'CHF' }), named('unprocessable', 'currency'))
  const wrong: [Json, string][] = [
    [{}, 'estimatedCost'],
    [{ estimatedCost: 1, model: 'gpt-4o' }, 'model'],
    [{ provider: 'openai', inputTokens: 1 }, 'model'],
    [{ provider: 'openai', model: 'gpt-4o' }, 'inputTokens'],
    [{ provider: 'openai', model: 'gpt-4o', inputTokens: -1 }, 'inputTokens'],
    [{ provider: 'openai', model: 'gpt-4o', inputTokens: 1, currency: 'USD' }, 'currency'],
    [{ estimatedCost: -1 }, 'estimatedCost'],
    [{ estimatedCost: '1e3' }, 'estimatedCost'],
    [{ estimatedCost: 1, currency: 'usd' }, 'currency'],
    [{ estimatedCost: 1, more: 1 }, 'more'],
  ]
  for (const [question, field] of wrong) t.match(await asked(question), named('invalid_field', field))
  t.match(await check(gateway, 'none', { estimatedCost: 1 }), { status: 404 })
})

t.test('a manager learns of budgets above that they refuse, and no more; a client sees its whole chain', async (t) => {
  const { gateway, id, top } = await aTeam(await anOrganization(), { name: 'secret' })
  const { organizationId } = gateway
  const reach = { organizationId, teamId: 'red' }
  const made = await gateway.admin('POST', '/tokens', { name: 'm', role: 'manager', reach })
  const as = async (token: string, path: string, body?: object) =>
    (await gateway.admin(body === undefined ? 'GET' : 'POST', path, body, { authorization: `Bearer ${token}` })).body
  const manager = String(made.body['token'])

  const said = await as(manager, `/budgets/${id}/check-constraints`, { estimatedCost: 2 })

  t.match(said, { canProceed: false, code: 'quote_exceeds_budget', decidingBudgetId: null, reason: /out of your reach/ })
  t.same((said['chain'] as Json[])[1], { visible: false, canProceed: false })
  const { hierarchy } = await as(manager, '/budgets/hierarchy/team/red')
  t.match(hierarchy, [{ id, parentBudgetId: null }])
  t.same((await as(manager, `/budgets/hierarchy/organization/${organizationId}`)), { hierarchy: [], count: 0 })
  t.notMatch(JSON.stringify([said, hierarchy]), new RegExp(`secret|${top}`))
  const client = await as(await gateway.key({ teamId: 'red' }), `/budgets/${id}/check-constraints`, { estimatedCost: 2 })
  t.match(client, { decidingBudgetId: top, reason: /"secret"/ })
})
