/** A figure of the ledger that is not what it is kept of. */
export interface Drift {
  kind: DriftKind
  accountId: number
  /** the gateway of a lease, the event of a charge; else empty */
  object: string
  /** nano-units, or in words */
  kept: string
  due: string
}

export const DRIFT_KINDS = [
  'settled', 'leased', 'long_held', 'negative', 'posted', 'status_cache', 'usage_by_hour', 'usage_by_day', 'event', 'charge',
] as const

export type DriftKind = typeof DRIFT_KINDS[number]

/** made anew from records at any time, and never a right to spend */
const DERIVED: ReadonlySet<DriftKind> = new Set<DriftKind>(['status_cache', 'usage_by_hour', 'usage_by_day'])
/** rights to spend: by command alone */
const RIGHTS: ReadonlySet<DriftKind> = new Set<DriftKind>(['settled', 'leased', 'long_held', 'posted'])

export function isDerived ({ kind }: Pick<Drift, 'kind'>): boolean { return DERIVED.has(kind) }

export function isRepairable ({ kind }: Pick<Drift, 'kind'>): boolean { return DERIVED.has(kind) || RIGHTS.has(kind) }

/** in words, for people */
export function describeDrift ({ kind, accountId, object, kept, due }: Drift): string {
  const of = kind === 'posted' ? ` of gateway ${object}` : object === '' ? '' : ` of event ${object}`
  return `account ${accountId}: ${kind}${of} is kept as ${kept}, and should be ${due}`
}
