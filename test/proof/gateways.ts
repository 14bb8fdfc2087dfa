import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, renameSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { agree, nothingLeft } from './books.ts'
import { type GatewayProcess, kill, ProofWorld } from './world.ts'

/** What gateways go through, each by itself; all end with the provider's books and the ledger being the same. */
export type Say = (line: string) => void

interface Setting { gateway: GatewayProcess, key: string, budgetId: string }

/** a gateway, and a budget and a key for it */
export async function aSetting (
  world: ProofWorld, env: Record<string, string> = {}, amount = '100', program?: string
): Promise<Setting> {
  const gateway = await world.startGateway(undefined, env, program)
  const { id } = await world.admin<{ id: string }>(gateway, 'POST', '/budgets', {
    name: 'acme',
    scopeType: 'organization',
    scopeId: 'acme',
    amount,
    currency: 'USD',
    period: 'annual',
    startDate: '2020-01-01T00:00:00Z',
  })
  const { key } = await world.admin<{ key: string }>(gateway, 'POST', '/keys', { name: 'k', organizationId: 'acme' })
  return { gateway, key, budgetId: id }
}

/** calls at once; how many of them were answered with 200 */
export async function someCalls (
  world: ProofWorld, { gateway, key }: Pick<Setting, 'gateway' | 'key'>, name: string, count: number, behaviour: object = {}
): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, async (_, n) =>
    await world.call(gateway, key, `${name}.${n}`, { max_tokens: 100, stream: 'gapMs' in behaviour }, behaviour)
      .catch((error: Error) => ({ status: 0, code: error.message }))))
  world.refused = answers.flatMap(({ status, code }) => status === 200 ? [] : [`${status} ${code}`])
  return count - world.refused.length
}

async function liveIncarnation (world: ProofWorld): Promise<number> {
  const [row] = await world.rows<{ incarnation: string }>('select max(incarnation) as incarnation from gateways')
  return Number(row?.incarnation)
}

/** as if it had not been heard of for a minute */
async function silence (world: ProofWorld, incarnation: number): Promise<void> {
  await world.rows("update gateways set heartbeat_at = now() - interval '1 minute' where incarnation = $1", [incarnation])
}

