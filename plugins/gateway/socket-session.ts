import { type RawData, type WebSocket } from 'ws'
import { type Refusal } from '../../src/errors.ts'
import { type OpenCall } from '../../src/gateway/call.ts'
import { topLevelValues } from '../../src/providers/json-scan.ts'
import { type BillableEndpoint, isRefusal, type Provider, type SocketCalls, type Target } from '../../src/providers/provider.ts'
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

/** messages of the client's that wait for the call before them */
const MOST_WAITING = 16
/** of what a client has not taken yet, before its provider has to wait */
const MOST_BUFFERED = 1_048_576
const STREAM = { status: 200, contentType: 'text/event-stream', contentEncoding: 'identity', headers: {} }
const TOLD = ['type', 'status']
const GOING_AWAY = 1001
const NORMAL = 1000

/**
 * One client's WebSocket and its provider's. Each message that makes a call is held for like a request and goes on when
 * the one before has ended; what the provider sends goes to the client unchanged, and is metered as it passes.
 *
 * Guarantees: nothing goes to the provider but calls that are held; each call ends exactly once, before the client
 * hears of its end. A call whose client left is read on as far as the drain limits go.
 */
export class SocketSession implements Sweepable {
  place = -1
  readonly #o: SessionOptions
  readonly #calls: SocketCalls
  #waiting: Buffer[] = []
  #opening = false
  #call: OpenCall | null = null
  #meter: Meter | null = null
  #drainingSince = 0
  #drainedBytes = 0
  #heardAt = 0
  #pausedAt = 0
  #clientGone = false
  #upstreamGone = false
  #closesWhenIdle = false

  constructor (options: SessionOptions) {
    this.#o = options
    const { client, upstream, endpoint } = options
    if (endpoint.socket === undefined) throw new Error(`${endpoint.name} has no calls over WebSockets`)
    this.#calls = endpoint.socket
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

  closeWhenIdle (): void {
    this.#closesWhenIdle = true
    this.#closeIfIdle()
  }

  /** Called at a steady pace with the time, while there is a call: ends what stands still. */
  sweep (now: number): void {
    const { drain, stalledClientMs } = this.#o.plane.exchanges.limits
    if (this.#clientGone) {
      if (now - this.#drainingSince > drain.ms) this.#abandon()
    } else if (this.#pausedAt > 0) {
      if (now - this.#pausedAt > stalledClientMs) this.#o.client.terminate()
    } else if (now - this.#heardAt > this.#o.plane.silenceMs) {
      this.#o.upstream.terminate()
    }
  }

  cut (error: Error): void {
    this.#end('upstream_broken', null, error)
    this.#o.upstream.terminate()
  }

  #fromClient (bytes: Buffer, isBinary: boolean): void {
    if (isBinary) this.#refuse(invalid('A message must be text.'))
    else if (this.#waiting.length >= MOST_WAITING) this.#refuse(invalid(`More than ${MOST_WAITING} messages wait for the call before them.`))
    else {
      this.#waiting.push(bytes)
      this.#next()
    }
  }

  /** the next message, where nothing is under way */
  #next (): void {
    if (this.#opening || this.#call !== null || this.#clientGone) return
    const bytes = this.#waiting.shift()
    if (bytes === undefined) {
      this.#closeIfIdle()
      return
    }
    const { plane, log } = this.#o
    this.#opening = true
    plane.exchanges.opening()
    this.#open(bytes).catch((err: unknown) => {
      log.error({ err }, 'opening a call failed')
      this.#refuse(internalError())
    }).finally(() => {
      this.#opening = false
      plane.exchanges.opened()
      this.#next()
    })
  }

  async #open (bytes: Buffer): Promise<void> {
    const { plane, provider, endpoint, target, key, upstream } = this.#o
    const parsed = plane.parse(bytes)
    const wrong = 'refusal' in parsed ? parsed.refusal : this.#unfit(parsed.body)
    if (wrong !== null || 'refusal' in parsed) {
      this.#refuse(wrong ?? internalError())
      return
    }
    const identity = await plane.gate.identify(key, target.headers ?? {})
    if (isRefusal(identity)) {
      this.#refuse(identity)
      return
    }
    // it is a stream, whatever the message says
    const body = { ...parsed.body, stream: true }
    const gone = (): boolean => this.#clientGone || this.#upstreamGone
    const call = await plane.gate.open({ provider, endpoint, identity, target, body, bytes, requestId: null }, gone)
    // the gate has counted it
    if (isRefusal(call)) this.#tell(call)
    else if (gone() || plane.exchanges.closed || call.upstream !== provider.name) {
      call.release()
      if (call.upstream !== provider.name) this.#refuse(invalid(`Models of ${call.upstream} are not served over WebSockets. Use HTTP.`))
    } else {
      this.#begin(call)
      upstream.send(call.body, { binary: false })
    }
  }

