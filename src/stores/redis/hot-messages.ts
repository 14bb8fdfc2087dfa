import { type ChangeHint, type HotFigures } from '../../account/hot-status.ts'

/**
 * What gateways write into Redis and tell one another. JSON, amounts as decimal strings. Whatever does not have this
 * shape (another version's, another program's) is ignored: the hot status may always be incomplete.
 */

/** `order` grows with every publication of one gateway, so that the newer of two figures is known however they came. */
export interface Published { figures: HotFigures, order: number }

export type Message =
  | { kind: 'figures', published: Published[] }
  | { kind: 'recall', accountId: number }
  | { kind: 'hint', hint: ChangeHint }
  /** for the gateway itself: its messages come back to it */
  | { kind: 'here' }
  /** a gateway that closes: its figures are no more */
  | { kind: 'gone', incarnation: number }

/** an array and not an object: every account of every gateway is written and read this way many times a second */
type Row = [number, number, number, number, string | null, string, string, string, number, string, string, string]

export function encodeFigures (published: Published): string { return JSON.stringify(rowOf(published)) }

/** null: not figures */
export function decodeFigures (text: string): Published | null {
  const row = parse(text)
  return row === undefined ? null : figuresOf(row)
}

/** `from` comes first, so that a gateway knows its own messages without reading them */
export function encodeMessage (from: string, message: Message): string {
  if (message.kind !== 'figures') return JSON.stringify({ from, ...message })
  return JSON.stringify({ from, kind: 'figures', rows: message.published.map(rowOf) })
}

export function isFrom (text: string, from: string): boolean { return text.startsWith(`{"from":"${from}"`) }

/** null: not a message */
export function decodeMessage (text: string): Message | null {
  const value = parse(text)
  if (typeof value !== 'object' || value === null) return null
  const { kind, rows, accountId, incarnation, hint } = value as Record<string, unknown>
  if (kind === 'figures' && Array.isArray(rows)) {
    return { kind, published: rows.map(figuresOf).filter((one) => one !== null) }
  }
  if (kind === 'here') return { kind }
  if (kind === 'recall' && isCount(accountId)) return { kind, accountId }
  if (kind === 'gone' && isCount(incarnation)) return { kind, incarnation }
  if (kind === 'hint' && isHint(hint)) return { kind, hint }
  return null
}

function rowOf ({ figures: f, order }: Published): Row {
  return [
    f.accountId, f.incarnation, order, f.budgetVersion, f.limitNano === null ? null : f.limitNano.toString(),
    f.settledNano.toString(), f.leasedNano.toString(), f.inDoubtNano.toString(), f.at,
    f.heldNano.toString(), f.consumedNano.toString(), f.unusedNano.toString(),
  ]
}

function figuresOf (row: unknown): Published | null {
  if (!Array.isArray(row) || row.length !== 12) return null
  const [accountId, incarnation, order, budgetVersion, limit, settled, leased, inDoubt, at, held, consumed, unused] =
    row as unknown[]
  if (!isCount(accountId) || !isCount(incarnation) || !isCount(order) || !isCount(budgetVersion)) return null
  if (!isAmount(settled) || !isAmount(leased) || !isAmount(inDoubt) || !isAmount(held)) return null
  if (!isAmount(consumed) || !isAmount(unused) || (limit !== null && !isAmount(limit))) return null
  if (typeof at !== 'number' || !Number.isFinite(at)) return null
  const figures: HotFigures = {
    accountId,
    incarnation,
    budgetVersion,
    limitNano: limit === null ? null : BigInt(limit),
    settledNano: BigInt(settled),
    leasedNano: BigInt(leased),
    inDoubtNano: BigInt(inDoubt),
    at,
    heldNano: BigInt(held),
    consumedNano: BigInt(consumed),
    unusedNano: BigInt(unused),
  }
  return { figures, order }
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not ours, and so not a message.
    return undefined
  }
}

function isCount (value: unknown): value is number { return Number.isSafeInteger(value) }

function isAmount (value: unknown): value is string { return typeof value === 'string' && /^-?\d{1,30}$/.test(value) }

function isHint (value: unknown): value is ChangeHint {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'changed'
}
