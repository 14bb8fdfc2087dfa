import { type SumRow, type SumsQuery, type UsageSums } from '../../reports/summary.ts'
import { bigintOf, idOf, isUuid, reached, type Queryable } from './pool.ts'

/** more is not read for one answer: some seconds */
const MOST_READ = 2_000_000

export class PostgresUsageSums implements UsageSums {
  readonly #database: Queryable

  constructor (database: Queryable) { this.#database = database }

  async sums ({ budgetId, subject, range, zone, dimensions, interval, limit }: SumsQuery) {
    if (!isUuid(budgetId)) return { rows: [], asOf: Date.now(), complete: true }
    const { days, hours } = range
    const grain = interval === 'hour' || interval === 'day' ? interval : 'longer'
    const [first = 'source', second] = dimensions
    const [[facet, place], other] = [placeOf(first), second === undefined ? null : placeOf(second)]
    const shape = other === null ? 'one' : other[0] === facet ? 'same' : 'two'
    const rows = await reached(this.#database.query<Row>({
      name: `sums_by_${grain}_${shape}${subject === null ? '' : '_of_one'}`,
      text: textOf(grain, shape, subject !== null),
      values: [
        budgetId, new Date(range.from), new Date(range.to), hours.map(({ from }) => new Date(from)),
        hours.map(({ to }) => new Date(to)), MOST_READ, limit + 1, first, facet, place,
        ...grain === 'hour' ? [] : [zone, days?.first ?? null, days?.end ?? null],
        ...grain === 'longer' ? [interval] : [],
        ...shape === 'one' ? [] : [second, other?.[1]],
        ...shape === 'two' ? [other?.[0]] : [],
        ...subject === null ? [] : [subject],
      ],
    }))
    const [{ as_of: asOf, read }, ...sums] = rows as [Row, ...Row[]]
    const bucketOf = grain === 'hour' ? Number : String
    return {
      rows: sums.map((row) => sumOf(row, row.bucket === null ? null : bucketOf(row.bucket))),
      asOf: asOf.getTime(),
      complete: sums.length <= limit && sums.reduce((sum, row) => sum + idOf(row.read), idOf(read)) < MOST_READ,
    }
  }
}

/** where the sums have a dimension: in which of their facets, and there in which place of the value */
const PLACES: Record<string, [facet: string, place: number]> = {
  source: ['model', 1], provider: ['model', 2], model: ['model', 3], key: ['key', 1], team: ['key', 2], project: ['key', 3],
}

function placeOf (dimension: string): [facet: string, place: number] { return PLACES[dimension] ?? [dimension, 1] }

/** of what is asked for; longer than a day: from sums by day too */
type Grain = 'hour' | 'day' | 'longer'

/** one dimension, or two: in the same facet, whose rows are then read once for both, or each in its own */
type Shape = 'one' | 'same' | 'two'

/** The row of the reading itself comes first, also where there is nothing to read. */
function textOf (grain: Grain, shape: Shape, ofOne: boolean): string {
  // where those of the second dimension are among the values
  const next = { hour: 11, day: 14, longer: 15 }[grain]
  const subject = next + { one: 0, same: 2, two: 3 }[shape]
  return `
  with account as materialized (
    select id from budget_accounts
    where budget_id = $1 and period_start < $3 and (period_end is null or period_end > $2)
      ${ofOne ? `and subject = $${subject}::text` : ''}
  )
  select null as dimension, null as value, null as bucket, 0 as amount_nano, 0 as records, 0 as input_tokens,
    0 as output_tokens, 0 as read, clock_timestamp() as as_of
  union all
  ${shape === 'same'
    ? summed(grain, '$9', [['$8', '$10'], [`$${next}`, `$${next + 1}`]])
    : summed(grain, '$9', [['$8', '$10']])}
  ${shape === 'two' ? `union all ${summed(grain, `$${next + 2}`, [[`$${next}`, `$${next + 1}`]])}` : ''}`
}

/** the rows of one facet, summed by each of the dimensions, of which each is a place in their value */
function summed (grain: Grain, facet: string, dimensions: [dimension: string, place: string][]): string {
  const places = dimensions.map(([, place], i) => `r.value[${place}::integer] as v${i}`).join(', ')
  const columns = `${places}, r.amount_nano, r.records, r.input_tokens, r.output_tokens`
  const hours = (bucket: string) => `
    select ${columns}, ${bucket} as at
    from unnest($4::timestamptz[], $5::timestamptz[]) h (from_hour, to_hour)
    -- looked up for each span: without a limit a plan for any span may read all hours that there are
    cross join lateral (
      select * from usage_by_hour r
      where r.account_id = any (array(select id from account)) and r.facet = ${facet}::text
        and r.hour >= h.from_hour and r.hour < h.to_hour
      limit $6
    ) r`
  const rows = grain === 'hour'
    ? hours('(extract(epoch from r.hour) * 1000)::bigint')
    : `
    select ${columns}, r.day as at
    from usage_by_day r
    where r.account_id = any (array(select id from account)) and r.facet = ${facet}::text and r.day >= $12::date
      and r.day < $13::date
    union all ${hours('(r.hour at time zone $11::text)::date')}`
  const bucket = grain === 'longer' ? 'date_trunc($14::text, p.at::timestamp)::date' : 'p.at'
  const named = (expressions: string[]) => expressions.length === 1
    ? expressions.join()
    : `case when grouping(p.v0) = 0 then ${expressions[0]} else ${expressions[1]} end`
  return `
  (select ${named(dimensions.map(([dimension]) => `${dimension}::text`))}, ${named(dimensions.map((_, i) => `p.v${i}`))},
    p.bucket::text, sum(p.amount_nano), total(p.records), total(p.input_tokens), total(p.output_tokens), count(*), null
  from (select p.*, ${bucket} as bucket from (${rows} limit $6) p) p
  group by grouping sets (${dimensions.map((_, i) => `(p.bucket, p.v${i})`).join()})
  having ${named(dimensions.map((_, i) => `p.v${i}`))} is not null
  limit $7)`
}

interface Row {
  dimension: string
  value: string
  bucket: string | null
  amount_nano: string
  records: string
  input_tokens: string
  output_tokens: string
  read: string
  as_of: Date
}

function sumOf (row: Row, bucket: SumRow['bucket']): SumRow {
  return {
    dimension: row.dimension,
    value: row.value,
    bucket,
    amountNano: bigintOf(row.amount_nano),
    records: idOf(row.records),
    inputTokens: idOf(row.input_tokens),
    outputTokens: idOf(row.output_tokens),
  }
}
