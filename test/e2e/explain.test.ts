import * as fc from 'fast-check'
import t from 'tap'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from './gateway.ts'

// What an explanation says is what the call then gets: they are decided by the same code.

interface World {
  organization: object
  team: object | null
  rateLimits: object | null
  spent: string
  call: { model: string, max_tokens: number | null, messages: object[] }
}

const MODELS = ['gpt-4o', 'gpt-4o-mini', 'gpt-4-turbo', 'o3']

const alert = fc.oneof(
  fc.record({ threshold: fc.constantFrom(10, 50), actions: fc.constant(['restrict-models']), models: fc.subarray(MODELS, { minLength: 1 }) }),
  fc.record({
    threshold: fc.constantFrom(20, 60),
    actions: fc.constant(['auto-downgrade']),
    downgrade: fc.constantFrom({ 'gpt-4o': 'gpt-4o-mini' }, { 'gpt-4-turbo': 'gpt-4o' }, { o3: 'gpt-4o-mini', 'gpt-4o': 'gpt-4o-mini' }),
  }),
  fc.record({ threshold: fc.constantFrom(70, 90), actions: fc.constant(['block-all']) })
)

const budget = fc.record({
  amount: fc.constantFrom('0.0004', '0.002', '0.01', '0.2', '5'),
  mode: fc.constantFrom('enforced', 'enforced', 'enforced', 'soft', 'shadow'),
  paused: fc.constantFrom(false, false, false, false, true),
  capToFit: fc.constantFrom(false, { minimumTokens: 1 }, { minimumTokens: 50, reasoning: true }),
  filters: fc.constantFrom({}, {}, { models: ['gpt-4o*'] }),
  alerts: fc.uniqueArray(alert, { maxLength: 2, selector: ({ threshold }) => threshold }),
})

const world: fc.Arbitrary<World> = fc.record({
  organization: budget,
  team: fc.option(budget, { nil: null }),
  rateLimits: fc.constantFrom(null, null, { tokensPerMinute: 2_200 }, { requestsPerMinute: 2, concurrentCalls: 1 }),
  spent: fc.constantFrom('0', '0.0003', '0.0011', '0.004'),
  call: fc.record({
    model: fc.constantFrom(...MODELS, 'no-such-model'),
    max_tokens: fc.constantFrom(20, 150, 2_000, null),
    messages: fc.constantFrom([], [{ role: 'user', content: 'a few words' }]),
  }),
})

async function build (gateway: GatewayUnderTest, { organization, team, rateLimits, spent }: World, run: number) {
  const organizationId = `org-${run}`
  const parent = await gateway.budget({ ...organization, scopeId: organizationId })
  const below = team === null
    ? null
    : await gateway.budget({ ...team, organizationId, scopeType: 'team', scopeId: 'search', parentBudgetId: parent })
  if (spent !== '0') {
    const answer = await gateway.admin('POST', `/budgets/${below ?? parent}/usage`, { amount: spent })
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  }
  const { body } = await gateway.admin('POST', '/keys', { name: 'k', organizationId, teamId: 'search', rateLimits })
  return { key: String(body['key']), keyId: String(body['id']), identity: { organizationId, teamId: 'search' } }
}

/** for the rates of its key, and for its budget: what would help the one does not help with the other */
const TOO_LONG_AND_TOO_DEAR: Parameters<typeof build>[1] = {
  organization: { amount: '0.2', mode: 'enforced', paused: false, capToFit: false, filters: {}, alerts: [] },
  team: null,
  rateLimits: { tokensPerMinute: 2200 },
  spent: '0',
  call: { model: 'o3', max_tokens: null, messages: [] },
}

