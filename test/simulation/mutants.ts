import { Lease } from '../../src/account/lease.ts'
import { LeaseBook } from '../../src/account/lease-book.ts'
import { JournalFile } from '../../src/journal/file.ts'
import { JournalFolder } from '../../src/journal/folder.ts'
import { type JournalRecord } from '../../src/journal/journal.ts'
import { SegmentIndex } from '../../src/journal/segments.ts'
import { MemoryAuthority } from '../account/memory-authority.ts'

/**
 * Safeguards of the real code that can be taken away: a simulation that does not find out is no test of them. It is
 * done in the thread that runs it, by what stands in the place of a method from then on.
 */
interface Safeguard {
  /** what holds as long as it is there */
  rule: string
  /** what is found once it is gone */
  breaks: RegExp
  take: () => void
}

function instead<T extends object, K extends keyof T> (of: T, name: K, how: (was: T[K]) => T[K]): () => void {
  return () => { of[name] = how(of[name]) }
}

/** taken away where the parts are put together */
const elsewhere = (): void => {}

export const MUTANTS = {
  'what is held is not free': {
    rule: 'no right is held for two calls',
    breaks: /^P1|the lease|refuses what/,
    take: () => {
      Object.defineProperty(Lease.prototype, 'free', {
        get (this: Lease) { return this.granted - this.returned - this.consumed },
      })
    },
  },
  'memory first': {
    rule: 'a gateway gives rights up in memory before the ledger hears of it',
    breaks: /^P1|the lease|refuses what/,
    take: instead(LeaseBook.prototype, 'collectReturns', () => function (this: LeaseBook, now) {
      return [...this.leases()].flatMap((lease) => {
        const surplus = lease.surplus(now, now)
        return surplus > 0n ? [{ accountId: lease.accountId, returnedNano: lease.returned + surplus }] : []
      })
    }),
  },
  'heartbeat tells granted': {
    rule: 'a gateway hears of grants whose answers were lost',
    breaks: /^P3/,
    take: instead(MemoryAuthority.prototype, 'heartbeat', (was) => async function (this: MemoryAuthority, incarnation, ids) {
      await was.call(this, incarnation, ids)
      return []
    }),
  },
  'recalled gives back': {
    rule: 'who is recalled gives back what it does not use',
    breaks: /^P3/,
    take: instead(LeaseBook.prototype, 'recalled', () => () => {}),
  },
  'handed over': {
    rule: 'what a row of the ledger holds is not held by the lease any more',
    breaks: /^P3|the lease/,
    take: instead(LeaseBook.prototype, 'handOver', () => () => {}),
  },
  'journal before send': {
    rule: 'a call is sent only once its opening is in the journal',
    breaks: /^P2|^P1|the lease|refuses what/,
    take: instead(JournalFile.prototype, 'append', (was) => function (this: JournalFile, record: JournalRecord, done) {
      if (record.t !== 'open') return was.call(this, record, done)
      if (done !== undefined) queueMicrotask(() => { done(null) })
      return was.call(this, record)
    }),
  },
  'segments stay': {
    rule: 'a segment goes only once the ledger has the calls that need it',
    breaks: /^P2|the lease/,
    take: instead(SegmentIndex.prototype, 'drop', (was) => function (this: SegmentIndex, synced) {
      for (let { oldest } = this; oldest !== undefined && oldest.live > 0; oldest = undefined) oldest.live = 0
      return was.call(this, synced)
    }),
  },
  'uncertain on crash': {
    rule: 'a call that a crash left open is charged at its quote',
    breaks: /^P2|the lease/,
    take: instead(JournalFolder.prototype, 'lives', (was) => async function (this: JournalFolder) {
      return (await was.call(this)).map((life) => ({ ...life, open: [] }))
    }),
  },
  'doubt after a power cut': {
    rule: 'what is left of leases stays in doubt where records may be missing',
    breaks: /^P1|the lease|^P2/,
    take: instead(JournalFolder.prototype, 'mayMissRecords', () => () => false),
  },
  'set aside is kept': {
    rule: 'an event that the ledger refuses is kept, and tried again',
    breaks: /^P1|^P2|the lease/,
    take: instead(JournalFolder.prototype, 'setAsideEvents', () => () => ({ events: [], unreadable: [] })),
  },
  dedupe: {
    rule: 'an event is inserted once, and only then moves its accounts',
    breaks: /^P2|the ledger|refuses what/,
    take: instead(MemoryAuthority.prototype, 'post', (was) => async function (this: MemoryAuthority, incarnation, events, returns) {
      for (const { end } of events) this.events.delete(end.id)
      return await was.call(this, incarnation, events, returns)
    }),
  },
  'steady clock': {
    rule: 'how long something takes is not measured by a clock that can be set',
    breaks: /^P3|^P9/,
    take: elsewhere,
  },
} satisfies Record<string, Safeguard>

export type Mutant = keyof typeof MUTANTS
