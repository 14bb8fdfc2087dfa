import { type Queryable } from './pool.ts'

const NOW = `
  select trim_scale(rate)::text as rate from exchange_rates
  where currency = $1 and effective_at <= clock_timestamp() order by effective_at desc limit 1`

/** Units of a currency per USD as in force now, a decimal string; null: there is none, or it is USD itself. */
export async function rateNow (database: Queryable, currency: string): Promise<string | null> {
  if (currency === 'USD') return null
  const [row] = await database.query<{ rate: string }>({ text: NOW, values: [currency] })
  return row?.rate ?? null
}
