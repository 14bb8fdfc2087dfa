import { createHash } from 'node:crypto'
import { type AuditEntry } from './audit.ts'

/**
 * The chain of the audit log. An entry's hash is SHA-256 over the hash before it and the entry, each value behind its
 * length in bytes of UTF-8, `-` for null: audit_hash() in sql/ computes the same. So whoever alters, removes or moves
 * an entry must write all later ones anew, and the head, and who kept a link of the chain elsewhere still finds it.
 */
export interface Link {
  seq: number
  hash: Buffer
}

/** before the first entry */
export const GENESIS: Link = { seq: 0, hash: Buffer.alloc(32) }

export interface Verified {
  /** how many entries were looked at */
  entries: number
  /** the last one that fits */
  last: Link
  /** the first thing that is wrong; null: nothing is */
  broken: { seq: number, why: string } | null
}

export interface Expectations {
  /** the entry after which to begin; those up to it may be archived */
  anchor?: Link
  /** as the ledger says where its log ends */
  head: Link
  /** links that were kept elsewhere */
  expected?: Link[]
}

const LINK = /^(\d{1,15}):([0-9a-f]{64})$/i

export function formatLink ({ seq, hash }: Link): string { return `${seq}:${hash.toString('hex')}` }

/** null: it is none */
export function parseLink (text: string): Link | null {
  const [, seq, hash] = LINK.exec(text) ?? []
  return seq === undefined || hash === undefined ? null : { seq: Number(seq), hash: Buffer.from(hash, 'hex') }
}

export function hashOf (previous: Buffer, entry: Omit<AuditEntry, 'hash'>): Buffer {
  const { seq, id, at, actor, requestId, from, action, objectType, objectId, organizationId } = entry
  const { scopes, scopesAbove } = entry
  const values = [
    String(seq), id, at, actor.id, actor.name, actor.role, requestId, from, action, objectType,
    objectId, organizationId, String(scopes.length), ...scopes, String(scopesAbove.length),
    ...scopesAbove, entry.before, entry.after,
  ]
  return createHash('sha256').update(previous).update(values.map(framed).join('')).digest()
}

function framed (value: string | null): string {
  return value === null ? '-' : `${Buffer.byteLength(value)}:${value}`
}

/** Reads entries in the order of their numbers, those behind the anchor, until one does not fit. */
export async function verify (
  entries: AsyncIterable<AuditEntry>, { anchor = GENESIS, head, expected = [] }: Expectations
): Promise<Verified> {
  const known = [head, ...expected]
  let count = 0
  let last = anchor
  const wrong = (seq: number, why: string): Verified => ({ entries: count, last, broken: { seq, why } })
  const another = ({ seq, hash }: Link) => known.some((one) => one.seq === seq && !one.hash.equals(hash))
  const early = expected.find(({ seq }) => seq < anchor.seq)
  if (early !== undefined) return wrong(early.seq, `comes before entry ${anchor.seq}, behind which this begins`)
  if (another(anchor)) return wrong(anchor.seq, 'is another one than was kept')
  for await (const entry of entries) {
    const { seq, hash } = entry
    if (seq !== last.seq + 1) return wrong(last.seq + 1, 'is missing')
    if (!hashOf(last.hash, entry).equals(hash)) return wrong(seq, 'was altered, or the one before it was')
    if (another(entry)) return wrong(seq, 'is another one than was kept')
    count++
    last = { seq, hash }
  }
  if (known.some(({ seq }) => seq > last.seq)) return wrong(last.seq + 1, 'is missing: the end was cut off')
  if (last.seq > head.seq) return wrong(head.seq + 1, 'is behind the last one that the ledger knows of')
  return { entries: count, last, broken: null }
}
