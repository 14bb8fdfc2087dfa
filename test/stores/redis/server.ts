import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findServer } from '../../services/redis.ts'

interface Tearing { teardown (fn: () => unknown): void }

/** A private redis-server that a test may kill, start again, and look into. */
export interface RedisServer {
  url: string
  port: number
  /** without asking whether it would like to */
  kill (): Promise<void>
  start (): Promise<void>
  /** stops and continues the process: connections stay, nothing answers */
  freeze (): void
  thaw (): void
  admin: Redis
}

export async function aRedisServer (t: Tearing, args: string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  const port = await freePort()
  let child: ChildProcess | null = null

  async function start (): Promise<void> {
    const { program, env } = findServer()
    child = spawn(program, [
      '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no', ...args,
    ], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
    let text = ''
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      text += chunk.toString()
      if (text.includes('Ready to accept connections')) break
    }
  }

  async function kill (): Promise<void> {
    if (child === null) return
    const closed = once(child, 'exit')
    child.kill('SIGKILL')
    child = null
    await closed
  }

  await start()
  const admin = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 })
  admin.on('error', () => {})
  t.teardown(async () => {
    admin.disconnect()
    await kill()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    start,
    freeze: () => { child?.kill('SIGSTOP') },
    thaw: () => { child?.kill('SIGCONT') },
    admin,
  }
}

export interface PauseProxy {
  port: number
  /** takes connections and bytes and passes nothing on */
  pause (): void
  resume (): void
}

export async function aPauseProxy (t: Tearing, to: number): Promise<PauseProxy> {
  const sockets = new Set<Socket>()
  let paused = false
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    for (const [from, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(from)
      from.on('error', () => { other.destroy() })
      from.on('close', () => {
        sockets.delete(from)
        other.destroy()
      })
      from.on('data', (chunk) => { other.write(chunk) })
      if (paused) from.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    port: (server.address() as AddressInfo).port,
    pause () {
      paused = true
      for (const socket of sockets) socket.pause()
    },
    resume () {
      paused = false
      for (const socket of sockets) socket.resume()
    },
  }
}

async function freePort (): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
