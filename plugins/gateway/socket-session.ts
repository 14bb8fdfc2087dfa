import { type RawData, type WebSocket } from 'ws'
import { type Identity } from '../../src/budget/budget.ts'
import { type Refusal } from '../../src/errors.ts'
import { type OpenCall } from '../../src/gateway/call.ts'
import { type BillableEndpoint, isRefusal, type Provider, type Target } from '../../src/providers/provider.ts'
import { type Meter } from '../../src/usage/meter.ts'
import { type CallOutcome } from '../../src/usage/usage.ts'
import { type Log } from './exchange.ts'
import { type Sweepable } from './exchanges.ts'
import { type Plane } from './plane.ts'
import { internalError, invalid, shuttingDown, withCallId } from './refusals.ts'

export interface SessionOptions {
  plane: Plane
  provider: Provider
  endpoint: BillableEndpoint
  target: Target
  key: string | undefined
  client: WebSocket
  upstream: WebSocket
  log: Log
}

/** A call on its way over a session. */
export interface SocketCall {
  call: OpenCall
  meter: Meter | null
  /** of what it was read from */
  bytes: number
}

/** messages of the client's that wait for what comes before them */
const MOST_WAITING = 1_000
const MOST_WAITING_BYTES = 4_194_304
/** of what a client has not taken yet, before its provider has to wait */
const MOST_BUFFERED = 1_048_576
const STREAM = { status: 200, contentType: 'text/event-stream', contentEncoding: 'identity', headers: {} }
const GOING_AWAY = 1001
const NORMAL = 1000

/**
 * One client's WebSocket and its provider's. The client's messages go on one after the other, as the kind of session
 * decides, those that make a call once it is held for; what the provider sends goes to the client unchanged, and is
 * metered as it passes.
 *
 * Guarantees: nothing that may cost goes to the provider unless it is held for; each call ends exactly once, before
 * the client hears of its end. Calls whose client left are read on as far as the drain limits go.
 */
export abstract class SocketSession implements Sweepable {
  place = -1
  protected readonly o: SessionOptions
  /** that are held */
  protected readonly calls = new Set<SocketCall>()
  protected clientGone = false
  protected upstreamGone = false
  readonly #waiting: Buffer[] = []
  /** of the one that is looked at too */
  #waitingBytes = 0
  #working = false
  #drainingSince = 0
  #drainedBytes = 0
  #heardAt = 0
  #pausedAt = 0
  #closesWhenIdle = false
  /** when the client last said something, or a call ended */
  #usedAt = performance.now()

