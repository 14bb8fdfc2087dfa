import { type Authority, type KeptCharge, NotLiveError } from '../account/authority.ts'
import { type Now } from '../clock.ts'
import { type CallOpening, type UsageEvent } from '../usage/usage.ts'
import { type CopyStore } from './copy.ts'
import { EndedCall } from './ended-call.ts'
import { type JournalFolder } from './folder.ts'
import { type JournalLife } from './journal.ts'
import { readCopy } from './lost-calls.ts'
import { recordAll } from './record-all.ts'

/**
 * Brings what earlier process lives left in the journal to the authority: ended calls are posted (idempotent), calls
 * that were open become uncertain at their quote, and each lease is closed, write-once, so that the rest returns to its
 * account. Where the machine has stopped since and records may be missing, known calls are posted and the rest of the
 * leases stays in doubt: nobody knows what was sent. What the journal does not know the end of, its copy may. A
 * recovery that dies is simply made again.
 */
export interface RecoveryOptions {
  folder: JournalFolder
  authority: Authority
  /** absent: there are none */
  copies?: Pick<CopyStore, 'read' | 'drop'> | undefined
  now: Now
  /** of how long something takes; default: the process's own */
  steady?: Now
  log: { info (d: object, m: string): void, warn (d: object, m: string): void, error (d: object, m: string): void }
  /** how long one life may take, ms */
  timeoutMs?: number
}

/** Of lives that ended in order with all their calls recorded nothing is counted. */
export interface Recovered {
  lives: number
  posted: number
  uncertain: number
  /** lives whose leases stay in doubt */
  inDoubt: number
}

export async function recover (options: RecoveryOptions): Promise<Recovered> {
  const sum: Recovered = { lives: 0, posted: 0, uncertain: 0, inDoubt: 0 }
  for (const life of await options.folder.lives()) {
    const { inDoubt, inserted } = await recoverLife(life, options)
    if (life.recorded && inserted === 0) continue
    sum.lives++
    sum.posted += life.ended.length
    sum.uncertain += life.open.length
    if (inDoubt) sum.inDoubt++
  }
  await closeUnbegun(options)
  await retrySetAside(options)
  if (sum.lives > 0) options.log.info(sum, 'recovered what earlier processes left in the journal')
  return sum
}

/** `inserted`: calls that the authority did not have yet */
async function recoverLife (life: JournalLife, options: RecoveryOptions) {
  const { folder, authority, copies, now, steady, log, timeoutMs = 60_000 } = options
  const { incarnation } = life.header
  await begin(authority, folder, incarnation)
  const inDoubt = folder.mayMissRecords(life)
  let inserted = 0
  if (copies !== undefined && (inDoubt || life.open.length > 0)) await addCopied(life, copies)
  await recordAll([...life.ended, ...life.open.map((opening) => ({ opening, end: uncertainEnd(opening, now()) }))], {
    authority,
    incarnation,
    now,
    ...steady === undefined ? {} : { steady },
    log,
    setAside: (event, reason) => { folder.setAside(incarnation, event, reason) },
    onPosted: (answer) => { inserted += answer.inserted.length },
    timeoutMs,
  })
  if (inDoubt) {
    log.error({ incarnation, host: life.header.host },
      'the machine stopped while calls were made: what is left of their leases stays in doubt')
  } else await authority.closeLeases(incarnation, keptFor(folder, incarnation))
  folder.forget(life)
  await copies?.drop(incarnation)
  return { inDoubt, inserted }
}

/** A start that died between its join and the first byte of its journal left nothing behind but its name. */
async function closeUnbegun ({ folder, authority }: RecoveryOptions): Promise<void> {
  for (const incarnation of await authority.unbegun(folder.journalId)) {
    await authority.beginRecovery(incarnation, folder.journalId)
    await authority.closeLeases(incarnation, [])
  }
}

/** ends that did not reach the disk, or calls that it knows nothing of */
async function addCopied (life: JournalLife, copies: Pick<CopyStore, 'read'>): Promise<void> {
  const known = new Set(life.ended.map(({ opening }) => opening.id))
  const all = await readCopy(copies, life.header.incarnation) ?? []
  const copied = all.map(EndedCall.of).filter(({ id }) => !known.has(id))
  const ended = new Set(copied.map(({ id }) => id))
  life.ended.push(...copied)
  life.open = life.open.filter(({ id }) => !ended.has(id))
}

async function begin (authority: Authority, folder: JournalFolder, incarnation: number): Promise<void> {
  try {
    await authority.beginRecovery(incarnation, folder.journalId)
  } catch (error) {
    if (!(error instanceof NotLiveError)) throw error
    throw new Error(`The journal in ${folder.path} belongs to another database: this one knows no gateway ${incarnation} ` +
      'of this journal. Use the database that it belongs to; if this is it, restored from a backup, run `relaycore reconcile ' +
      '--restored` first; if its calls need not be recorded, move the folder away.', { cause: error })
  }
}

/** a call that was open when its process died may have been answered, or not: nobody can know */
function uncertainEnd (opening: CallOpening, endedAt: number): UsageEvent['end'] {
  return {
    id: opening.id,
    endedAt: Math.max(endedAt, opening.openedAt),
    outcome: 'crashed',
    status: null,
    certainty: 'uncertain',
    modelUsed: null,
    usage: null,
    costNano: opening.quoteNano,
    charges: opening.holds.map(({ accountId, quoteNano, enforced }) => ({
      accountId, amountNano: quoteNano, coveredNano: enforced ? quoteNano : 0n,
    })),
    providerRequestId: null,
  }
}

/** what events that are set aside will still be paid with */
function keptFor (folder: JournalFolder, incarnation: number): KeptCharge[] {
  const ours = folder.setAsideEvents().events.filter((one) => one.incarnation === incarnation)
  return ours.flatMap(({ event: { opening, end } }) => end.charges.map(({ accountId, coveredNano }) =>
    ({ callId: opening.id, accountId, keptNano: coveredNano })))
}

async function retrySetAside ({ folder, authority, log }: RecoveryOptions): Promise<void> {
  for (const { incarnation, event } of folder.setAsideEvents().events) {
    try {
      await authority.post(incarnation, [event], [])
      folder.retried([event.opening.id])
      log.info({ call: event.opening.id }, 'a usage event that was set aside is recorded now')
    } catch (error) {
      log.error({ err: error, call: event.opening.id }, 'a usage event is still refused by the ledger, and set aside')
    }
  }
}