/** PostgreSQL takes no records for as long, and grants as ever */
async function withoutRecords<T> (world: ProofWorld, work: () => Promise<T>): Promise<T> {
  const client = await world.db.connect()
  try {
    await client.query('begin')
    await client.query('lock table usage_events in share mode')
    const result = await work()
    // what waits for the lock is of processes that are no more
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where pid <> pg_backend_pid() and datname = current_database() and wait_event_type = 'Lock'`)
    return result
  } finally {
    await client.query('rollback')
    client.release()
  }
}

export async function reached (world: ProofWorld, count: number): Promise<void> {
  await world.settled(async () => (await world.books()).length >= count)
}

async function standing (world: ProofWorld, gateway: GatewayProcess, budgetId: string) {
  const { currentAmount, inDoubt } = await world.admin<{ currentAmount: string, inDoubt: string }>(gateway, 'GET', `/budgets/${budgetId}/status`)
  return { currentAmount, inDoubt }
}

async function recordedCalls (world: ProofWorld): Promise<{ exact: number, uncertain: number }> {
  const [row] = await world.rows<{ exact: string, uncertain: string }>(`
    select count(*) filter (where certainty = 'exact') as exact, count(*) filter (where certainty = 'uncertain') as uncertain
    from usage_events where request_id is not null`)
  return { exact: Number(row?.exact), uncertain: Number(row?.uncertain) }
}

async function inTheCopy (world: ProofWorld, incarnation: number): Promise<number> {
  const redis = new Redis(world.redisUrl as string)
  try {
    const [key] = await redis.keys(`*:journal:${incarnation}`)
    if (key === undefined) return 0
    const entries = await redis.xrange(key, '-', '+')
    return entries.reduce((sum, [, fields]) => sum + (fields[1] as string).split('\n').length - 1, 0) / 2
  } finally {
    redis.disconnect()
  }
}

export interface LostResult { ended: number, open: number, found: number, recoveryMs: number }

/**
 * A host dies with calls that have ended and are not recorded, and with calls that are open; a gateway starts on an
 * empty disk in its place. With the copy of the journal it records what had ended, without it nothing; the rest of the
 * leases is in doubt, shown, and written off. Then the disk turns up after all, and a start on it puts the real figures
 * in the place of the write-off. `short`: it is said to be silent, rather than missed, and its disk stays away.
 */
export async function proveLost (
  world: ProofWorld, { copy, ended, short }: { copy: boolean, ended: number, short: boolean }, say: Say
): Promise<LostResult> {
  const open = 3
  const lost = await aSetting(world, copy ? {} : { RELAYCORE_JOURNAL_COPY_BYTES: '0' })
  const incarnation = await liveIncarnation(world)
  await withoutRecords(world, async () => {
    if (await someCalls(world, lost, 'ended', ended) !== ended) throw new Error('not all calls were answered')
    const others = someCalls(world, lost, 'open', open, { pieces: 50, gapMs: 1_000 })
    await reached(world, ended + open)
    if (copy) await world.settled(async () => await inTheCopy(world, incarnation) === ended)
    await kill(lost.gateway.child, 'SIGKILL')
    await others
  })
  const elsewhere = `${lost.gateway.dataDir}-elsewhere`
  renameSync(lost.gateway.dataDir, elsewhere)
  const from = Date.now()
  if (short) await silence(world, incarnation)
  const next = await world.startGateway(lost.gateway)
  const found = copy ? ended : 0
  await world.settled(async () => (await recordedCalls(world)).exact === found, 40_000)
  const recoveryMs = Date.now() - from
  await world.settled(async () => (await standing(world, next, lost.budgetId)).inDoubt !== '0', 20_000)
  const before = await standing(world, next, lost.budgetId)
  const { gateways } = await world.admin<{ gateways: { id: string }[] }>(next, 'GET', '/gateways')
  if (gateways.length !== 1) throw new Error('the lost gateway is not listed')
  await world.admin(next, 'POST', `/gateways/${incarnation}/write-off`)
  const after = await standing(world, next, lost.budgetId)
  if (after.inDoubt !== '0') throw new Error('something is in doubt after the write-off')
  say(`${copy ? 'with' : 'without'} the copy: ${ended} calls had ended and ${open} were open; ${found} were recorded ` +
    `${recoveryMs} ms after the death; ${before.inDoubt} in doubt, written off: ${after.currentAmount} counts as spent`)

  if (short) return { ended, open, found, recoveryMs }
  const again = await world.startGateway(undefined, { RELAYCORE_DATA_DIR: elsewhere })
  await settledAs(world, ended, open)
  const real = await standing(world, next, lost.budgetId)
  say(`its disk turned up: ${ended} exact, ${open} uncertain, ${real.currentAmount} is spent`)
  await endAll(world, [next, again])
  return { ended, open, found, recoveryMs }
}

async function settledAs (world: ProofWorld, exact: number, uncertain: number): Promise<void> {
  await agree(world)
  const found = await recordedCalls(world)
  if (found.exact !== exact || found.uncertain !== uncertain) {
    throw new Error(`${found.exact} exact and ${found.uncertain} uncertain, not ${exact} and ${uncertain}`)
  }
}

export async function endAll (world: ProofWorld, gateways: readonly GatewayProcess[]): Promise<void> {
  for (const { child, output } of gateways) {
    const code = await kill(child, 'SIGTERM')
    if (code !== 0) throw new Error(`a gateway ended with ${code}: ${output.join('')}`)
  }
  await agree(world)
  await nothingLeft(world)
}

/**
 * A gateway is stopped (SIGSTOP) with calls open, given up by another, and woken: it finds that it lives no more, and
 * ends; a start on its journal puts the real figures in the place of the write-off. Before that, one that is stopped
 * for a shorter while just goes on.
 */
export async function proveFrozen (world: ProofWorld, { really }: { really: boolean }, say: Say): Promise<void> {
  const frozen = await aSetting(world)
  const incarnation = await liveIncarnation(world)
  const short = someCalls(world, frozen, 'short', 5, { pieces: 4, gapMs: 200 })
  await reached(world, 5)
  frozen.gateway.child.kill('SIGSTOP')
  await wait(really ? 5_000 : 300)
  frozen.gateway.child.kill('SIGCONT')
  if (await short !== 5) throw new Error('a call was broken by a pause')
  const long = someCalls(world, frozen, 'long', 4, { pieces: 10, gapMs: 300 })
  await reached(world, 9)
  frozen.gateway.child.kill('SIGSTOP')
  const other = await world.startGateway()
  if (!really) await silence(world, incarnation)
  await world.settled(async () => (await standing(world, other, frozen.budgetId)).inDoubt !== '0', 30_000)
  await world.admin(other, 'POST', `/gateways/${incarnation}/write-off`)
  const ended = new Promise<number | null>((resolve) => { frozen.gateway.child.once('exit', resolve) })
  frozen.gateway.child.kill('SIGCONT')
  const woken = Date.now()
  const code = await ended
  const done = await long
  say(`stopped, given up and woken: it ended by itself with ${code} within ${Date.now() - woken} ms, ${done} of 4 calls were answered whole`)
  if (code !== 1) throw new Error(`it ended with ${code}`)
  const again = await world.startGateway(frozen.gateway)
  await agree(world)
  const { exact, uncertain } = await recordedCalls(world)
  say(`started again: ${exact} exact, ${uncertain} uncertain`)
  await endAll(world, [again, other])
}

const HEARD = "select 1 from gateways where heartbeat_at > clock_timestamp() - $1 * interval '1 millisecond'"

/**
 * The clock of a running gateway is set an hour ahead, back, and an hour behind, with calls open; it goes on being
 * heard of, and goes on granting.
 */
export async function proveClockSteps (world: ProofWorld, { calls }: { calls: number }, say: Say): Promise<Setting> {
  const steps = [3_600_000, -3_600_000, -3_600_000, 3_600_000]
  const setting = await aSetting(world, { CLOCK_STEPS_MS: steps.join() })
  let slowest = 0
  for (const [i, step] of steps.entries()) {
    const open = someCalls(world, setting, `over ${i}`, calls, { pieces: 4, gapMs: 100 })
    await reached(world, i * (2 * calls) + calls)
    setting.gateway.child.kill('SIGUSR2')
    const from = Date.now()
    if (await open !== calls) throw new Error(`a call was broken as the clock was set by ${step} ms`)
    if (await someCalls(world, setting, `after ${i}`, calls) !== calls) throw new Error(`a call was refused after ${step} ms: ${world.refused[0]}`)
    // it is heard of after that, by PostgreSQL's own clock
    await world.settled(async () => {
      const { length } = await world.rows(HEARD, [Date.now() - from])
      return length === 1
    })
    slowest = Math.max(slowest, Date.now() - from)
  }
  await world.settled(async () => (await recordedCalls(world)).exact === steps.length * 2 * calls)
  say(`${steps.length} steps of an hour: ${steps.length * 2 * calls} calls, all answered and exact; heard of within ${slowest} ms of each`)
  return setting
}

/**
 * SIGTERM with streams open: nobody new gets in, the streams end whole, all is recorded and given back. `running`: a
 * gateway that is there already.
 */
export async function proveStop (
  world: ProofWorld, { streams, pieces }: { streams: number, pieces: number }, say: Say, running?: Setting
): Promise<void> {
  const setting = running ?? await aSetting(world)
  const before = (await world.books()).length
  const open = someCalls(world, setting, 'stream', streams, { pieces, gapMs: 100 })
  await reached(world, before + streams)
  const from = Date.now()
  const ended = new Promise<number | null>((resolve) => { setting.gateway.child.once('exit', resolve) })
  setting.gateway.child.kill('SIGTERM')
  // the listening socket closes at once: nobody new gets in
  await world.settled(async () => await someCalls(world, setting, 'new', 1) === 0 &&
    !await world.call(setting.gateway, setting.key, 'new', {}).then(({ status }) => status === 200, () => false))
  const refusedAfter = Date.now() - from
  if (await open !== streams) throw new Error('a stream was cut')
  if (await ended !== 0) throw new Error('it did not end in order')
  const took = Date.now() - from
  // one of those that came as it was told to stop may have been let in
  await agree(world)
  if ((await recordedCalls(world)).uncertain > 0) throw new Error('a call is uncertain after a stop in order')
  await nothingLeft(world)
  say(`${streams} streams ended whole, nothing new after ${refusedAfter} ms, ended with 0 after ${took} ms: all recorded and given back`)
}

/** Streams that are longer than a stop may take are cut at its end; they are charged as what is known of them says. */
export async function proveStopLimit (world: ProofWorld, say: Say): Promise<void> {
  const setting = await aSetting(world, { RELAYCORE_SHUTDOWN_MS: '500' })
  const open = someCalls(world, setting, 'stream', 3, { pieces: 1_000, gapMs: 100 })
  await reached(world, 3)
  const from = Date.now()
  if (await kill(setting.gateway.child, 'SIGTERM') !== 0) throw new Error('it did not end in order')
  const took = Date.now() - from
  if (await open !== 0) throw new Error('a stream ended whole')
  await agree(world)
  await nothingLeft(world)
  const [row] = await world.rows<{ n: string }>("select count(*) as n from usage_events where certainty <> 'exact'")
  say(`3 streams were cut ${took} ms after SIGTERM with 500 ms to go, ${row?.n} of them charged by estimate`)
}

/** The event loop does nothing for so long, with streams open: they go on, and so does the gateway. */
export async function proveBlocked (
  world: ProofWorld, { ms, calls }: { ms: number, calls: number }, say: Say
): Promise<void> {
  const setting = await aSetting(world, { BLOCK_MS: String(ms) })
  const open = someCalls(world, setting, 'open', calls, { pieces: 4, gapMs: 100 })
  await reached(world, calls)
  const from = Date.now()
  setting.gateway.child.kill('SIGUSR2')
  const meanwhile = await someCalls(world, setting, 'meanwhile', calls)
  const took = Date.now() - from
  if (await open !== calls || meanwhile !== calls) throw new Error(`a call was not answered: ${world.refused[0]}`)
  await world.settled(async () => (await recordedCalls(world)).exact === 2 * calls)
  say(`${ms} ms without the event loop: ${calls} open streams and ${calls} calls made meanwhile were answered, within ${took} ms`)
  await endAll(world, [setting.gateway])
}

/**
 * The journal cannot grow any more, as on a full disk: calls are refused and nothing reaches the provider, open ones
 * end and are recorded; once there is room again it goes on by itself. `bytes`: what its files may have.
 */
export async function proveFullJournal (world: ProofWorld, { bytes }: { bytes: number }, say: Say): Promise<void> {
  const setting = await aSetting(world)
  const { pid } = setting.gateway.child
  const limit = (to: string) => { execFileSync('prlimit', ['--pid', String(pid), `--fsize=${to}`]) }
  const before = await someCalls(world, setting, 'before', 10)
  const open = someCalls(world, setting, 'open', 5, { pieces: 5, gapMs: 200 })
  await reached(world, 15)
  limit(`${bytes}:unlimited`)
  await world.settled(async () => {
    const answered = await someCalls(world, setting, `full ${Math.random()}`, 5)
    return answered === 0 && world.refused.every((why) => why.startsWith('503'))
  })
  const [why] = world.refused
  const atProvider = (await world.books()).length
  await someCalls(world, setting, 'none', 20)
  if ((await world.books()).length !== atProvider) throw new Error('a call was forwarded without a record of it')
  if (await open !== 5) throw new Error('an open call was broken')
  limit('unlimited:unlimited')
  const from = Date.now()
  await world.settled(async () => await someCalls(world, setting, `again ${Math.random()}`, 1) === 1, 20_000)
  say(`${before} calls, then no room: refused with ${why}, nothing of them forwarded; calls go on ${Date.now() - from} ms after there is room`)
  await agree(world)
  await endAll(world, [setting.gateway])
}

/** Clients take every descriptor that there is: open calls end, and all is well once the clients are gone. */
export async function proveNoDescriptors (
  world: ProofWorld, { spare, clients }: { spare: number, clients: number }, say: Say
): Promise<void> {
  const setting = await aSetting(world)
  const pid = String(setting.gateway.child.pid)
  const descriptors = () => readdirSync(`/proc/${pid}/fd`).length
  const open = someCalls(world, setting, 'open', 5, { pieces: 10, gapMs: 300 })
  await reached(world, 5)
  const most = descriptors() + spare
  execFileSync('prlimit', ['--pid', pid, `--nofile=${most}:${most}`])
  const port = Number(new URL(setting.gateway.url).port)
  const sockets = Array.from({ length: clients }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  await Promise.all(sockets.map(async (socket) => await Promise.race([once(socket, 'connect'), once(socket, 'close')])))
  await world.settled(async () => descriptors() >= most)
  const meanwhile = await someCalls(world, setting, 'meanwhile', 3)
  if (await open !== 5) throw new Error('an open call was broken')
  for (const socket of sockets) socket.destroy()
  const from = Date.now()
  await world.settled(async () => await someCalls(world, setting, `again ${Math.random()}`, 3) === 3, 20_000)
  say(`all ${most} descriptors taken: 5 open streams ended whole, ${meanwhile} of 3 new calls were answered; ` +
    `all again ${Date.now() - from} ms after`)
  await endAll(world, [setting.gateway])
}

export async function inAWorld (work: (world: ProofWorld) => Promise<unknown>, databaseUrl?: string): Promise<void> {
  const world = await ProofWorld.open({ redis: true, databaseUrl })
  try {
    await work(world)
  } finally {
    await world.close()
  }
}
