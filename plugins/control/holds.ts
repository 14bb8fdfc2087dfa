import { type FastifyRequest } from 'fastify'
import { type Static } from 'typebox'
import { type AuditTrail, holdChange } from '../../src/access/audit.ts'
import { parseTime } from '../../src/clock.ts'
import { type HoldRefusalCode, type HoldRefusalDetails, holdRefusal, invalidField, NotFound } from '../../src/errors.ts'
import { type HoldStore } from '../../src/holds/hold-store.ts'
import { type Holder, type LongHold } from '../../src/holds/hold.ts'
import { holderFor, noHold, requireEnding, sees } from '../../src/holds/holder.ts'
import { renderHold } from '../../src/holds/render.ts'
import { type Ending, type NewHold as HoldToOpen } from '../../src/holds/long-holds.ts'
import { type Asked } from '../../src/holds/placing.ts'
import { isForEach } from '../../src/budget/subject.ts'
import { AMOUNT_EXPECTED, parseAmount } from '../../src/money/amount.ts'
import { isCurrency } from '../../src/money/currency.ts'
import { type Usage } from '../../src/usage/usage.ts'
import {
  Extend, HoldAnswer, HoldListQuery, HoldPageAnswer, type Identity, LONGEST_SECONDS, NewHold, Settle, USUAL_SECONDS,
} from './hold-schemas.ts'
import { type Scope, type Tools } from './index.ts'
import { type Outcome } from './mutation.ts'
import { Id, Once, problems } from './schemas.ts'

const tags = ['holds']

export function holdRoutes (scope: Scope, tools: Tools): void {
  openRoute(scope, tools)
  endRoutes(scope, tools)
  readRoutes(scope, tools)
}

function openRoute (scope: Scope, { guard, longHolds, mutate }: Tools): void {
  scope.post('/holds', {
    config: { access: 'hold' },
    schema: {
      summary: 'Set an amount aside',
      description: 'On every budget that applies, or on none. It stays until it is settled or released; after its deadline it is ' +
        'charged at its amount, and a later settle or release corrects that.',
      headers: Once,
      body: NewHold,
      response: { 201: HoldAnswer, ...problems(404, 409, 413, 422, 429) },
      errors: [
        'conflict', 'no_budget', 'quote_exceeds_budget', 'budget_exhausted', 'approval_required', 'budget_held', 'budget_in_doubt',
        'budget_paused',
        'budget_contention',
      ],
      tags,
    },
  }, async (request, reply) => {
    const { body } = request
    const order: HoldToOpen = {
      holder: await holderOf(request, body, guard),
      budgetId: body.budgetId?.toLowerCase() ?? null,
      asked: askedOf(body),
      provider: body.provider?.trim() ?? null,
      model: body.model?.trim() ?? null,
      limits: request.actor.identity?.limits,
      source: body.source ?? 'manual',
      externalId: body.externalId?.trim() ?? null,
      description: body.description ?? null,
      metadata: body.metadata ?? null,
      createdBy: request.actor.name,
      deadline: deadlineOf(body),
    }
    return await longHolds.trying(() => mutate(request, reply, async ({ holds, audit }) => {
      const hold = await longHolds.open(holds, order)
      audit.note(holdChange('opened', null, hold))
      return { ...answer(hold), status: 201, headers: { location: `/api/v1/holds/${hold.id}` } }
    })).catch(async (error: unknown) => { throw await told(request, guard, error) })
  })
}