  constructor (options: SessionOptions) {
    this.o = options
    const { client, upstream } = options
    client.on('message', (data, isBinary) => { this.#fromClient(bytesOf(data), isBinary) })
    client.on('error', () => { client.terminate() })
    client.once('close', () => { this.#clientLeft() })
    upstream.on('message', (data, isBinary) => { this.#fromUpstream(bytesOf(data), isBinary) })
    upstream.on('error', (err) => {
      options.log.warn({ err }, 'a WebSocket to a provider broke')
      upstream.terminate()
    })
    upstream.once('close', (code) => { this.#upstreamLeft(code) })
  }

  /** One message of the client's, a JSON object. */
  protected abstract take (body: Record<string, unknown>, bytes: Buffer): Promise<void>
  /** A message of the provider's, before it goes to the client. */
  protected abstract heard (bytes: Buffer): void
  /** true: the client's next message has to wait */
  protected abstract get busy (): boolean
  /** what is held and will not be used */
  protected abstract unused (): SocketCall[]

  closeWhenIdle (): void {
    this.#closesWhenIdle = true
    this.#closeIfIdle()
  }

  /**
   * Pings are no use of it: clients answer them by themselves, also where nobody has been there for hours. What is held
   * for an answer that may begin is given back with it.
   */
  closeIfIdleSince (time: number): void {
    if (this.#usedAt <= time && this.#isIdle) this.o.client.close(GOING_AWAY, 'idle')
  }

  /** Called at a steady pace with the time, while something is held: ends what stands still. */
  sweep (now: number): void {
    const { drain, stalledClientMs } = this.o.plane.exchanges.limits
    if (this.clientGone) {
      if (this.#drainingSince > 0 && now - this.#drainingSince > drain.ms) this.#abandon()
    } else if (this.#pausedAt > 0) {
      if (now - this.#pausedAt > stalledClientMs) this.o.client.terminate()
    } else if (this.#underway && now - this.#heardAt > this.o.plane.silenceMs) {
      this.o.upstream.terminate()
    }
  }

  cut (error: Error): void {
    this.#endAll('upstream_broken', error)
    this.o.upstream.terminate()
  }

  /** Holds for a call; null: it may not go, and its client has been told. `body` and `bytes`: what it is read from. */
  protected async hold (body: Record<string, unknown>, bytes: Buffer): Promise<SocketCall | null> {
    const { plane, target, key } = this.o
    const identity = await plane.gate.identify(key, target.headers ?? {})
    if (isRefusal(identity)) return this.refuse(identity)
    const full = plane.load.enterCall(bytes.length)
    if (full !== null) return this.refuse(full)
    let held: SocketCall | null = null
    try {
      held = await this.#open(body, bytes, identity)
      return held
    } finally {
      if (held === null) plane.load.leaveCall(bytes.length)
    }
  }

  async #open (body: Record<string, unknown>, bytes: Buffer, identity: Identity): Promise<SocketCall | null> {
    const { plane, provider, endpoint, target } = this.o
    const gone = (): boolean => this.clientGone || this.upstreamGone
    const call = await plane.gate.open({ provider, endpoint, identity, target, body, bytes, requestId: null }, gone)
    if (isRefusal(call)) {
      // the gate has counted it
      this.#tell(call)
      return null
    }
    if (gone() || plane.exchanges.closed || call.upstream !== provider.name) {
      call.release()
      return gone()
        ? null
        : this.refuse(plane.exchanges.closed
          ? shuttingDown()
          : invalid(`Models of ${call.upstream} are not served over WebSockets. Use HTTP.`))
    }
    const held = { call, meter: this.#guarded(() => call.meter(STREAM), null), bytes: bytes.length }
    this.calls.add(held)
    this.#heardAt = performance.now()
    if (this.calls.size === 1) plane.exchanges.add(this)
    return held
  }

  protected meter (held: SocketCall, bytes: Buffer): void {
    this.#guarded(() => held.meter?.data(asEvent(bytes)), undefined)
  }

  /** `status`: the provider's, null where it never answered */
  protected end (
    held: SocketCall, status: number | null, outcome: CallOutcome = 'completed', error: Error | null = null
  ): void {
    if (!this.calls.has(held)) return
    const reading = this.#guarded(() => {
      held.meter?.end()
      return held.meter?.reading() ?? null
    }, null)
    const how = outcome === 'completed' && this.clientGone ? 'client_gone' : outcome
    this.#guarded(() => { held.call.settle({ outcome: how, status, reading, error }) }, undefined)
    this.#gone(held)
  }

  protected release (held: SocketCall): void {
    this.#guarded(() => { held.call.release() }, undefined)
    this.#gone(held)
  }

  protected refuse (refusal: Refusal): null {
    const named = withCallId(refusal, {})
    this.o.plane.gate.refused(named, this.o.provider.name)
    this.#tell(named)
    return null
  }

  /** calls that the provider works on */
  get #underway (): boolean { return this.calls.size > this.unused().length }

  #fromClient (bytes: Buffer, isBinary: boolean): void {
    this.#usedAt = performance.now()
    const full = this.#waiting.length >= MOST_WAITING || this.#waitingBytes + bytes.length > MOST_WAITING_BYTES
    if (isBinary) this.refuse(invalid('A message must be text.'))
    else if (full && this.#waiting.length > 0) this.refuse(invalid('Too many messages wait for what is under way.'))
    else {
      const tooMuch = this.o.plane.load.grow(bytes.length)
      if (tooMuch !== null) {
        this.refuse(tooMuch)
        return
      }
      this.#waiting.push(bytes)
      this.#waitingBytes += bytes.length
      this.#next()
    }
  }

  /** the next message, where nothing is in its way */
  #next (): void {
    if (this.#working || this.clientGone || this.busy) return
    const bytes = this.#waiting.shift()
    if (bytes === undefined) {
      this.#closeIfIdle()
      return
    }
    const { plane, log } = this.o
    this.#working = true
    plane.exchanges.opening()
    this.#read(bytes).catch((err: unknown) => {
      log.error({ err }, 'opening a call failed')
      this.refuse(internalError())
    }).finally(() => {
      this.#working = false
      this.#forget([bytes])
      plane.exchanges.opened()
      this.#next()
    })
  }

  /** they are not kept any more */
  #forget (messages: Buffer[]): void {
    for (const { length } of messages) {
      this.#waitingBytes -= length
      this.o.plane.load.shrink(length)
    }
  }

  async #read (bytes: Buffer): Promise<void> {
    const { plane } = this.o
    const parsed = plane.exchanges.closing ? { refusal: shuttingDown() } : plane.parse(bytes)
    if ('refusal' in parsed) this.refuse(parsed.refusal)
    else await this.take(parsed.body, bytes)
  }

  #fromUpstream (bytes: Buffer, isBinary: boolean): void {
    this.#heardAt = performance.now()
    if (!isBinary) this.#guarded(() => { this.heard(bytes) }, undefined)
    if (this.clientGone) {
      this.#drainedBytes += bytes.length
      if (this.#drainedBytes > this.o.plane.exchanges.limits.drain.bytes) this.#abandon()
      return
    }
    this.#pass(bytes, isBinary)
    // only now: a connection that closes takes nothing more
    this.#next()
  }

  #pass (bytes: Buffer, isBinary: boolean): void {
    const { client, upstream } = this.o
    client.send(bytes, { binary: isBinary }, () => {
      if (this.#pausedAt === 0 || client.bufferedAmount > MOST_BUFFERED / 2) return
      this.#pausedAt = 0
      upstream.resume()
    })
    if (client.bufferedAmount <= MOST_BUFFERED || this.#pausedAt > 0) return
    this.#pausedAt = performance.now()
    upstream.pause()
  }

  #gone (held: SocketCall): void {
    if (!this.calls.delete(held)) return
    this.#usedAt = performance.now()
    this.o.plane.load.leaveCall(held.bytes)
    if (this.calls.size === 0) this.o.plane.exchanges.delete(this)
    if (this.clientGone && !this.#underway) {
      this.#endDrain()
      this.o.upstream.close(NORMAL)
    }
  }

  #endDrain (): void {
    if (this.#drainingSince > 0) this.o.plane.exchanges.endDrain()
    this.#drainingSince = 0
  }

  #clientLeft (): void {
    this.clientGone = true
    this.#forget(this.#waiting.splice(0))
    const { plane, provider, upstream } = this.o
    plane.sockets.delete(this)
    if (!this.#underway) upstream.close(NORMAL)
    else if ((plane.onDisconnect[provider.name] ?? 'drain') === 'drain' && plane.exchanges.startDrain()) {
      this.#drainingSince = performance.now()
      upstream.resume()
    } else {
      this.#abandon()
    }
  }

  /** Stops reading calls that nobody waits for. */
  #abandon (): void {
    this.#endAll('client_gone', new Error('the client closed the connection'))
    this.o.upstream.terminate()
  }

  #upstreamLeft (code: number): void {
    this.upstreamGone = true
    this.#forget(this.#waiting.splice(0))
    this.#endAll(this.clientGone ? 'client_gone' : 'upstream_broken', new Error('the provider closed the connection'))
    this.o.client.close(code === NORMAL || (code >= 3000 && code < 5000) ? code : GOING_AWAY)
  }

  #endAll (outcome: CallOutcome, error: Error): void {
    for (const held of this.unused()) this.release(held)
    for (const held of [...this.calls]) this.end(held, 200, outcome, error)
    this.#endDrain()
  }

  #closeIfIdle (): void { if (this.#closesWhenIdle && this.#isIdle) this.o.client.close(GOING_AWAY) }

  get #isIdle (): boolean { return !this.#working && this.#waiting.length === 0 && !this.#underway }

  /** as the provider itself tells of an error over a WebSocket: its envelope, and the status that it would have had */
  #tell (refusal: Refusal): void {
    if (this.clientGone) return
    const { provider, client, target } = this.o
    const { callId } = withCallId(refusal, {})
    const { status, body } = provider.dialect.renderRefusal(refusal, callId, String(target.headers?.['user-agent'] ?? ''))
    client.send(JSON.stringify({ type: 'error', status, ...JSON.parse(body) as object }))
  }

  #guarded<T> (work: () => T, otherwise: T): T {
    try {
      return work()
    } catch (err) {
      this.o.log.error({ err }, 'a step of a call failed')
      return otherwise
    }
  }
}

const DATA = Buffer.from('data: ')
const END = Buffer.from('\n\n')
const LINE_ENDS = [0x0a, 0x0d]
const SPACE = 0x20

/** in one line: in JSON a line's end is never part of a value */
function asEvent (bytes: Buffer): Buffer {
  const event = Buffer.concat([DATA, bytes, END])
  const text = event.subarray(DATA.length, event.length - END.length)
  for (const end of LINE_ENDS) {
    for (let at = text.indexOf(end); at >= 0; at = text.indexOf(end, at + 1)) text[at] = SPACE
  }
  return event
}

function bytesOf (data: RawData): Buffer {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data)
}
