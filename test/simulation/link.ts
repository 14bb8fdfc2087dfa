import { AuthorityUnavailableError, BatchRefusedError } from '../../src/account/authority.ts'
import { type SimAuthority } from './ledger.ts'
import { type Process } from './machine.ts'
import { type World } from './world.ts'

/** How long the ledger is waited for, as the real client does it; what is asked may come about for so long. */
const GRANT_MS = 3_000
const POST_MS = 20_000
/** of what a lost message would still have taken, the client gives up after this */
const LATEST = 0.95

/**
 * The ledger as one process reaches it. What is asked for may come late, twice or never, and so may the answer; then
 * the process hears that nobody knows. Each request is done whole, at one moment.
 */
export function linkOf (process: Process, world: World): SimAuthority {
  const { scheduler, random, ledger: { authority } } = world

  function ask<T> (what: string, limitMs: number, run: () => Promise<T>): Promise<T> {
    const { requestLost, answerLost, duplicated, latency } = world.faults
    if (!process.effect()) return new Promise(() => {})
    return new Promise<T>((resolve, reject) => {
      const late = scheduler.after(limitMs, '', () => {
        reject(new AuthorityUnavailableError(`no answer to ${what} in time`))
      }, process)
      const answer = (how: () => void): void => {
        if (random.chance(answerLost)) {
          scheduler.trace?.(scheduler.line(`the answer to ${what} of ${process.name} is lost`, null))
          return
        }
        scheduler.after(random.latency(latency, limitMs), `hears the answer to ${what}`, () => {
          scheduler.cancel(late)
          how()
        }, process)
      }
      if (random.chance(requestLost) || world.ledgerDown) return
      const times = random.chance(duplicated) ? 2 : 1
      for (let time = 0; time < times; time++) {
        const delay = random.latency(latency, limitMs * LATEST)
        scheduler.after(delay, `${what} of ${process.name}`, () => {
          const done = world.atLedger(run)
          const told = done.then((value) => { answer(() => { resolve(value) }) }, (error: unknown) => {
            if (error instanceof BatchRefusedError) world.refused(process, error)
            answer(() => { reject(error instanceof Error ? error : new Error(String(error))) })
          })
          scheduler.awaiting(told)
        }, null)
      }
    })
  }

  return {
    join: (journalId, host) => ask('join', GRANT_MS, () => authority.join(journalId, host)),
    unbegun: (journalId) => ask('unbegun', GRANT_MS, () => authority.unbegun(journalId)),
    ensureAccounts: (specs, incarnation) => ask('ensure accounts', GRANT_MS, async () => {
      const found = await authority.ensureAccounts(specs, incarnation)
      world.opened(specs, found)
      return found
    }),
    grant: (incarnation, request) => ask(`grant ${world.needsOf(request)}`, GRANT_MS, () => authority.grant(incarnation, request)),
    heartbeat: (incarnation, accountIds) => ask('heartbeat', GRANT_MS, () => authority.heartbeat(incarnation, accountIds)),
    inspect: (accountIds) => ask('inspect', GRANT_MS, () => authority.inspect(accountIds)),
    post: (incarnation, events, returns) => {
      // as they are read back from the bytes of the journal
      const batch = events.map(({ opening, end }) => ({ opening, end }))
      const back = returns.map(({ accountId, returnedNano }) => `${world.accountName(accountId)}:${returnedNano}`).join(' ')
      return ask(`post [${batch.map(({ opening: { id } }) => world.nameOf(id)).join(' ')}] back [${back}]`, POST_MS, async () => {
        world.refuseSome(batch)
        const answer = await authority.post(incarnation, batch, returns)
        for (const { end } of batch) if (answer.inserted.includes(end.id)) world.inserted(end)
        return answer
      })
    },
    keep: (incarnation, call) => ask(`keep ${world.nameOf(call.opening.id)}`, GRANT_MS, async () => {
      const answer = await authority.keep(incarnation, call)
      if (answer.kept) world.keptAsRow(call.opening.id)
      return answer
    }),
    beginRecovery: (incarnation) => ask('begin recovery', POST_MS, () => authority.beginRecovery(incarnation)),
    silent: (withinMs) => ask('silent', GRANT_MS, () => authority.silent(withinMs)),
    closeLeases: (incarnation, kept) => ask('close leases', POST_MS, () => authority.closeLeases(incarnation, kept)),
  }
}
