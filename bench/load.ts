import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { serve } from './control.ts'

/**
 * The load generator as a process of its own: a number of connections, each of which sends its next request when the
 * answer to the last one is whole. It speaks just enough HTTP/1.1 to cost little beside what it measures.
 */
export interface Load {
  url: string
  path: string
  headers: Record<string, string>
  body: string
  connections: number
  ms: number
  /** goes on for longer until there were so many */
  calls: number
}

export interface Round {
  requests: number
  seconds: number
  p50Ms: number
  p99Ms: number
}

const HEAD_END = '\r\n\r\n'
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

class Connection {
  readonly #socket: Socket
  #head = ''
  /** bytes of the body still to come; -1: the head is not whole yet, Infinity: it comes in chunks */
  #left = -1
  #tail: Buffer = Buffer.alloc(0)
  #done: ((error: Error | null) => void) | null = null

  static async open (url: URL): Promise<Connection> {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  constructor (socket: Socket) {
    this.#socket = socket
    socket.on('data', (data) => { this.#read(data) })
    socket.on('error', (error) => { this.#end(error) })
    socket.on('close', () => { this.#end(new Error('the connection was closed in the middle of an answer')) })
  }

  send (request: Buffer, done: (error: Error | null) => void): void {
    this.#head = ''
    this.#left = -1
    this.#tail = Buffer.alloc(0)
    this.#done = done
    this.#socket.write(request)
  }

  close (): void { this.#socket.destroy() }

  #read (data: Buffer): void {
    const body = this.#left === -1 ? this.#readHead(data) : data
    if (body === null) return
    if (this.#left !== Infinity) {
      this.#left -= body.length
      if (this.#left === 0) this.#end(null)
      return
    }
    // no event of a stream ends in CRLF, so these bytes at an end are the last chunk
    const seen = body.length >= LAST_CHUNK.length ? body : Buffer.concat([this.#tail, body])
    this.#tail = seen.subarray(-LAST_CHUNK.length)
    if (this.#tail.equals(LAST_CHUNK)) this.#end(null)
  }

  #readHead (data: Buffer): Buffer | null {
    this.#head += data.toString('latin1')
    const end = this.#head.indexOf(HEAD_END)
    if (end === -1) return null
    const rest = Buffer.from(this.#head.slice(end + HEAD_END.length), 'latin1')
    const head = this.#head.slice(0, end).toLowerCase()
    if (!head.startsWith('http/1.1 200 ')) {
      this.#end(new Error(`not answered: ${this.#head.slice(0, 1_000)}`))
      return null
    }
    const length = /content-length: (\d+)/.exec(head)?.[1]
    this.#left = length === undefined ? Infinity : Number(length)
    return rest
  }

  #end (error: Error | null): void {
    const done = this.#done
    this.#done = null
    done?.(error)
  }
}

/** kept open between rounds: what a connection costs is not what is measured */
const pools = new Map<string, Connection[]>()

async function pool ({ url, connections }: Load): Promise<Connection[]> {
  const key = `${url} ${connections}`
  let open = pools.get(key)
  if (open === undefined) {
    open = await Promise.all(Array.from({ length: connections }, () => Connection.open(new URL(url))))
    pools.set(key, open)
  }
  return open
}

async function run (load: Load): Promise<Round> {
  const connections = await pool(load)
  const request = bytesOf(load)
  const times: number[] = []
  const start = performance.now()
  await Promise.all(connections.map((connection) =>
    keepCalling(connection, request, (now) => now - start >= load.ms && times.length >= load.calls, times)))
  const seconds = (performance.now() - start) / 1000
  times.sort((a, b) => a - b)
  return { requests: times.length, seconds, p50Ms: at(times, 0.5), p99Ms: at(times, 0.99) }
}

function keepCalling (
  connection: Connection, request: Buffer, over: (now: number) => boolean, times: number[]
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = 0
    const next = (): void => {
      sentAt = performance.now()
      connection.send(request, (error) => {
        const now = performance.now()
        times.push(now - sentAt)
        if (error !== null) reject(error)
        else if (over(now)) resolve()
        else next()
      })
    }
    next()
  })
}

function bytesOf ({ url, path, headers, body }: Load): Buffer {
  const lines = Object.entries({ ...headers, host: new URL(url).host, 'content-length': Buffer.byteLength(body) })
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')}${HEAD_END}${body}`)
}

function at (sorted: number[], quantile: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? NaN
}

function closeAll (): void {
  for (const connection of [...pools.values()].flat()) connection.close()
  pools.clear()
}

serve({}, async (ask) => {
  if (ask === 'forget') return closeAll()
  return await run(ask as Load)
}, async () => { closeAll() })
