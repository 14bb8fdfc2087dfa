import { LRUCache } from 'lru-cache'
import { type Budget } from '../budget/budget.ts'
import { type Now } from '../clock.ts'
import { Unprocessable } from '../errors.ts'
import { formatNano } from '../money/amount.ts'
import { bucketOf, daysBetween, rangeOf, spansOf, type Interval, type SummaryRange } from './summary-range.ts'

/** What usage can be summed by: one of these, or `tag:` and the name of a tag. */
export const DIMENSIONS = ['source', 'provider', 'model', 'key', 'user', 'team', 'project'] as const

export interface Sums {
  amountNano: bigint
  /** records, corrections among them */
  records: number
  /** all that went in, caches included */
  inputTokens: number
  outputTokens: number
}

export interface SumRow extends Sums {
  dimension: string
  value: string
  /** start of the hour, ms since the epoch; else the first day, `2026-11-25`; null: the whole range */
  bucket: number | string | null
}

export interface SumsQuery {
  budgetId: string
  /** null: of all */
  subject: string | null
  range: SummaryRange
  zone: string
  /** each by itself, not crossed */
  dimensions: string[]
  interval: Interval | null
  /** most rows */
  limit: number
}

/** Sums of recorded usage as the ledger keeps them. DependencyUnavailable where it cannot be reached. */
export interface UsageSums {
  /** One read at one instant, `asOf` (ms since the epoch). Not `complete`: there are too many rows to read or show. */
  sums (query: SumsQuery): Promise<{ rows: SumRow[], asOf: number, complete: boolean }>
}

export interface SummaryRequest {
  /** of a budget for each of many, whose account; null: all of them */
  subject: string | null
  /** ms since the epoch */
  startDate: number | null
  endDate: number | null
  groupBy: string | null
  interval: Interval | null
}

const MOST_GROUPS = 10_000
/** every bucket has its sums by source too, of which there are three */
const MOST_ROWS = 4 * MOST_GROUPS

export class UsageSummary {
  readonly #sums: UsageSums
  readonly #now: Now

  constructor ({ sums, now }: { sums: UsageSums, now: Now }) {
    this.#sums = sums
    this.#now = now
  }

  /** The answer of GET /budgets/:id/usage/summary. Throws invalid_field; unprocessable: more than can be shown. */
  async of (budget: Budget, request: SummaryRequest) {
    const { groupBy, interval } = request
    const { id, currency, timezone } = budget
    const { from, to } = rangeOf(budget, request, this.#now())
    const { rows, asOf, complete } = await this.#sums.sums({
      budgetId: id,
      subject: request.subject,
      range: spansOf(timezone, { from, to }, interval),
      zone: timezone,
      dimensions: [...new Set(['source', groupBy ?? 'source'])],
      interval,
      limit: MOST_ROWS,
    })
    const bySource = rows.filter(({ dimension }) => dimension === 'source')
    const groups = groupsOf(rows, bySource, groupBy)
    if (!complete || groups.length > MOST_GROUPS) throw new Unprocessable(TOO_MANY)
    const total = sumOf(bySource)
    const days = daysBetween(timezone, Math.max(from, budget.startDate), Math.min(to, asOf))
    return {
      budgetId: id,
      totalAmount: formatNano(total.amountNano),
      currency,
      recordCount: total.records,
      averagePerDay: formatNano(total.amountNano * 10_000n / days),
      inputTokens: total.inputTokens,
      outputTokens: total.outputTokens,
      bySource: Object.fromEntries([...sumsBy('value', bySource)]
        .map(([source, { amountNano }]) => [source, formatNano(amountNano)])),
      startDate: timeOf(from),
      endDate: timeOf(to),
      timezone,
      groupBy,
      interval,
      asOf: timeOf(asOf),
      groups: groups.map(renderGroup(timezone, interval)),
    }
  }
}

export type Summary = Awaited<ReturnType<UsageSummary['of']>>