function endRoutes (scope: Scope, { holds: reader, longHolds, mutate }: Tools): void {
  const seen = async ({ actor }: FastifyRequest, id: string): Promise<void> => {
    const hold = await reader.get(id)
    if (hold === null || !sees(actor, hold)) throw noHold(id)
    requireEnding(actor, hold)
  }
  const schema = { params: Id, headers: Once, response: { 200: HoldAnswer, ...problems(404, 409, 413, 422) }, tags }

  scope.post('/holds/:id/settle', {
    config: { access: 'hold' },
    schema: {
      ...schema,
      summary: 'Settle a hold at what it cost',
      description: 'The cost replaces what is held on all of its budgets, in full also where it is more. The same again changes ' +
        'nothing. After the deadline it corrects what was charged then, by a linked event.',
      body: Settle,
      errors: ['hold_settled', 'unprocessable'],
    },
  }, async (request, reply) => {
    const { id } = request.params
    await seen(request, id)
    const ending = endingOf(request.body)
    return await mutate(request, reply, ({ holds, audit }) =>
      noted('settled', audit, holds, id, () => longHolds.end(holds, id, ending)))
  })

  scope.post('/holds/:id/release', {
    config: { access: 'hold' },
    schema: {
      ...schema,
      summary: 'Release a hold: nothing was spent',
      description: 'The same again changes nothing. After the deadline it takes back what was charged then, by a linked event.',
      errors: ['hold_settled'],
    },
  }, async (request, reply) => {
    const { id } = request.params
    await seen(request, id)
    return await mutate(request, reply, ({ holds, audit }) =>
      noted('released', audit, holds, id, () => longHolds.end(holds, id, RELEASED)))
  })

  scope.post('/holds/:id/extend', {
    config: { access: 'hold' },
    schema: {
      ...schema,
      summary: 'Give a hold another deadline',
      description: 'Counted from now; sooner or later than before. Only while it is open.',
      body: Extend,
      errors: ['hold_settled', 'conflict'],
    },
  }, async (request, reply) => {
    const { id } = request.params
    await seen(request, id)
    const expiresAt = deadlineOf(request.body)(Date.now())
    return await mutate(request, reply, ({ holds, audit }) =>
      noted('extended', audit, holds, id, () => longHolds.extend(holds, id, expiresAt)))
  })
}

function readRoutes (scope: Scope, { guard, holds }: Tools): void {
  scope.get('/holds', {
    config: { access: 'check' },
    schema: { summary: 'List holds', querystring: HoldListQuery, response: { 200: HoldPageAnswer, ...problems() }, tags },
  }, async (request) => {
    const { limit } = request.query
    const { identity } = request.actor
    const whose = identity === undefined ? { reach: guard.reach(request) } : { reach: null, keyId: identity.keyId }
    const { holds: found, nextCursor } = await holds.page({ ...request.query, ...whose })
    return { holds: found.map(renderHold), count: found.length, limit, nextCursor }
  })

  scope.get('/holds/:id', {
    config: { access: 'check' },
    schema: { summary: 'Read a hold', params: Id, response: { 200: HoldAnswer, ...problems(404) }, tags },
  }, async (request) => {
    const { id } = request.params
    const hold = await holds.get(id)
    if (hold === null || !sees(request.actor, hold)) throw noHold(id)
    return renderHold(hold)
  })
}

type NewHoldBody = Static<typeof NewHold>
type SettleBody = Static<typeof Settle>

/** the identity that the body gives, that of the budget that it names, or a client's own */
async function holderOf (request: FastifyRequest, { identity, budgetId }: NewHoldBody, guard: Tools['guard']): Promise<Holder> {
  const named = budgetId === undefined ? null : await guard.budget(request, budgetId.toLowerCase())
  if (identity !== undefined && named !== null) {
    if (!isForEach(named)) throw invalidField('identity', 'absent where budgetId is given', identity)
    if (identity.organizationId.trim() !== named.organizationId) {
      throw invalidField('identity/organizationId', 'that of the budget', identity.organizationId)
    }
  }
  const holder = holderFor(request.actor, identity === undefined ? null : holderAsked(identity), named)
  if (holder === null) throw invalidField('identity', 'given, or budgetId', undefined)
  return holder
}

function holderAsked (asked: Static<typeof Identity>): Holder {
  const { organizationId, teamId, projectId, userId, sessionId, endUserId, tags: given } = asked
  return {
    organizationId: organizationId.trim(),
    teamId: teamId?.trim() ?? null,
    projectId: projectId?.trim() ?? null,
    userId: userId?.trim() ?? null,
    tags: given ?? null,
    keyId: null,
    ...sessionId === undefined ? {} : { sessionId: sessionId.trim() },
    ...endUserId === undefined ? {} : { endUserId: endUserId.trim() },
  }
}

/** of a budget that is out of the asker's reach a refusal tells nothing; a client knows of all that apply to it */
async function told (request: FastifyRequest, guard: Tools['guard'], error: unknown): Promise<unknown> {
  const { budgetId, code } = error as Partial<HoldRefusalDetails> & { code?: string }
  if (budgetId === undefined || code === undefined || request.actor.identity !== undefined) return error
  try {
    await guard.budget(request, budgetId)
    return error
  } catch (unseen) {
    if (!(unseen instanceof NotFound)) throw unseen
    // @fastify/error writes codes in capital letters
    return holdRefusal(code.toLowerCase() as HoldRefusalCode, 'A budget above what you manage does not allow it.', { remedy: 'Ask who manages it.' })
  }
}

