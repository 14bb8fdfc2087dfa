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
    const rows = await reached(this.#database.query<Row>({
      text: interval === 'hour' ? BY_HOUR : BY_DAY,
      values: [
        budgetId, new Date(range.from), new Date(range.to), dimensions, hours.map(({ from }) => new Date(from)),
        hours.map(({ to }) => new Date(to)), MOST_READ, limit + 1,
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

/** the accounts whose period has a part in the range */
const ACCOUNT = `
  account as materialized (
    select id from budget_accounts
    where budget_id = $1 and period_start < $3 and (period_end is null or period_end > $2)
  )`

/** The row of the reading itself comes first, also where there is nothing to read. */
const SUMS = `
  (select null as dimension, null as value, null as bucket, 0 as amount_nano, 0 as records, 0 as input_tokens,
    0 as output_tokens, 0 as read, clock_timestamp() as as_of)
  union all
  (select p.dimension, p.value, p.bucket, sum(p.amount_nano), sum(p.records), sum(p.input_tokens), sum(p.output_tokens),
    count(*), null
  from (select * from picked limit $7) p
  group by p.dimension, p.value, p.bucket
  limit $8)`

const FIGURES = 'r.amount_nano, r.records, r.input_tokens, r.output_tokens'

const BY_HOUR = `
  with ${ACCOUNT},
  picked as (
    select r.dimension, r.value, (extract(epoch from r.hour) * 1000)::bigint::text as bucket, ${FIGURES}
    from unnest($5::timestamptz[], $6::timestamptz[]) s (from_hour, to_hour)
    join usage_by_hour r on r.account_id = any (array(select id from account)) and r.dimension = any ($4::text[])
      and r.hour >= s.from_hour and r.hour < s.to_hour
  )
  ${SUMS}`

const BY_DAY = `
  with ${ACCOUNT},
  part as (
    select r.dimension, r.value, r.day, ${FIGURES}
    from usage_by_day r
    where r.account_id = any (array(select id from account)) and r.dimension = any ($4::text[])
      and r.day >= $10::date and r.day < $11::date
    union all
    select r.dimension, r.value, (r.hour at time zone $9::text)::date, ${FIGURES}
    from unnest($5::timestamptz[], $6::timestamptz[]) s (from_hour, to_hour)
    join usage_by_hour r on r.account_id = any (array(select id from account)) and r.dimension = any ($4::text[])
      and r.hour >= s.from_hour and r.hour < s.to_hour
  ),
  picked as (
    select r.dimension, r.value,
      date_trunc($12::text, r.day::timestamp)::date::text as bucket, ${FIGURES}
    from part r
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
