import { type SumRow, type SumsQuery, type UsageSums } from '../../reports/summary.ts'
import { bigintOf, idOf, isUuid, reached, type Queryable } from './pool.ts'

/** more is not read for one answer: some seconds */
const MOST_READ = 2_000_000

export class PostgresUsageSums implements UsageSums {
  readonly #database: Queryable

  constructor (database: Queryable) { this.#database = database }

  async sums ({ budgetId, range, zone, dimensions, interval, limit }: SumsQuery) {
    if (!isUuid(budgetId)) return { rows: [], asOf: Date.now(), complete: true }
    const { days, hours } = range
    const places = dimensions.map(placeOf)
    const rows = await reached(this.#database.query<Row>({
      text: interval === 'hour' ? BY_HOUR : BY_DAY,
      values: [
        budgetId, new Date(range.from), new Date(range.to), dimensions, places.map(([facet]) => facet),
        places.map(([, place]) => place), hours.map(({ from }) => new Date(from)), hours.map(({ to }) => new Date(to)),
        MOST_READ, limit + 1,
        ...interval === 'hour' ? [] : [zone, days?.first ?? null, days?.end ?? null, interval],
      ],
    }))
    const [{ as_of: asOf, read }, ...sums] = rows as [Row, ...Row[]]
    return {
      rows: sums.map(sumOf),
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

/** the accounts whose period has a part in the range, and where to look */
const WHERE = `
  account as materialized (
    select id from budget_accounts
    where budget_id = $1 and period_start < $3 and (period_end is null or period_end > $2)
  ),
  sought as materialized (
    select * from unnest($4::text[], $5::text[], $6::integer[]) s (dimension, facet, place)
  )`

const VALUE = 's.dimension, r.value[s.place] as value, r.amount_nano, r.records, r.input_tokens, r.output_tokens'

const HOURS = `
  from sought s cross join unnest($7::timestamptz[], $8::timestamptz[]) h (from_hour, to_hour)
  join usage_by_hour r on r.account_id = any (array(select id from account)) and r.facet = s.facet
    and r.hour >= h.from_hour and r.hour < h.to_hour`

/** The row of the reading itself comes first, also where there is nothing to read. */
const SUMS = `
  (select null as dimension, null as value, null as bucket, 0 as amount_nano, 0 as records, 0 as input_tokens,
    0 as output_tokens, 0 as read, clock_timestamp() as as_of)
  union all
  (select p.dimension, p.value, p.bucket::text, sum(p.amount_nano), sum(p.records), sum(p.input_tokens), sum(p.output_tokens),
    count(*), null
  from (select * from picked limit $9) p
  where p.value is not null
  group by p.dimension, p.value, p.bucket
  limit $10)`

const BY_HOUR = `
  with ${WHERE},
  picked as (select ${VALUE}, (extract(epoch from r.hour) * 1000)::bigint as bucket ${HOURS})
  ${SUMS}`

const BY_DAY = `
  with ${WHERE},
  part as (
    select ${VALUE}, r.day
    from sought s
    join usage_by_day r on r.account_id = any (array(select id from account)) and r.facet = s.facet
      and r.day >= $12::date and r.day < $13::date
    union all
    select ${VALUE}, (r.hour at time zone $11::text)::date ${HOURS}
  ),
  picked as (
    select p.*, case when $14::text = 'day' then p.day else date_trunc($14::text, p.day::timestamp)::date end as bucket
    from part p
  )
  ${SUMS}`

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

function sumOf (row: Row): SumRow {
  return {
    dimension: row.dimension,
    value: row.value,
    bucket: row.bucket === null ? null : /^\d{4,}-/.test(row.bucket) ? row.bucket : Number(row.bucket),
    amountNano: bigintOf(row.amount_nano),
    records: idOf(row.records),
    inputTokens: idOf(row.input_tokens),
    outputTokens: idOf(row.output_tokens),
  }
}
