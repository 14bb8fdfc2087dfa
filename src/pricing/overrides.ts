import { parseTime, TIME_EXPECTED } from '../clock.ts'
import { InvalidField, invalidField } from '../errors.ts'
import { type LivePrices } from './live-prices.ts'
import { type PriceOverride, type SaidModel, TEXT } from './layers.ts'

export interface OverrideQuery {
  provider?: string | undefined
  model?: string | undefined
  limit: number
  cursor?: string | undefined
}

/** What administrators say of prices: added and never changed, so that what was charged can be computed again. */
export interface OverrideStore {
  /** Answers whether it is new. Conflict where there is another one of that model and moment already. */
  add (override: PriceOverride): Promise<boolean>
  /** the latest first; InvalidField for a cursor that is none */
  page (query: OverrideQuery): Promise<{ overrides: PriceOverride[], nextCursor: string | null }>
  all (): Promise<PriceOverride[]>
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/
const PROVIDER = /^[a-z0-9][a-z0-9._-]{0,99}$/

/** What an administrator sends; throws, naming the field. `now`: the default moment, ms since the epoch. */
export function defineOverride (
  body: { provider: string, model: string, effectiveAt?: string | undefined, prices: SaidModel },
  live: Pick<LivePrices, 'check' | 'find' | 'providers'>, now: number
): PriceOverride {
  const { provider, model, effectiveAt, prices: said } = body
  if (!PROVIDER.test(provider)) throw invalidField('provider', 'the name of a provider, e.g. "openai"', provider)
  if (!NAME.test(model)) throw invalidField('model', 'the name of a model, at most 200 letters, digits and . _ : / @ -', model)
  const since = effectiveAt === undefined ? now : parseTime(effectiveAt)
  if (since === null || since <= 0) throw invalidField('effectiveAt', TIME_EXPECTED, effectiveAt)
  if (Object.keys(said).length === 0) throw invalidField('prices', 'at least one price, limit or multiplier', said)
  if (said.input !== undefined && said.contextWindow === undefined && !live.providers.includes(provider)) {
    throw invalidField('provider',
      `one that has prices (${live.providers.join(', ')}), or one of your own, whose prices say contextWindow and maxOutput`, provider)
  }
  const known = TEXT.some((name) => said[name] !== undefined) ? live.find(provider, model, since) : null
  for (const rate of ['input', 'output'] as const) {
    if (said[rate] !== undefined || (known?.rates[rate] ?? null) === null) continue
    throw invalidField(`prices.${rate}`, 'its price too, since prices of text replace all that the model has', undefined)
  }
  const override = { provider, model, since, said, version: versionOf(since) }
  try {
    live.check(override)
  } catch (error) {
    const message = `prices: ${(error as Error).message.replace('catalog: ', '')}`
    throw Object.assign(new InvalidField(message), { field: 'prices', expected: 'prices of a model' })
  }
  return override
}

/** of what is written with a call: when its price began */
export function versionOf (since: number): string { return `api.${new Date(since).toISOString()}` }

export function renderOverride ({ provider, model, since, said }: PriceOverride) {
  return { provider, model, effectiveAt: new Date(since).toISOString(), prices: said }
}
