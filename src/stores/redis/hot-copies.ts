import { type HotFigures } from '../../account/hot-status.ts'
import { type Published } from './hot-messages.ts'

/**
 * The local copy of what the other gateways published of the accounts that this one watches, and what of it should be
 * read again. Bounded: only watched accounts, at most `maxAccounts`, of which the longest unread goes first.
 */
interface Entry { figures: HotFigures, order: number, heardAt: number }

interface Copy {
  entries: Map<number, Entry>
  /** the answer of `others`, until an entry changes */
  list: HotFigures[] | null
  /** the first read is over, with or without an answer */
  ready: boolean
  usedAt: number
  probedAt: number
}

/** Where to read: one key. */
export interface Source { accountId: number, incarnation: number }

export interface CopiesOptions {
  maxAccounts: number
  /** figures that nobody confirmed for so long are gone, as their key is */
  ttlMs: number
  /** accounts in use are read again this often */
  refreshMs: number
  /** and looked at for gateways that are new to them this often: those also announce themselves by message */
  probeMs: number
}

export class HotCopies {
  readonly #o: CopiesOptions
  /** in the order in which they were last read again */
  readonly #copies = new Map<number, Copy>()

  constructor (options: CopiesOptions) { this.#o = options }

  get size (): number { return this.#copies.size }

  has (accountId: number): boolean { return this.#copies.has(accountId) }

  /** undefined: not watched, or not yet read for the first time */
  others (accountId: number, now: number): HotFigures[] | undefined {
    const copy = this.#copies.get(accountId)
    if (copy === undefined || !copy.ready) return undefined
    copy.usedAt = now
    copy.list ??= [...copy.entries.values()].map((entry) => entry.figures)
    return copy.list
  }

  add (accountId: number, now: number): void {
    if (this.#copies.has(accountId)) return
    this.#copies.set(accountId, { entries: new Map(), list: null, ready: false, usedAt: now, probedAt: now })
    if (this.#copies.size <= this.#o.maxAccounts) return
    const longestUnread = this.#copies.keys().next().value
    if (longestUnread !== undefined) this.#copies.delete(longestUnread)
  }

  remove (accountId: number): void { this.#copies.delete(accountId) }

  ready (accountId: number): void {
    const copy = this.#copies.get(accountId)
    if (copy !== undefined) copy.ready = true
  }

  /** this gateway works with the account */
  used (accountId: number, now: number): void {
    const copy = this.#copies.get(accountId)
    if (copy !== undefined) copy.usedAt = now
  }

  heard ({ figures, order }: Published, now: number): void {
    const copy = this.#copies.get(figures.accountId)
    if (copy === undefined) return
    const known = copy.entries.get(figures.incarnation)
    if (known !== undefined && known.order > order) return
    copy.entries.set(figures.incarnation, { figures, order, heardAt: now })
    copy.list = null
  }

  /** the key was not there at `askedAt`; what was heard since then stands */
  missing ({ accountId, incarnation }: Source, askedAt: number): void {
    const copy = this.#copies.get(accountId)
    const known = copy?.entries.get(incarnation)
    if (copy === undefined || known === undefined || known.heardAt >= askedAt) return
    copy.entries.delete(incarnation)
    copy.list = null
  }

  gone (incarnation: number): void {
    for (const copy of this.#copies.values()) if (copy.entries.delete(incarnation)) copy.list = null
  }

  expire (now: number): void {
    for (const copy of this.#copies.values()) {
      for (const [incarnation, entry] of copy.entries) {
        if (now - entry.heardAt <= this.#o.ttlMs) continue
        copy.entries.delete(incarnation)
        copy.list = null
      }
    }
  }

  /** what to read now, at most `max` keys; accounts that were not looked at lately are left alone */
  due (incarnations: Iterable<number>, now: number, max: number): Source[] {
    const due: Source[] = []
    const read: [number, Copy][] = []
    for (const [accountId, copy] of this.#copies) {
      if (due.length >= max) break
      if (now - copy.usedAt > 2 * this.#o.refreshMs) continue
      const before = due.length
      for (const [incarnation, entry] of copy.entries) {
        if (now - entry.heardAt >= this.#o.refreshMs) due.push({ accountId, incarnation })
      }
      if (now - copy.probedAt >= this.#o.probeMs) {
        copy.probedAt = now
        for (const incarnation of incarnations) {
          if (!copy.entries.has(incarnation)) due.push({ accountId, incarnation })
        }
      }
      if (due.length > before) read.push([accountId, copy])
    }
    for (const [accountId, copy] of read) {
      this.#copies.delete(accountId)
      this.#copies.set(accountId, copy)
    }
    return due
  }
}
