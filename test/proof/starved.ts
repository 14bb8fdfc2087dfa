import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { agree } from './books.ts'
import { aSetting, endAll, reached, someCalls, type Say } from './gateways.ts'
import { kill, ProofWorld } from './world.ts'

const CGROUPS = '/sys/fs/cgroup'
const HEAP_MB = 96
const MOST_BYTES = 400 << 20

/**
 * A gateway reaches its memory limit with calls open, that of its heap (V8 ends it) or that of its container (the
 * kernel kills it); started again on its journal, it has recorded what had ended, and what was open as uncertain.
 */
export async function proveMemory (world: ProofWorld, by: 'heap' | 'container', say: Say): Promise<void> {
  const setting = await aSetting(world, {
    EAT_HEAP: '1', ...by === 'heap' ? { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` } : {},
  })
  const { gateway } = setting
  const limits = by === 'container' ? contain(gateway.child.pid ?? 0) : null
  try {
    const before = await someCalls(world, setting, 'before', 20)
    const open = someCalls(world, setting, 'open', 10, { pieces: 1_000, gapMs: 50 })
    await reached(world, before + 10)
    const from = Date.now()
    const ended = once(gateway.child, 'exit')
    gateway.child.kill('SIGUSR2')
    let meanwhile = 0
    for (let n = 0; gateway.child.exitCode === null && gateway.child.signalCode === null; n++) {
      meanwhile += await someCalls(world, setting, `meanwhile ${n}`, 2)
    }
    const [, signal] = await ended as [number | null, string | null]
    const took = Date.now() - from
    if (await open !== 0) throw new Error('a stream of a gateway that is gone ended whole')
    const again = await world.startGateway(gateway, { EAT_HEAP: '1', NODE_OPTIONS: '' })
    const books = await agree(world)
    await endAll(world, [again])
    say(`${by === 'heap' ? `a heap of ${HEAP_MB} MB` : `a container of ${MOST_BYTES >> 20} MB`} was full after ${took} ms (${signal}), ` +
      `with 10 streams open, and ${meanwhile} calls answered meanwhile: started again, ${books.reached} calls at the ` +
      `provider, ${books.events} events, ${books.uncertain} uncertain; nothing held or leased`)
  } finally {
    limits?.remove()
  }
}

/** what limits the memory of a group of processes, in either version of cgroups; null: nothing that may be used */
function groups (): { folder: string, limit: string } | null {
  if (process.getuid?.() !== 0) return null
  if (existsSync(join(CGROUPS, 'cgroup.controllers'))) return { folder: CGROUPS, limit: 'memory.max' }
  const folder = join(CGROUPS, 'memory')
  return existsSync(folder) ? { folder, limit: 'memory.limit_in_bytes' } : null
}

export function mayContain (): boolean { return groups() !== null }

function contain (pid: number): { remove: () => void } {
  const { folder, limit } = groups() ?? { folder: '', limit: '' }
  const group = join(folder, `relaycore-proof-${pid}`)
  mkdirSync(group)
  writeFileSync(join(group, limit), String(MOST_BYTES))
  writeFileSync(join(group, 'cgroup.procs'), String(pid))
  return { remove: () => { rmdirSync(group) } }
}

/**
 * The journal's file system meets an error and becomes read-only, as ext4 does (`errors=remount-ro`), with streams
 * open: nothing more is forwarded, what is open ends whole and is recorded. Repaired, it serves the next start.
 */
export async function proveReadOnly (say: Say): Promise<void> {
  const world = await ProofWorld.open({ redis: true })
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-read-only-'))
  const [image, disk] = [join(folder, 'image'), join(folder, 'disk')]
  const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8' })
  const mount = (): void => { run('mount', '-o', 'loop,errors=remount-ro', image, disk) }
  mkdirSync(disk)
  run('truncate', '-s', '64M', image)
  run('mkfs.ext4', '-q', image)
  mount()
  try {
    const env = { RELAYCORE_DATA_DIR: join(disk, 'data') }
    const setting = await aSetting(world, env)
    const before = await someCalls(world, setting, 'before', 10)
    const open = someCalls(world, setting, 'open', 5, { pieces: 20, gapMs: 200 })
    await reached(world, before + 5)
    const device = basename(run('findmnt', '-no', 'SOURCE', disk).trim())
    writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'broken')
    await world.settled(async () => await someCalls(world, setting, `read-only ${Math.random()}`, 3) === 0)
    const atProvider = (await world.books()).length
    await someCalls(world, setting, 'none', 10)
    const [why] = world.refused
    if ((await world.books()).length !== atProvider) throw new Error('a call was forwarded without a record of it')
    if (await open !== 5) throw new Error('an open stream was broken')
    await world.settled(async () => {
      const [row] = await world.rows<{ n: string }>('select count(*) as n from usage_events')
      return Number(row?.n) === atProvider
    })
    const code = await kill(setting.gateway.child, 'SIGTERM')
    run('umount', disk)
    try {
      run('e2fsck', '-fy', image)
    } catch { /* it says by its code that there was something to repair */ }
    mount()
    const again = await world.startGateway(setting.gateway, env)
    if (await someCalls(world, { ...setting, gateway: again }, 'again', 5) !== 5) throw new Error(`refused: ${world.refused[0]}`)
    await endAll(world, [again])
    const { events, uncertain } = await agree(world)
    say(`${before} calls, then the journal was read-only: refused with ${why}, nothing of it forwarded, 5 open streams ended whole; ` +
      `a stop ended with ${code}; repaired and started again: ${events} events, ${uncertain} uncertain`)
  } finally {
    await world.close()
    run('umount', disk)
    rmSync(folder, { recursive: true })
  }
}
