import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'

/**
 * A network that can be broken: TCP on 127.0.0.1 that leads to a server, byte for byte, until a test says otherwise.
 * Whatever it does, bytes that arrive are in order and none is missing before the one that comes: a connection is slow,
 * silent or cut, never corrupt.
 */

/** a port on 127.0.0.1, or the path of a Unix socket */
export type Target = number | string

/**
 * Where a connection is cut:
 * - `before`: what was asked never reaches the server;
 * - `unanswered`: the server has answered, and so has done it, but the answer is lost;
 * - `after`: the first bytes of the answer arrive, and then the end.
 */
export type Moment = 'before' | 'unanswered' | 'after'

export type Direction = 'requests' | 'replies' | 'both'

export interface FaultProxy {
  /** on 127.0.0.1; stays the same for life */
  readonly port: number
  /** connections of clients that are open now */
  readonly open: number
  /** connections that clients have made so far */
  readonly accepted: number
  /** all is well again: what was held arrives, at once and in order */
  pass (): void
  /** each piece arrives so much later, in both directions */
  delay (ms: number): void
  /**
   * The black hole, or a partition: connections stay and are made, nothing arrives until `pass`. With `replies` the
   * server hears and does everything, with `requests` it only talks.
   */
  hold (direction?: Direction): void
  /** The server loses its connections and the clients are not told: they talk to nobody. New ones are as always. */
  halfOpen (): void
  /** resets every connection that is open */
  cut (): void
  /** resets every connection, and every one that is made until `pass` */
  refuse (): void
  /**
   * Resets, once, the first connection on which this is asked; resolves when it has. Text that the bytes of a request
   * hold (`commit`, `EXPIRE`), also over several pieces.
   */
  cutOn (asked: string, moment: Moment): Promise<void>
  /** new connections lead there: another server behind the same address */
  retarget (to: Target): void
  close (): Promise<void>
}

export async function startFaultProxy (to: Target): Promise<FaultProxy> {
  const proxy = new TcpFaultProxy(to)
  await proxy.listen()
  return proxy
}

/** the same, closed when the test ends */
export async function aFaultProxy (t: { teardown (fn: () => unknown): void }, to: Target): Promise<FaultProxy> {
  const proxy = await startFaultProxy(to)
  t.teardown(() => proxy.close())
  return proxy
}

/** in front of a PostgreSQL, by its URL (a socket's folder or a host); and the URL that leads there */
export async function startPostgresProxy (url: string): Promise<{ proxy: FaultProxy, url: string }> {
  const { username, password, pathname, hostname, port } = new URL(url)
  const host = decodeURIComponent(hostname)
  const proxy = await startFaultProxy(host.startsWith('/') ? join(host, '.s.PGSQL.5432') : Number(port))
  return { proxy, url: `postgres://${username}:${password}@127.0.0.1:${proxy.port}${pathname}` }
}

interface Cut { asked: string, moment: Moment, done: () => void }

class TcpFaultProxy implements FaultProxy {
  #to: Target
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #delayMs = 0
  #held: Direction | null = null
  #refusing = false
  #cuts: Cut[] = []
  accepted = 0

