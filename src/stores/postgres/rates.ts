import { Conflict } from '../../errors.ts'
import { type ExchangeRate, type RateQuery, type RateStore } from '../../money/exchange-rates.ts'
import { cursorOf, positionOf } from './cursor.ts'
import { reached, type Queryable } from './pool.ts'

const NOW = `
  select trim_scale(rate)::text as rate from exchange_rates
  where currency = $1 and effective_at <= clock_timestamp() order by effective_at desc limit 1`

/** Units of a currency per USD as in force now, a decimal string; null: there is none, or it is USD itself. */
export async function rateNow (database: Queryable, currency: string): Promise<string | null> {
  if (currency === 'USD') return null
  const [row] = await database.query<{ rate: string }>({ text: NOW, values: [currency] })
  return row?.rate ?? null
}

interface RateRow { currency: string, rate: string, effective_at: Date }

const OF = 'currency, trim_scale(rate)::text as rate, effective_at'

const ADD = `
  insert into exchange_rates (currency, rate, effective_at)
  select * from unnest($1::text[], $2::numeric[], $3::timestamptz[])
  on conflict do nothing returning ${OF}`

/** one that is there already with another figure */
const CONTRADICTED = `
  select r.currency, trim_scale(r.rate)::text as rate, r.effective_at
  from unnest($1::text[], $2::numeric[], $3::timestamptz[]) n (currency, rate, effective_at)
  join exchange_rates r on r.currency = n.currency and r.effective_at = n.effective_at and r.rate <> n.rate
  limit 1`

const PAGE = `
  select ${OF} from exchange_rates
  where ($1::text is null or currency = $1)
    and ($2::timestamptz is null or (effective_at, currency) < ($2::timestamptz, $3::text))
  order by effective_at desc, currency desc limit $4`

/** Exchange rates in PostgreSQL. */
export class PostgresRateStore implements RateStore {
  readonly #on: Queryable

  constructor (on: Queryable) { this.#on = on }

  async add (rates: readonly ExchangeRate[]): Promise<ExchangeRate[]> {
    const values = [
      rates.map(({ currency }) => currency),
      rates.map(({ rate }) => rate),
      rates.map(({ effectiveAt }) => new Date(effectiveAt)),
    ]
    const added = await reached(this.#on.query<RateRow>({ text: ADD, values }))
    const [other] = added.length === rates.length
      ? []
      : await reached(this.#on.query<RateRow>({ text: CONTRADICTED, values }))
    if (other !== undefined) {
      throw new Conflict(`${other.currency} has the rate ${other.rate} from ${other.effective_at.toISOString()} on already: ` +
        'add another from a later moment on')
    }
    return added.map(rateOf)
  }

  async page ({ currency, limit, cursor }: RateQuery): Promise<{ rates: ExchangeRate[], nextCursor: string | null }> {
    const list = { list: 'exchange-rates', currency }
    const after = cursor === undefined ? null : positionOf(list, cursor)
    const rows = await reached(this.#on.query<RateRow>({
      text: PAGE, values: [currency ?? null, after?.value ?? null, after?.id ?? null, limit + 1],
    }))
    const rates = rows.slice(0, limit).map(rateOf)
    const last = rates.at(-1)
    const more = rows.length > limit && last !== undefined
    return {
      rates,
      nextCursor: more ? cursorOf(list, { value: new Date(last.effectiveAt).toISOString(), id: last.currency }) : null,
    }
  }
}

function rateOf ({ currency, rate, effective_at: at }: RateRow): ExchangeRate {
  return { currency, rate, effectiveAt: at.getTime() }
}
