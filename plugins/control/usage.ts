import { type Static } from 'typebox'
import { parseTime, TIME_EXPECTED } from '../../src/clock.ts'
import { invalidField, NotFound } from '../../src/errors.ts'
import { formatNano, parseSignedAmount, SIGNED_AMOUNT_EXPECTED } from '../../src/money/amount.ts'
import { isCurrency } from '../../src/money/currency.ts'
import { type UsageQuery, type UsageRecord } from '../../src/usage/history.ts'
import { type CacheCheck, type UsageDraft, type UsageMetadata } from '../../src/usage/recording.ts'
import { type Scope, type Tools } from './index.ts'
import { Id, Once, problems } from './schemas.ts'
import { largeSerializer } from './serialization.ts'
import {
  Message, NewUsage, NewUsageBatch, UsageBatchAnswer, UsageListQuery, UsageObject, UsagePageAnswer, UsageRecordAnswer,
} from './usage-schemas.ts'

const tags = ['usage']
/** a thousand records of which each says much */
const BATCH_BODY_LIMIT = 8 * 1024 * 1024
const METADATA_CHARACTERS = 8_192

export function usageRoutes (scope: Scope, tools: Tools): void {
  recordRoutes(scope, tools)
  historyRoutes(scope, tools)

  scope.post('/budgets/:id/refresh-cache', {
    config: { access: 'change' },
    schema: {
      summary: 'Compare the status cache of a budget with its records, and heal it',
      description: 'Changes the cache alone: neither records nor accounts.',
      params: Id,
      headers: Once,
      response: { 200: Message, ...problems(404) },
      tags,
    },
  }, async (request, reply) => {
    const { id } = await tools.guard.budget(request, request.params.id)
    return await tools.mutate(request, reply, async ({ usage }) =>
      ({ status: 200, body: { message: said(await usage.refreshCache(id)) } }))
  })
}

function recordRoutes (scope: Scope, { collector, guard, mutate }: Tools): void {
  scope.post('/budgets/:id/usage', {
    config: { access: 'change' },
    schema: {
      summary: 'Record usage of a call made elsewhere, or take some back',
      description: 'It is charged to the budget and to all above it, each in its own currency by the rate in force at that ' +
        'time, whatever state they are in, and never refused for lack of money. With `reverses` it takes back what is named.',
      params: Id,
      headers: Once,
      body: NewUsage,
      response: { 201: UsageObject, ...problems(404, 409, 413, 422) },
      tags,
    },
  }, async (request, reply) => {
    const { id } = await guard.budget(request, request.params.id)
    const draft = draftOf(request.body, id, '')
    return await mutate(request, reply, async ({ usage }) => {
      const { records: [record], known } = await collector.record(usage, [draft], () => '')
      if (record === undefined) throw new Error('what was recorded is not in the ledger')
      return { status: 201, headers: { location: `/api/v1/usage/${record.id}`, ...again(known) }, body: renderUsage(record) }
    })
  })

  scope.post('/usage/batch', {
    config: { access: 'change' },
    bodyLimit: BATCH_BODY_LIMIT,
    schema: {
      summary: 'Record up to 1,000 usages: all of them or none',
      description: 'Each as by `POST /budgets/:id/usage`. An error names the record, e.g. `records/17/amount`.',
      headers: Once,
      body: NewUsageBatch,
      response: { 201: UsageBatchAnswer, ...problems(404, 409, 413, 422) },
      errors: ['not_found'],
      tags,
    },
    serializerCompiler: largeSerializer,
  }, async (request, reply) => {
    const { records } = request.body
    const budgets = await guard.budgets(request, [...new Set(records.map(({ budgetId }) => budgetId))])
    const drafts = records.map((one, i) => {
      const budget = budgets.get(one.budgetId)
      if (budget === undefined) throw Object.assign(new NotFound(`There is no budget ${one.budgetId}`), { field: `records/${i}/budgetId` })
      return draftOf(one, budget.id, `records/${i}/`)
    })
    return await mutate(request, reply, async ({ usage }) => {
      const collected = await collector.record(usage, drafts, (i) => `records/${i}/`)
      const body = { usage: collected.records.map(renderUsage), count: drafts.length }
      return { status: 201, headers: again(collected.known), body }
    })
  })
}

/** as an Idempotency-Key has it: nothing happened this time */
function again (known: boolean): Record<string, string> { return known ? { 'idempotency-replayed': 'true' } : {} }

