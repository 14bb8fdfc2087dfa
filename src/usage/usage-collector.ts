import { hash } from 'node:crypto'
import { type AccountSpec } from '../account/authority.ts'
import { accountSpec } from '../budget/account-spec.ts'
import { type Budget, type Identity } from '../budget/budget.ts'
import { periodAt, type PeriodBounds } from '../budget/period.ts'
import { isForEach, MAX_SUBJECT, missingSubject, subjectIn } from '../budget/subject.ts'
import { type Now } from '../clock.ts'
import { Conflict, NotFound, Unprocessable, invalidField } from '../errors.ts'
import { newCallId } from '../gateway/call-id.ts'
import { quoted, quotedOrNull } from '../json-text.ts'
import { convertNano, formatNano, MAX_AMOUNT_NANO, toUsdNano } from '../money/amount.ts'
import { isPlain } from '../text.ts'
import { type UsageRecord } from './history.ts'
import {
  type NewReversal, type NewUsage, type RecordProblem, type UsageDraft, type UsageRecording,
} from './recording.ts'

/**
 * UsageCollector: brings usage in that no gateway metered, beside the ledger writer: calls made elsewhere, and
 * reversals. A record names its budget, so filters and scope do not matter; it is charged to that budget and to all
 * above it, each in the period of its own calendar that holds the record's time and in its own currency, at the rate
 * in force then. It is never refused for lack of money, nor for what state the budget is in: only where the budget has
 * no period at that time.
 */
export interface CollectorOptions {
  now: Now
}

export interface Collected {
  /** in the order of the drafts, as they cost the budgets that they name */
  records: UsageRecord[]
  /** true: all were there already, by their callers' ids */
  known: boolean
}

/** names the i-th record of a batch: what the name of a field of it begins with */
type Path = (i: number) => string

/** clocks of recorders may be ahead by so much */
const AHEAD_MS = 300_000
/** ids of later times are none of the ledger */
const LAST_TIME = Date.UTC(3000, 0)

export class UsageCollector {
  readonly #now: Now

  constructor ({ now }: CollectorOptions) { this.#now = now }

  /**
   * All of the drafts or none. NotFound, Unprocessable, Conflict or InvalidField, each
   * with the field.
   */
  async record (ledger: UsageRecording, drafts: readonly UsageDraft[], path: Path): Promise<Collected> {
    const now = this.#now()
    this.#check(drafts, path, now)
    const lines = new Lines(await ledger.lines([...new Set(drafts.map(({ budgetId }) => budgetId))]))
    const ids = new Set<string>()
    const usage: Prepared[] = []
    const reversals: NewReversal[] = []
    drafts.forEach((draft, ordinal) => {
      const { callerId } = draft
      const budget = lines.budget(draft.budgetId)
      if (budget === undefined) throw at(path(ordinal), 'budgetId', new NotFound(`There is no budget ${draft.budgetId}`))
      const organizationId = budget.organizationId ?? ''
      const contentHash = callerId === null ? NO_HASH : hashOf(draft, budget)
      if (callerId !== null) {
        const id = JSON.stringify([organizationId, draft.source, callerId])
        if (ids.has(id)) throw invalidField(`${path(ordinal)}id`, 'different from those of the other records', callerId)
        ids.add(id)
      }
      const currency = draft.currency ?? budget.currency
      if (draft.reverses !== null) {
        const time = timeOf(draft.reverses)
        if (time > LAST_TIME) throw problemOf({ ordinal, problem: 'unknown' }, drafts, path)
        const id = newCallId(time)
        const placed = { ordinal, id, callerId, contentHash, organizationId, draft }
        reversals.push({ ...placed, reverses: draft.reverses, currency, backNano: -draft.amountNano })
        return
      }
      const time = draft.timestamp ?? now
      usage.push({
        ordinal,
        id: newCallId(time),
        callerId,
        contentHash,
        organizationId,
        draft,
        at: time,
        currency,
        rate: null,
        costNano: 0n,
        budgetCurrency: budget.currency,
        charges: [],
        periods: lines.periods(budget, draft, time, path, ordinal),
      })
    })
    await charge(ledger, usage, path)
    const outcome = await ledger.record(usage, reversals)
    if ('problem' in outcome) throw problemOf(outcome, drafts, path)
    return { records: outcome.records, known: outcome.known.size === drafts.length }
  }

  #check (drafts: readonly UsageDraft[], path: Path, now: number): void {
    const reversed = new Set<string>()
    drafts.forEach(({ amountNano, reverses, timestamp, metadata }, i) => {
      const wrong = (field: string, expected: string, got: unknown) => invalidField(`${path(i)}${field}`, expected, got)
      if (reverses === null && amountNano < 0n) {
        throw wrong('amount', '0 or more; to take something back, name in reverses what it is taken from', formatNano(amountNano))
      }
      if (reverses !== null && amountNano >= 0n) throw wrong('amount', 'negative where it reverses a record', formatNano(amountNano))
      if (reverses !== null && timestamp !== null) {
        throw wrong('timestamp', 'absent: a reversal counts when that counts which it reverses', new Date(timestamp).toISOString())
      }
      if (timestamp !== null && timestamp > now + AHEAD_MS) {
        throw wrong('timestamp', 'not in the future', new Date(timestamp).toISOString())
      }
      if (reverses !== null) {
        const of = OF_WHOM.find((name) => metadata[name] !== null)
        if (of !== undefined) throw wrong(`metadata/${of}`, 'absent: it is that of the record that is reversed', metadata[of])
        if (reversed.has(reverses)) throw wrong('reverses', 'another record than the others reverse', reverses)
        reversed.add(reverses)
      }
    })
  }
}