t.test('whatever budgets and policies there are, a call gets what its explanation says', async () => {
  const gateway = await anOrganization()
  let run = 0
  await fc.assert(fc.asyncProperty(world, async (made) => {
    const { key, keyId } = await build(gateway, made, run++)
    const { max_tokens: most, ...rest } = made.call
    const body = most === null ? rest : made.call
    const { status: asked, body: told } = await gateway.admin('POST', '/explain', { keyId, path: '/v1/chat/completions', body: JSON.stringify(body) })
    if (asked !== 200) throw new Error(JSON.stringify(told))
    gateway.logs.length = 0
    const { status, headers, json } = await gateway.chat(key, JSON.stringify(body))
    const error = json['error'] as Json | undefined
    const relaycore = (error?.['relaycore'] ?? {}) as Json
    const call = told['call'] as Json
    const got = {
      admitted: status === 200,
      status: status === 200 ? null : status,
      code: relaycore['code'] ?? null,
      remedy: relaycore['remedy'] ?? null,
      modelUsed: status === 200 ? headers.get('x-relaycore-model-used') ?? made.call.model : null,
      outputLimit: headers.get('x-relaycore-output-limit'),
      quote: headers.get('x-relaycore-quote'),
      shadow: gateway.logs.filter((line) => line.includes('in shadow mode')).map((line) => (JSON.parse(line) as Json)['verdict']),
    }
    const said = {
      admitted: told['admitted'],
      status: told['status'],
      code: told['code'],
      remedy: told['remedy'],
      modelUsed: call['modelUsed'],
      outputLimit: call['outputLimit'] === null ? null : String(call['outputLimit']),
      quote: call['quote'],
      shadow: (told['shadow'] as Json[]).map(({ verdict }) => verdict),
    }
    // of several budgets that refuse, a gateway names the first whose figures it has
    const refusing = (told['budgets'] as Json[]).filter(({ canProceed }) => canProceed === false)
    const named = (relaycore['budget'] as Json | null | undefined)?.['id']
    if (refusing.length > 1 && refusing.some(({ budgetId }) => budgetId === named)) {
      said.code = got.code
      told['message'] = ''
    }
    if (error !== undefined && !String(error['message']).startsWith(String(told['message']))) {
      throw new Error(`${String(error['message'])} is not as ${String(told['message'])}`)
    }
    if (JSON.stringify(said) !== JSON.stringify(got)) throw new Error(`${JSON.stringify(said)} is not ${JSON.stringify(got)}`)

    // what is said to help does: a shorter answer, or another model
    const advice = JSON.stringify(told['suggestedActions'])
    const [, tokens] = /Set max_tokens to (\d+) or less/.exec(advice) ?? []
    const [, model] = /Use the model ([^:]+):/.exec(advice) ?? []
    const changes = [
      ...tokens === undefined ? [] : [{ max_tokens: Number(tokens) }],
      ...model === undefined ? [] : [{ model }],
    ]
    const change = changes[run % changes.length]
    if (change !== undefined) {
      const again = await gateway.chat(key, JSON.stringify({ ...body, ...change }))
      if (again.status !== 200) throw new Error(`${JSON.stringify(change)} did not help: ${again.text}`)
    }
  }), { numRuns: 40, examples: [[TOO_LONG_AND_TOO_DEAR]] })
})

const TOKENS = { provider: 'openai', model: 'gpt-4o', inputTokens: 100, outputTokens: 50 }

t.test('an explanation shows budgets, candidates in their order, figures and the verdict', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const organization = await gateway.budget({
    amount: '0.002', capToFit: { minimumTokens: 10 }, alerts: [{ threshold: 50, actions: ['auto-downgrade'], downgrade: { 'gpt-4-turbo': 'gpt-4o' } }],
  })
  const team = await gateway.budget({ name: 'team', scopeType: 'team', scopeId: 'search', parentBudgetId: organization })
  await gateway.budget({ name: 'other', scopeType: 'team', scopeId: 'sales' })
  await gateway.admin('POST', `/budgets/${team}/usage`, { amount: '0.0015' })
  const identity = { organizationId, teamId: 'search' }

  const { body } = await gateway.admin('POST', '/explain', { ...TOKENS, identity, model: 'gpt-4-turbo' })

  t.match(body, {
    admitted: true,
    code: null,
    remedy: null,
    identity: { organizationId, teamId: 'search', userId: null, keyId: null },
    call: { provider: 'openai', model: 'gpt-4-turbo', modelUsed: 'gpt-4o', outputLimit: 25, quote: '0.0005', inputTokens: 100 },
    candidates: [
      { kind: 'as_asked', model: 'gpt-4-turbo', quote: null, outcome: 'replaced', reason: /from 50 % on/ },
      { kind: 'downgraded', model: 'gpt-4o', quote: '0.00075', outcome: 'refused', code: 'budget_exhausted' },
      { kind: 'capped', model: 'gpt-4o', quote: '0.0005', outputLimit: 25, outcome: 'admitted', code: null },
    ],
  })
  t.match(body['message'], /by gpt-4o instead of gpt-4-turbo, with its output limited to 25 tokens; 0.0005 USD .* on 2 budgets/)
  const budgets = body['budgets'] as Json[]
  t.same(new Set(budgets.map(({ budgetId }) => budgetId)), new Set([organization, team]))
  t.match(budgets.find(({ budgetId }) => budgetId === organization), {
    limit: '0.002', currentAmount: '0.0015', held: '0', remaining: '0.0005', estimatedCost: '0.0005', canProceed: true,
  })

  const refused = await gateway.admin('POST', '/explain', { ...TOKENS, identity, outputTokens: 9_000, inputTokens: 180 })
  t.match(refused.body, {
    admitted: false,
    status: 429,
    code: 'quote_exceeds_budget',
    retryable: false,
    decidingBudgetId: organization,
    remedy: /^Set max_tokens to 5 or less; or ask for a raise of budget "b"/,
  })
})

t.test('to explain a call changes nothing', async (t) => {
  const gateway = await aGateway(t)
  await gateway.budget({ capToFit: true, alerts: [{ threshold: 50, actions: ['restrict-models'], models: ['x'] }] })
  const counts = async () => await gateway.core.database.query({
    text: `select (select count(*) from budget_accounts) as accounts, (select count(*) from leases) as leases,
      (select count(*) from usage_events) as events, (select count(*) from audit_log) as audit,
      (select count(*) from long_holds) as holds`,
  })
  const before = await counts()
  for (const inputTokens of [10, 90_000_000]) {
    const { status, body } = await gateway.admin('POST', '/explain', { ...TOKENS, inputTokens, identity: { organizationId: 'acme' } })
    t.equal(status, 200)
    t.equal((body['budgets'] as Json[]).length, 1)
  }
  t.same(await counts(), before)
  t.equal(gateway.core.tracker.grants, 0)
  t.equal([...gateway.core.tracker.inUse()].length, 0)
})