function historyRoutes (scope: Scope, { guard, usage }: Tools): void {
  scope.get('/budgets/:id/usage', {
    config: { access: 'see' },
    schema: {
      summary: 'Read the usage history of a budget',
      params: Id,
      querystring: UsageListQuery,
      response: { 200: UsagePageAnswer, ...problems(404) },
      tags,
    },
  }, async (request) => {
    const budget = await guard.budget(request, request.params.id)
    const { from, to, subject: asked, ...query } = request.query
    const subject = guard.subject(request, budget, asked)
    const page = await usage.page(budget.id, { ...query, ...subject ? { subject } : {}, ...timeOf('from', from), ...timeOf('to', to) } as UsageQuery)
    const { records, nextCursor } = page
    return { usage: records.map(renderUsage), count: records.length, limit: query.limit, nextCursor }
  })

  scope.get('/usage/:id', {
    config: { access: 'see' },
    schema: {
      summary: 'Read a usage record',
      params: Id,
      response: { 200: UsageRecordAnswer, ...problems(404) },
      tags,
    },
  }, async (request) => {
    const { id } = request.params
    const all = await usage.get(id)
    const seen = await guard.budgets(request, all.map(({ budgetId }) => budgetId))
    const charges = all.filter(({ budgetId }) => seen.has(budgetId))
    const [record] = charges
    if (record === undefined) throw new NotFound(`There is no usage ${id}`)
    return {
      ...renderUsage(record),
      charges: charges.map(({ budgetId, amountNano, currency, rate }) =>
        ({ budgetId, amount: formatNano(amountNano), currency, rate })),
    }
  })
}

function timeOf (field: string, value: string | null | undefined): Record<string, number> {
  if (value === undefined || value === null) return {}
  const at = parseTime(value)
  if (at === null) throw invalidField(field, TIME_EXPECTED, value)
  return { [field]: at }
}

/** what the schema cannot say: amounts, times and currencies; `path` begins the names of fields in errors */
function draftOf (body: Static<typeof NewUsage>, budgetId: string, path: string): UsageDraft {
  const amountNano = parseSignedAmount(body.amount)
  if (amountNano === null) throw invalidField(`${path}amount`, SIGNED_AMOUNT_EXPECTED, body.amount)
  const currency = body.currency ?? null
  if (currency !== null && !isCurrency(currency)) {
    throw invalidField(`${path}currency`, 'an ISO 4217 code in capital letters, e.g. "USD"', currency)
  }
  return {
    budgetId,
    callerId: body.id ?? null,
    amountNano,
    currency,
    timestamp: body.timestamp == null ? null : timeOf(`${path}timestamp`, body.timestamp)[`${path}timestamp`] ?? null,
    source: body.source ?? 'manual',
    description: body.description ?? null,
    metadata: metadataOf(body.metadata ?? {}, `${path}metadata`),
    reverses: body.reverses?.toLowerCase() ?? null,
  }
}

function metadataOf (said: Exclude<Static<typeof NewUsage>['metadata'], null | undefined>, path: string): UsageMetadata {
  const {
    requestId = null, provider = null, modelId = null, teamId = null, projectId = null, userId = null, tags = null,
    ...more
  } = said
  if (JSON.stringify(said).length > METADATA_CHARACTERS) {
    throw invalidField(path, `at most ${METADATA_CHARACTERS} characters of JSON`, said)
  }
  return { requestId, provider, modelId, teamId, projectId, userId, tags, more }
}

function renderUsage (record: UsageRecord) {
  const time = (at: number) => new Date(at).toISOString()
  const openedAt = time(record.openedAt)
  const { id, budgetId, currency, rate, source, certainty, callerId, reverses, description, original } = record
  const { requestId, userId, teamId, projectId, tags, outcome } = record
  return {
    id,
    budgetId,
    amount: formatNano(record.amountNano),
    currency,
    timestamp: openedAt,
    source,
    description,
    certainty,
    quote: formatNano(record.quoteNano),
    rate,
    original: { amount: formatNano(original.amountNano), currency: original.currency },
    callerId,
    reverses,
    openedAt,
    endedAt: record.endedAt === record.openedAt ? openedAt : time(record.endedAt),
    recordedAt: time(record.recordedAt),
    consumed: record.consumed,
    metadata: {
      ...record.more,
      requestId,
      provider: named(record.provider),
      modelId: named(record.model),
      userId,
      teamId,
      projectId,
      tags,
      outcome,
    },
  }
}

/** the ledger has a word where nothing was said */
function named (name: string): string | null { return name === 'none' ? null : name }

function said ({ accounts, healed, accountsDiffering }: CacheCheck): string {
  const of = `${accounts} ${accounts === 1 ? 'account' : 'accounts'}`
  const cache = healed === 0
    ? `The cache agrees with the records of ${of}.`
    : `The cache differed from the records of ${healed} of ${of}, and was healed.`
  return accountsDiffering === 0
    ? cache
    : `${cache} ${accountsDiffering} of them say something else than their records themselves: that is no matter of the cache; ` +
      'keep the database as it is and look into it.'
}