const OF_WHOM = ['provider', 'modelId', 'teamId', 'projectId', 'userId', 'tags'] as const

/** What a budget and those above it are charged in; the same list for all that is charged alike. */
type Periods = readonly { budget: Budget, subject: string, period: PeriodBounds }[]

interface Prepared extends NewUsage {
  periods: Periods
}

/** Budgets with those above them, and when their periods are; remembers, since times of a batch are near each other. */
class Lines {
  readonly #budgets: Map<string, Budget>
  readonly #calendars = new Map<string, Calendar>()
  /** by budget: what was found last, where it is the same for all times in between */
  readonly #found = new Map<string, { from: number, until: number, periods: Periods }>()

  constructor (budgets: Map<string, Budget>) { this.#budgets = budgets }

  budget (id: string): Budget | undefined { return this.#budgets.get(id) }

  /** of the budget itself and of those above it that counted then; of whom, where they are for each of many */
  periods (budget: Budget, draft: UsageDraft, time: number, path: Path, ordinal: number): Periods {
    const found = this.#found.get(budget.id)
    if (found !== undefined && time >= found.from && time < found.until) return found.periods
    const own = this.#calendar(budget).at(time)
    if (own === null) throw at(path(ordinal), 'timestamp', new Unprocessable(noPeriod(budget, time)))
    const identity = identityOf(draft, budget)
    const subject = isForEach(budget) ? subjectIn(budget, identity) : ''
    if (subject === null) throw missingSubject(budget, `${path(ordinal)}metadata/`)
    const periods = [{ budget, subject, period: own }]
    // of one of many, and near the end of a budget, it depends on more than the period
    let lasting = !isForEach(budget)
    for (let above = this.#above(budget); above !== undefined; above = this.#above(above)) {
      const period = above.archivedAt === null || time < above.archivedAt ? this.#calendar(above).at(time) : null
      const whose = isForEach(above) ? subjectIn(above, identity) : ''
      if (period !== null && whose !== null) periods.push({ budget: above, subject: whose, period })
      lasting &&= period !== null && !isForEach(above) && above.archivedAt === null
    }
    if (lasting) {
      const from = Math.max(...periods.map(({ period }) => period.start))
      const until = Math.min(...periods.flatMap((one) => [one.period.end ?? Infinity, one.budget.endDate ?? Infinity]))
      this.#found.set(budget.id, { from, until, periods })
    }
    return periods
  }

  #above ({ parentBudgetId }: Budget): Budget | undefined {
    return parentBudgetId === null ? undefined : this.#budgets.get(parentBudgetId)
  }

  #calendar (budget: Budget): Calendar {
    let calendar = this.#calendars.get(budget.id)
    if (calendar === undefined) this.#calendars.set(budget.id, calendar = new Calendar(budget))
    return calendar
  }
}

/**
 * The periods of a budget for usage that names it: other than for calls, what was before its first day counts too, in
 * the period of its calendar, so that history can be brought in. Nothing counts from its end on.
 */
class Calendar {
  readonly #budget: Budget
  readonly #found: PeriodBounds[] = []
  readonly #only: PeriodBounds | null

  constructor (budget: Budget) {
    const custom = budget.period === 'custom'
    this.#budget = custom ? budget : { ...budget, startDate: 0, recurring: true }
    this.#only = custom || budget.recurring ? null : this.#periodAt(budget.startDate)
  }

