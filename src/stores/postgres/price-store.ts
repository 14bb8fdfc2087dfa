import { Conflict } from '../../errors.ts'
import { type PriceOverride, type SaidModel } from '../../pricing/layers.ts'
import { type OverrideQuery, type OverrideStore, versionOf } from '../../pricing/overrides.ts'
import { cursorOf, positionOf } from './cursor.ts'
import { reached, type Queryable } from './pool.ts'

interface PriceRow { provider: string, model: string, effective_at: Date, prices: SaidModel }

const OF = 'provider, model, effective_at, prices'

const ADD = `
  insert into model_prices (provider, model, effective_at, prices) values ($1, $2, $3, $4)
  on conflict do nothing returning ${OF}`

const SAME = 'select prices = $4::jsonb as same from model_prices where provider = $1 and model = $2 and effective_at = $3'

const PAGE = `
  select ${OF} from model_prices
  where ($1::text is null or provider = $1) and ($2::text is null or model = $2)
    and ($3::timestamptz is null or (effective_at, provider || '/' || model) < ($3::timestamptz, $4::text))
  order by effective_at desc, provider || '/' || model desc limit $5`

const ALL = `select ${OF} from model_prices order by effective_at, provider, model`

/** Overrides of prices in PostgreSQL. */
export class PostgresPriceStore implements OverrideStore {
  readonly #on: Queryable

  constructor (on: Queryable) { this.#on = on }

  async add ({ provider, model, since, said }: PriceOverride): Promise<boolean> {
    const values = [provider, model, new Date(since), JSON.stringify(said)]
    const added = await reached(this.#on.query({ text: ADD, values }))
    if (added.length > 0) return true
    const [found] = await reached(this.#on.query<{ same: boolean }>({ text: SAME, values }))
    if (found?.same === true) return false
    throw new Conflict(`${provider}/${model} has other prices from ${new Date(since).toISOString()} on already: ` +
      'add them from a later moment on')
  }

  async page (
    { provider, model, limit, cursor }: OverrideQuery
  ): Promise<{ overrides: PriceOverride[], nextCursor: string | null }> {
    const list = { list: 'prices', provider, model }
    const after = cursor === undefined ? null : positionOf(list, cursor)
    const rows = await reached(this.#on.query<PriceRow>({
      text: PAGE, values: [provider ?? null, model ?? null, after?.value ?? null, after?.id ?? null, limit + 1],
    }))
    const overrides = rows.slice(0, limit).map(overrideOf)
    const last = overrides.at(-1)
    const more = rows.length > limit && last !== undefined
    const position = last && { value: new Date(last.since).toISOString(), id: `${last.provider}/${last.model}` }
    return { overrides, nextCursor: more && position !== undefined ? cursorOf(list, position) : null }
  }

  async all (): Promise<PriceOverride[]> {
    return (await reached(this.#on.query<PriceRow>({ text: ALL }))).map(overrideOf)
  }
}

function overrideOf ({ provider, model, effective_at: at, prices }: PriceRow): PriceOverride {
  const since = at.getTime()
  return { provider, model, since, said: prices, version: versionOf(since) }
}