function askedOf (body: NewHoldBody): Asked {
  const { amount, currency, inputTokens, outputTokens, tier } = body
  if (amount !== undefined) {
    const priced = Object.entries({ inputTokens, outputTokens, tier }).find(([, value]) => value !== undefined)
    if (priced !== undefined) throw invalidField(priced[0], 'absent where an amount is given', priced[1])
    const asked = { amountNano: amountOf(amount), currency: currencyOf(currency) ?? 'USD' }
    if (asked.amountNano === 0n) throw invalidField('amount', `more than 0, ${AMOUNT_EXPECTED}`, amount)
    return asked
  }
  if (body.provider === undefined && body.model === undefined) {
    throw invalidField('amount', 'given, or a provider and model with token counts', undefined)
  }
  if (currency !== undefined) throw invalidField('currency', 'absent where tokens are priced: prices are in USD', currency)
  return { inputTokens: inputTokens ?? null, outputTokens: outputTokens ?? null, tier: tier?.trim() ?? null }
}

function amountOf (amount: string | number): bigint {
  const amountNano = parseAmount(amount)
  if (amountNano === null) throw invalidField('amount', AMOUNT_EXPECTED, amount)
  return amountNano
}

function currencyOf (currency: string | undefined): string | null {
  if (currency === undefined || isCurrency(currency)) return currency ?? null
  throw invalidField('currency', 'an ISO 4217 code in capital letters, e.g. "USD"', currency)
}

function deadlineOf ({ ttlSeconds, expiresAt }: Static<typeof Extend>): (from: number) => number {
  if (expiresAt === undefined) return (from) => from + (ttlSeconds ?? USUAL_SECONDS) * 1_000
  if (ttlSeconds !== undefined) throw invalidField('ttlSeconds', 'absent where expiresAt is given', ttlSeconds)
  const at = parseTime(expiresAt)
  if (at !== null && at > Date.now() && at <= Date.now() + LONGEST_SECONDS * 1_000) return () => at
  throw invalidField('expiresAt', 'a time in the future, at most 31 days ahead, like "2026-12-01T00:00:00Z"', expiresAt)
}

const RELEASED: Ending = { outcome: 'released', spent: null, usage: null, modelUsed: null, requestId: null }

function endingOf (body: SettleBody): Ending {
  const { amount, modelUsed, requestId } = body
  const usage = usageOf(body)
  if (amount === undefined && body.currency !== undefined) throw invalidField('amount', 'given with its currency', undefined)
  if (amount === undefined && usage === null) throw invalidField('amount', 'given, or what was used, to be priced', undefined)
  return {
    outcome: 'settled',
    spent: amount === undefined ? null : { amountNano: amountOf(amount), currency: currencyOf(body.currency) },
    usage,
    modelUsed: modelUsed?.trim() ?? null,
    requestId: requestId?.trim() ?? null,
  }
}

const COUNTS = [
  'inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'reasoningTokens', 'webSearches',
] as const

/** null: the body says nothing of it */
function usageOf (body: SettleBody): Usage | null {
  if (['tier', 'units', ...COUNTS].every((name) => body[name as keyof SettleBody] === undefined)) return null
  return {
    inputTokens: body.inputTokens ?? 0,
    cacheReadTokens: body.cacheReadTokens ?? 0,
    cacheWrite5mTokens: body.cacheWrite5mTokens ?? 0,
    cacheWrite1hTokens: body.cacheWrite1hTokens ?? 0,
    outputTokens: body.outputTokens ?? 0,
    reasoningTokens: body.reasoningTokens ?? 0,
    webSearches: body.webSearches ?? 0,
    tier: body.tier?.trim() ?? null,
    ...body.units === undefined ? {} : { units: body.units },
  }
}

/** the same end again changes nothing, and is not noted */
async function noted (
  what: string, audit: AuditTrail, holds: HoldStore, id: string, change: () => Promise<LongHold>
): Promise<Outcome> {
  const before = await holds.lock(id)
  const after = await change()
  if (before?.state !== after.state || before.expiresAt !== after.expiresAt) {
    audit.note(holdChange(what, before === null ? null : renderHold(before), after))
  }
  return answer(after)
}

function answer (hold: LongHold): Outcome { return { status: 200, body: renderHold(hold) } }