  constructor (to: Target) {
    this.#to = to
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => { this.#accept(client) })
  }

  async listen (): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port (): number { return (this.#server.address() as AddressInfo).port }

  get open (): number { return this.#pairs.size }

  pass (): void {
    this.#refusing = false
    this.#delayMs = 0
    this.#held = null
    for (const pair of this.#pairs) pair.pump()
  }

  delay (ms: number): void { this.#delayMs = ms }

  hold (direction: Direction = 'both'): void { this.#held = direction }

  halfOpen (): void { for (const pair of this.#pairs) pair.forsake() }

  cut (): void { for (const pair of [...this.#pairs]) pair.reset() }

  refuse (): void {
    this.#refusing = true
    this.cut()
  }

  cutOn (asked: string, moment: Moment): Promise<void> {
    return new Promise((resolve) => { this.#cuts.push({ asked, moment, done: resolve }) })
  }

  retarget (to: Target): void { this.#to = to }

  async close (): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #accept (client: Socket): void {
    this.accepted++
    if (this.#refusing) {
      client.on('error', () => undefined)
      client.resetAndDestroy()
      return
    }
    const to = this.#to
    const pair = new Pair(client, typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to), {
      delayMs: () => this.#delayMs,
      holds: (direction) => this.#held === 'both' || this.#held === direction,
      cutFor: (text) => this.#cutFor(text),
      closed: () => { this.#pairs.delete(pair) },
    })
    this.#pairs.add(pair)
  }

  #cutFor (text: string): Cut | undefined {
    const cut = this.#cuts.find(({ asked }) => text.includes(asked))
    if (cut !== undefined) this.#cuts = this.#cuts.filter((one) => one !== cut)
    return cut
  }
}

interface Rules {
  delayMs (): number
  holds (direction: Direction): boolean
  /** the cut that these bytes of requests ask for; each is answered once */
  cutFor (text: string): Cut | undefined
  closed (): void
}

/** null: the sender has said its last */
interface Piece { bytes: Buffer | null, at: number }

/** how many bytes of requests are remembered, to find what was asked over several pieces */
const TAIL = 256

/** a client's connection and the one to the server that goes with it */
class Pair {
  readonly #client: Socket
  readonly #server: Socket
  readonly #rules: Rules
  readonly #waiting: Record<'requests' | 'replies', Piece[]> = { requests: [], replies: [] }
  readonly #timers = new Set<NodeJS.Timeout>()
  #tail = ''
  /** what is cut with the next answer */
  #cut: Cut | undefined
  #forsaken = false

  constructor (client: Socket, server: Socket, rules: Rules) {
    this.#client = client
    this.#server = server
    this.#rules = rules
    server.setNoDelay(true)
    server.allowHalfOpen = true
    this.#read(client, 'requests')
    this.#read(server, 'replies')
  }

  forsake (): void {
    this.#forsaken = true
    this.#drop()
    reset(this.#server)
  }

  reset (): void {
    this.#drop()
    this.#client.resetAndDestroy()
    reset(this.#server)
    this.#rules.closed()
  }

  /** passes on what is due */
  pump (): void {
    this.#pump('requests')
    this.#pump('replies')
  }

  #drop (): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#waiting.requests.length = 0
    this.#waiting.replies.length = 0
  }

  #read (from: Socket, direction: 'requests' | 'replies'): void {
    const take = (bytes: Buffer | null): void => {
      if (this.#forsaken) return
      this.#waiting[direction].push({ bytes, at: Date.now() + this.#rules.delayMs() })
      this.#pump(direction)
    }
    from.on('data', take)
    from.on('end', () => { take(null) })
    // what a broken connection means for the other end is told by its close
    from.on('error', () => undefined)
    from.on('close', (broken) => {
      if (this.#forsaken && from === this.#server) return
      if (broken || this.#forsaken || (this.#client.destroyed && this.#server.destroyed)) this.reset()
    })
  }

  #pump (direction: 'requests' | 'replies'): void {
    const waiting = this.#waiting[direction]
    for (let piece = waiting[0]; piece !== undefined; piece = waiting[0]) {
      if (this.#rules.holds(direction)) return
      // `pass` takes every delay back
      const left = this.#rules.delayMs() === 0 ? 0 : piece.at - Date.now()
      if (left > 0) {
        this.#later(direction, left)
        return
      }
      waiting.shift()
      if (direction === 'requests') this.#ask(piece.bytes)
      else this.#answer(piece.bytes)
    }
  }

  #later (direction: 'requests' | 'replies', ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#pump(direction)
    }, ms)
    this.#timers.add(timer)
  }

  #ask (bytes: Buffer | null): void {
    if (bytes === null) {
      this.#server.end()
      return
    }
    const text = this.#tail + bytes.toString('latin1')
    this.#tail = text.slice(-TAIL)
    const cut = this.#rules.cutFor(text)
    if (cut !== undefined) this.#tail = ''
    if (cut?.moment === 'before') {
      this.#end(cut)
      return
    }
    this.#cut ??= cut
    this.#server.write(bytes)
  }

  #answer (bytes: Buffer | null): void {
    if (bytes === null) {
      this.#client.end()
      return
    }
    if (this.#cut?.moment === 'unanswered') {
      this.#end(this.#cut)
      return
    }
    this.#client.write(bytes)
    if (this.#cut === undefined) return
    // not reset: that could overtake what was just written
    this.forsake()
    this.#client.end()
    this.#cut.done()
  }

  #end (cut: Cut): void {
    this.reset()
    cut.done()
  }
}

/** a Unix socket knows no reset */
function reset (socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy()
  else socket.resetAndDestroy()
}