const TOO_MANY = `This summary has more than ${MOST_GROUPS.toLocaleString('en')} groups, or is about more than can be read ` +
  'at once: bring startDate and endDate closer together, take a longer interval, or leave out groupBy'

interface Group extends Sums {
  bucket: SumRow['bucket']
  value: string | null
}

/**
 * By time, and within a time the greatest first. What has no user, team, project or tag has no row of its own: it is
 * what the others leave of the whole, and stands under null.
 */
function groupsOf (rows: SumRow[], bySource: SumRow[], groupBy: string | null): Group[] {
  const named: Group[] = groupBy === null ? [] : rows.filter(({ dimension }) => dimension === groupBy)
  const rest = sumsBy('bucket', bySource)
  for (const group of named) {
    const left = rest.get(group.bucket)
    if (left !== undefined) subtract(left, group)
  }
  const nameless: Group[] = [...rest].filter(([, { records, amountNano }]) => records !== 0 || amountNano !== 0n)
    .map(([bucket, sums]) => ({ bucket, value: null, ...sums }))
  const buckets = new Map<Group['bucket'], Group[]>()
  for (const group of [...named, ...nameless]) {
    const found = buckets.get(group.bucket)
    if (found === undefined) buckets.set(group.bucket, [group])
    else found.push(group)
  }
  return [...buckets].sort(([a], [b]) => (a ?? '') < (b ?? '') ? -1 : 1).flatMap(([, groups]) => groups.sort(bySize))
}

function bySize (a: Group, b: Group): number {
  if (a.amountNano !== b.amountNano) return a.amountNano > b.amountNano ? -1 : 1
  return (a.value ?? '') < (b.value ?? '') ? -1 : 1
}

const nothing = (): Sums => ({ amountNano: 0n, records: 0, inputTokens: 0, outputTokens: 0 })

function sumOf (rows: Sums[]): Sums {
  const sum = nothing()
  for (const row of rows) add(sum, row)
  return sum
}

function sumsBy<Name extends 'bucket' | 'value'> (name: Name, rows: SumRow[]): Map<SumRow[Name], Sums> {
  const sums = new Map<SumRow[Name], Sums>()
  for (const row of rows) {
    const sum = sums.get(row[name]) ?? nothing()
    sums.set(row[name], sum)
    add(sum, row)
  }
  return sums
}

function add (sum: Sums, { amountNano, records, inputTokens, outputTokens }: Sums): void {
  sum.amountNano += amountNano
  sum.records += records
  sum.inputTokens += inputTokens
  sum.outputTokens += outputTokens
}

function subtract (sum: Sums, { amountNano, records, inputTokens, outputTokens }: Sums): void {
  sum.amountNano -= amountNano
  sum.records -= records
  sum.inputTokens -= inputTokens
  sum.outputTokens -= outputTokens
}

/** calendars take their time, and every summary by hours of a year asks for the same ones */
const known = new LRUCache<string, { start: string, end: string }>({ max: 50_000 })

function timesOf (zone: string, interval: Interval, bucket: number | string): { start: string, end: string } {
  const key = `${zone} ${interval} ${bucket}`
  let found = known.get(key)
  if (found === undefined) {
    const { start, end } = bucketOf(zone, interval, bucket)
    found = { start: timeOf(start), end: timeOf(end) }
    known.set(key, found)
  }
  return found
}

const WHOLE = { start: null, end: null }

/** of groups in the order of their buckets */
function renderGroup (zone: string, interval: Interval | null) {
  let last: Group['bucket'] = null
  let times: { start: string | null, end: string | null } = WHOLE
  return ({ bucket, value, amountNano, records, inputTokens, outputTokens }: Group) => {
    if (bucket !== last) times = bucket === null ? WHOLE : timesOf(zone, interval ?? 'day', bucket)
    last = bucket
    const { start, end } = times
    return { start, end, value, amount: formatNano(amountNano), recordCount: records, inputTokens, outputTokens }
  }
}

function timeOf (at: number): string { return new Date(at).toISOString() }