  at (time: number): PeriodBounds | null {
    const { endDate, period } = this.#budget
    if (period !== 'custom' && endDate !== null && time >= endDate) return null
    if (this.#only !== null) return holds(this.#only, time) ? this.#only : null
    return this.#found.find((one) => holds(one, time)) ?? this.#periodAt(time)
  }

  #periodAt (time: number): PeriodBounds | null {
    const period = periodAt(this.#budget, time)
    if (period !== null) this.#found.unshift(period)
    return period
  }
}

function holds ({ start, end }: PeriodBounds, time: number): boolean {
  return time >= start && (end === null || time < end)
}

function noPeriod (budget: Budget, time: number): string {
  const day = (ms: number) => new Date(ms).toISOString()
  const { startDate, endDate, recurring, period } = budget
  const begins = period === 'custom' ? `from ${day(startDate)}` : recurring ? '' : `in the period that holds ${day(startDate)}`
  const ends = endDate === null || (period === 'custom' && recurring) ? '' : `until ${day(endDate)}`
  return `Budget ${budget.id} has no period at ${day(time)}: it counts ${[begins, ends].filter(Boolean).join(' ')}. ` +
    'Give the time at which it was used'
}

/** what all of it costs, and whom */
async function charge (ledger: UsageRecording, usage: readonly Prepared[], path: Path): Promise<void> {
  const accounts = await openAccounts(ledger, new Set(usage.map(({ periods }) => periods)))
  const rates = await ratesFor(ledger, usage)
  for (const one of usage) {
    const { at: time, currency, ordinal, periods, draft: { amountNano } } = one
    const own = rates(currency, time)
    // an amount that stays in its currency needs no rate but for its cost in USD, which charges nothing
    const converts = periods.some(({ budget }) => budget.currency !== currency)
    const rateIn = (name: string) => {
      const { rate } = rates(name, time)
      if (rate !== null || name === 'USD') return rate
      throw noRate(name, one, path(ordinal))
    }
    const rate = one.rate = (converts ? null : own.rate ?? own.first) ?? rateIn(currency)
    const costNano = one.costNano = bounded(rate === null ? amountNano : toUsdNano(amountNano, rate), path, ordinal)
    const ids = accounts.get(periods) ?? []
    one.charges = periods.map(({ budget }, i) => {
      const same = budget.currency === currency
      const accountRate = same ? rate : rateIn(budget.currency)
      return {
        accountId: ids[i] as number,
        // the same money is not exchanged there and back
        amountNano: same ? amountNano : bounded(convertNano(costNano, accountRate), path, ordinal),
        rate: accountRate,
      }
    })
  }
}

/** Of a budget above that needs the rate its currency alone is told: it may be out of the reach of who records. */
function noRate (name: string, { at: time, currency, budgetCurrency }: Prepared, path: string): Error {
  const missing = `which has no exchange rate at ${new Date(time).toISOString()}: add one with POST /api/v1/exchange-rates`
  if (name !== currency) return at(path, 'budgetId', new Unprocessable(`A budget above this one is in ${name}, ${missing}`))
  if (name === budgetCurrency) {
    return at(path, 'budgetId', new Unprocessable(`The budget is in ${name}, other than one above it, ${missing}`))
  }
  return at(path, 'currency', new Unprocessable(`currency is ${name}, ${missing}, or record it in ${budgetCurrency}, as the budget is`))
}

function bounded (nano: bigint, path: Path, ordinal: number): bigint {
  if (nano <= MAX_AMOUNT_NANO) return nano
  throw at(path(ordinal), 'amount', new Unprocessable('amount is more than 9,000,000,000 in the currency of a budget that it is charged to'))
}

/** ids of the accounts of each list, in its order */
async function openAccounts (ledger: UsageRecording, lists: ReadonlySet<Periods>): Promise<Map<Periods, number[]>> {
  const places = new Map<string, number>()
  const specs: AccountSpec[] = []
  const placeOf = new Map([...lists].map((list) => [list, list.map(({ budget, subject, period }) => {
    const key = `${budget.id} ${period.start} ${subject}`
    let place = places.get(key)
    if (place === undefined) {
      places.set(key, place = specs.length)
      specs.push(accountSpec(budget, subject, period))
    }
    return place
  })]))
  const ids = await ledger.accounts(specs)
  return new Map([...placeOf].map(([list, of]) => [list, of.map((place) => {
    const id = ids[place]
    if (id === undefined) throw new Error(`the ledger has no account for budget ${specs[place]?.budgetId}`)
    return id
  })]))
}

/** whom it was for, as its metadata say; what is no name is none */
function identityOf ({ metadata }: UsageDraft, { organizationId }: Budget): Identity {
  const { teamId, projectId, userId, tags, more } = metadata
  const name = (value: unknown): string | null => {
    const text = typeof value === 'string' ? value.trim() : ''
    return text !== '' && text.length <= MAX_SUBJECT && isPlain(text) ? text : null
  }
  const endUserId = name(more['endUserId'])
  return {
    organizationId: organizationId ?? '',
    teamId: name(teamId),
    projectId: name(projectId),
    userId: name(userId),
    keyId: name(more['keyId']) ?? '',
    sessionId: name(more['sessionId']),
    tags,
    ...endUserId === null ? {} : { endUserId },
  }
}

/** `first`: where none was in force yet, the first there is */
async function ratesFor (ledger: UsageRecording, usage: readonly Prepared[]) {
  const asked = new Map<string, { currency: string, at: number }>()
  const ask = (currency: string, time: number) => {
    if (currency !== 'USD') asked.set(`${currency} ${time}`, { currency, at: time })
  }
  for (const { currency, at: time, periods } of usage) {
    ask(currency, time)
    for (const { budget } of periods) ask(budget.currency, time)
  }
  const keys = [...asked.keys()]
  const found = asked.size === 0 ? [] : await ledger.rates([...asked.values()])
  const byKey = new Map(keys.map((key, i) => [key, found[i]]))
  return (currency: string, time: number) => currency === 'USD' ? NO_RATE : byKey.get(`${currency} ${time}`) ?? NO_RATE
}

const NO_RATE = { rate: null, first: null }

/** without an id of its caller's nothing is compared */
const NO_HASH = Buffer.alloc(0)

/** What was said, by which two records are the same: a time that was not given is not part of it. */
export function hashOf (draft: UsageDraft, budget: Pick<Budget, 'currency'>): Buffer {
  return hash('sha256', saidBy(draft, budget.currency), 'buffer')
}

/** All names with their values, in order, as nested lists; piece by piece, since each record of a batch has one. */
function saidBy (draft: UsageDraft, budgetCurrency: string): string {
  const { amountNano, budgetId, currency, description, metadata, reverses, source, timestamp } = draft
  const { modelId, more, projectId, provider, requestId, tags, teamId, userId } = metadata
  const nested = (value: object | null) => JSON.stringify(sorted(value))
  return `[["amountNano","${amountNano}"],["budgetId",${quoted(budgetId)}],["currency",${quoted(currency ?? budgetCurrency)}],` +
    `["description",${quotedOrNull(description)}],["metadata",[["modelId",${quotedOrNull(modelId)}],["more",${nested(more)}],` +
    `["projectId",${quotedOrNull(projectId)}],["provider",${quotedOrNull(provider)}],["requestId",${quotedOrNull(requestId)}],` +
    `["tags",${nested(tags)}],["teamId",${quotedOrNull(teamId)}],["userId",${quotedOrNull(userId)}]]],` +
    `["reverses",${quotedOrNull(reverses)}],["source",${quoted(source)}],["timestamp",${timestamp}]]`
}

function sorted (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([name, one]) => [name, sorted(one)])
}

/** in a UUIDv7, ms since the epoch */
function timeOf (id: string): number { return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) }

function problemOf (found: RecordProblem, drafts: readonly UsageDraft[], path: Path): Error {
  const { callerId, budgetId, source, reverses } = drafts[found.ordinal] as UsageDraft
  const prefix = path(found.ordinal)
  switch (found.problem) {
    case 'conflict': return at(prefix, 'id', new Conflict(
      `id ${JSON.stringify(callerId)} of source ${source} was recorded with other content: a correction is a reversal and a new record`))
    case 'unknown': return at(prefix, 'reverses', new Unprocessable(`reverses ${reverses} is no usage of budget ${budgetId}`))
    case 'entry': return at(prefix, 'reverses', new Unprocessable(
      `reverses ${reverses} is a correction itself: record what is missing as usage`))
    case 'currency': return at(prefix, 'currency', new Unprocessable(
      `currency must be one in which the record is known: ${found.currencies.join(' or ')}`))
    case 'too much': return at(prefix, 'amount', new Unprocessable(
      `amount takes more back than is left of ${reverses}: ${formatNano(found.leftNano)}`))
  }
}

function at<E extends Error> (path: string, field: string, error: E): E {
  return Object.assign(error, { field: `${path}${field}` })
}