t.test('what a key does not allow is explained as its calls are told', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  await gateway.budget()
  const { body: key } = await gateway.admin('POST', '/keys', {
    name: 'narrow', organizationId, allowedModels: ['gpt-4o-mini'], requireHeaders: ['user'],
  })
  const keyId = String(key['id'])
  const explained = async (fields: object) => (await gateway.admin('POST', '/explain', { ...TOKENS, keyId, ...fields })).body
  t.match(await explained({}), { admitted: false, code: 'header_required', status: 403, identity: null })
  const headers = { 'X-RelayCore-User': 'ann' }
  t.match(await explained({ headers }), { code: 'model_not_allowed', identity: { userId: 'ann', keyId }, budgets: [] })
  t.match(await explained({ headers, model: 'gpt-4o-mini' }), { admitted: true, status: null })
  await gateway.admin('DELETE', `/keys/${keyId}`)
  t.match(await explained({ headers }), { code: 'key_revoked', status: 401 })
})

t.test('a gateway key asks for itself, a manager for what he manages, and neither learns more than that', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const top = await gateway.budget({ name: 'secret-top', amount: '0.0004' })
  const team = await gateway.budget({ name: 'team', scopeType: 'team', scopeId: 'search', organizationId, parentBudgetId: top })
  const key = await gateway.key({ teamId: 'search' })
  const own = await gateway.admin('POST', '/explain', TOKENS, { authorization: `Bearer ${key}` })
  t.match(own.body, { admitted: false, code: 'quote_exceeds_budget', decidingBudgetId: top, identity: { teamId: 'search' } })
  t.match(await gateway.admin('POST', '/explain', { ...TOKENS, identity: { organizationId: 'other' } }, { authorization: `Bearer ${key}` }),
    { status: 400, body: { code: 'invalid_field', field: 'identity' } })

  const { body: token } = await gateway.admin('POST', '/tokens', {
    name: 'm', role: 'manager', reach: { organizationId, teamId: 'search' },
  })
  const asManager = { authorization: `Bearer ${String(token['token'])}` }
  const identity = { organizationId, teamId: 'search' }
  const seen = await gateway.admin('POST', '/explain', { ...TOKENS, identity }, asManager)
  t.match(seen, {
    status: 200,
    body: {
      admitted: false,
      code: 'quote_exceeds_budget',
      decidingBudgetId: null,
      message: 'A budget above, out of your reach, refuses it.',
      candidates: [{ reason: 'A budget above, out of your reach, refuses it.', budgetIds: [team] }],
    },
  })
  t.notMatch(JSON.stringify(seen.body), /secret|0\.0004/)
  t.notMatch(JSON.stringify(seen.body), new RegExp(top))
  for (const [field, wrong] of [
    ['identity/organizationId', { organizationId: 'other', teamId: 'search' }],
    ['identity/teamId', { organizationId, teamId: 'sales' }],
    ['identity/userId', { ...identity, userId: 'bob' }],
  ] as const) {
    t.match(await gateway.admin('POST', '/explain', { ...TOKENS, identity: wrong }, asManager), { status: 403, body: { field } })
  }
})

t.test('a question that cannot be one is refused by the field', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const identity = { organizationId }
  const call = { path: '/v1/chat/completions', body: { model: 'gpt-4o', messages: [] } }
  const wrong: [object, string][] = [
    [{ ...TOKENS }, 'identity'],
    [{ ...TOKENS, identity, keyId: 'x' }, 'identity'],
    [{ ...TOKENS, identity, headers: { 'x-relaycore-user': 'ann' } }, 'headers'],
    [{ identity }, 'provider'],
    [{ ...TOKENS, identity, provider: 'none' }, 'provider'],
    [{ ...TOKENS, identity, model: undefined }, 'model'],
    [{ ...TOKENS, identity, inputTokens: undefined }, 'inputTokens'],
    [{ ...call, identity, model: 'gpt-4o' }, 'model'],
    [{ ...call, identity, body: undefined }, 'body'],
    [{ ...call, identity, path: undefined }, 'path'],
    [{ ...call, identity, path: '/v1/videos' }, 'path'],
  ]
  for (const [question, field] of wrong) {
    t.match(await gateway.admin('POST', '/explain', question), { status: 400, body: { code: 'invalid_field', field } })
  }
  t.match(await gateway.admin('POST', '/explain', { ...TOKENS, keyId: '01912d68-783e-7a03-8467-5661c1243ad4' }), { status: 404 })
  t.match(await gateway.admin('POST', '/explain', { ...call, identity, body: '{"model": "gpt-4o"' }),
    { status: 200, body: { admitted: false, status: 400, code: 'invalid_request', call: null, budgets: [] } })
})