  /** why a message is no call */
  #unfit (body: Record<string, unknown>): Refusal | null {
    const { creates, refused } = this.#calls
    if (this.#o.plane.exchanges.closing) return shuttingDown()
    if (body['type'] !== creates) {
      return { code: 'feature_not_metered', message: `Messages of this gateway's clients must be of the type ${creates}.`, field: 'type', retryable: false }
    }
    const field = refused.find((name) => body[name] !== undefined && body[name] !== null && body[name] !== false)
    return field === undefined
      ? null
      : { code: 'feature_not_metered', message: `${field} is not available over a WebSocket through this gateway.`, field, retryable: false }
  }

  #begin (call: OpenCall): void {
    this.#call = call
    this.#meter = this.#guarded(() => call.meter(STREAM), null)
    this.#heardAt = performance.now()
    this.#o.plane.exchanges.add(this)
  }

  #fromUpstream (bytes: Buffer, isBinary: boolean): void {
    this.#heardAt = performance.now()
    if (this.#call !== null && !isBinary) this.#read(bytes)
    if (this.#clientGone) return
    this.#pass(bytes, isBinary)
    // only now: a connection that closes takes nothing more
    this.#next()
  }

  #pass (bytes: Buffer, isBinary: boolean): void {
    const { client, upstream } = this.#o
    client.send(bytes, { binary: isBinary }, () => {
      if (this.#pausedAt === 0 || client.bufferedAmount > MOST_BUFFERED / 2) return
      this.#pausedAt = 0
      upstream.resume()
    })
    if (client.bufferedAmount <= MOST_BUFFERED || this.#pausedAt > 0) return
    this.#pausedAt = performance.now()
    upstream.pause()
  }

  /** as an event of a stream; what ends the call ends it before its client hears of that */
  #read (bytes: Buffer): void {
    this.#guarded(() => this.#meter?.data(asEvent(bytes)), undefined)
    const { type, status } = topLevelValues(bytes, TOLD) ?? {}
    if (type === 'error') this.#end('completed', typeof status === 'number' ? status : 200, null)
    else if (this.#calls.ends.has(String(type))) this.#end(this.#clientGone ? 'client_gone' : 'completed', 200, null)
    else if (this.#clientGone) {
      this.#drainedBytes += bytes.length
      if (this.#drainedBytes > this.#o.plane.exchanges.limits.drain.bytes) this.#abandon()
    }
  }

  #end (outcome: CallOutcome, status: number | null, error: Error | null): void {
    const call = this.#call
    if (call === null) return
    const meter = this.#meter
    this.#call = null
    this.#meter = null
    const reading = this.#guarded(() => {
      meter?.end()
      return meter?.reading() ?? null
    }, null)
    this.#guarded(() => { call.settle({ outcome, status, reading, error }) }, undefined)
    const { exchanges } = this.#o.plane
    if (this.#drainingSince > 0) exchanges.endDrain()
    this.#drainingSince = 0
    exchanges.delete(this)
    if (this.#clientGone) this.#o.upstream.close(NORMAL)
  }

  #clientLeft (): void {
    this.#clientGone = true
    this.#waiting = []
    const { plane, provider, upstream } = this.#o
    plane.sockets.sessions.delete(this)
    if (this.#call === null) upstream.close(NORMAL)
    else if ((plane.onDisconnect[provider.name] ?? 'drain') === 'drain' && plane.exchanges.startDrain()) {
      this.#drainingSince = performance.now()
      upstream.resume()
    } else {
      this.#abandon()
    }
  }

  /** Stops reading a call that nobody waits for. */
  #abandon (): void {
    this.#end('client_gone', 200, new Error('the client closed the connection'))
    this.#o.upstream.terminate()
  }

  #upstreamLeft (code: number): void {
    this.#upstreamGone = true
    this.#waiting = []
    this.#end(this.#clientGone ? 'client_gone' : 'upstream_broken', 200, new Error('the provider closed the connection'))
    this.#o.client.close(code === NORMAL || (code >= 3000 && code < 5000) ? code : GOING_AWAY)
  }

  #closeIfIdle (): void {
    if (!this.#closesWhenIdle || this.#call !== null || this.#opening || this.#waiting.length > 0) return
    this.#o.client.close(GOING_AWAY)
  }

  #refuse (refusal: Refusal): void {
    const named = withCallId(refusal, {})
    this.#o.plane.gate.refused(named, this.#o.provider.name)
    this.#tell(named)
  }

  /** as the provider itself tells of an error over a WebSocket: its envelope, and the status that it would have had */
  #tell (refusal: Refusal): void {
    if (this.#clientGone) return
    const { provider, client, target } = this.#o
    const { callId } = withCallId(refusal, {})
    const { status, body } = provider.dialect.renderRefusal(refusal, callId, String(target.headers?.['user-agent'] ?? ''))
    client.send(JSON.stringify({ type: 'error', status, ...JSON.parse(body) as object }))
  }

  #guarded<T> (work: () => T, otherwise: T): T {
    try {
      return work()
    } catch (err) {
      this.#o.log.error({ err }, 'a step of a call failed')
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
