import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findServer } from './redis.ts'
import { freePort } from './free-port.ts'

/** A private redis-server that a test may kill, start again, and look into. */
export interface RedisServer {
  url: string
  port: number
  folder: string
  /** without asking whether it would like to */
  kill (): Promise<void>
  start (): Promise<void>
  /** stops and continues the process: connections stay, nothing answers */
  freeze (): void
  thaw (): void
  /** a connection to this very server, made anew when it is lost */
  admin: Redis
  /** for good */
  stop (): Promise<void>
}

/** `args` go before those of a server without persistence in a folder of its own; `password`: what they demand */
export async function startRedisServer (args: string[] = [], password?: string): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  const port = await freePort()
  let child: ChildProcess | null = null

  async function start (): Promise<void> {
    const { program, env } = findServer()
    const started = spawn(program, [
      ...args, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no',
    ], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
    child = started
    await readiness(started)
  }

  async function kill (): Promise<void> {
    const ending = child
    child = null
    if (ending === null || ending.exitCode !== null || ending.signalCode !== null) return
    const closed = once(ending, 'exit')
    ending.kill('SIGKILL')
    await closed
  }

  await start()
  const admin = new Redis({ port, host: '127.0.0.1', protocol: 2, retryStrategy: () => 50, ...password === undefined ? {} : { password } })
  admin.on('error', () => {})
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    kill,
    start,
    freeze: () => { child?.kill('SIGSTOP') },
    thaw: () => { child?.kill('SIGCONT') },
    admin,
    async stop () {
      admin.disconnect()
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Throws what it said where it ends instead: somebody else may have its port by now. */
export async function readiness (child: ChildProcess): Promise<void> {
  let text = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (text !== '' && READY.test(text)) return
      text += chunk.toString()
      if (READY.test(text)) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => { reject(new Error(`redis-server ended instead of starting:\n${text}`)) })
  })
}

const READY = /Ready to accept connections|Sentinel ID is/
