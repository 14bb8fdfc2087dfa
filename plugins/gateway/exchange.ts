import { type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { type Socket } from 'node:net'
import { type Dispatcher } from 'undici'
import { type Refusal } from '../../src/errors.ts'
import { type OpenCall } from '../../src/gateway/call.ts'
import { isEventStream } from '../../src/usage/body-meter.ts'
import { type Meter } from '../../src/usage/meter.ts'
import { type CallOutcome } from '../../src/usage/usage.ts'
import { type Exchanges, type Sweepable } from './exchanges.ts'
import { clientHeaders, writableHeaders } from './headers.ts'

/** What an exchange needs of its call; a free request brings one that does nothing. */
export type ExchangeCall = Pick<OpenCall, 'cover' | 'meter' | 'release' | 'settle'>

export interface Log {
  error (facts: object, sentence: string): void
  warn (facts: object, sentence: string): void
}

export interface ExchangeOptions {
  call: ExchangeCall
  response: ServerResponse
  /** the client's connection: a pipelined response has none of its own yet */
  connection: Socket
  /** written on every answer, over the provider's */
  headers: OutgoingHttpHeaders
  /** the meter takes something out of the answer, so its length is not known */
  filtered: boolean
  onDisconnect: 'drain' | 'abort'
  exchanges: Exchanges
  /** both sides are over */
  over: () => void
  /** writes a refusal where no answer has begun; `released`: the call never reached the provider */
  refuse: (refusal: Refusal, released: boolean) => void
  /** what ends a stream of events that may not go on; null: nothing does */
  lastWords: (refusal: Refusal) => string | null
  log: Log
}

const CLIENT_GONE = new Error('the client closed the connection')
const OUTGROWN = new Error('the answer cost more than could be held for it')
const NO_CONNECTION = new Error('no connection to the provider became free in time')

/**
 * One call on its way: receives the provider's answer from undici and writes it to the client as it comes.
 *
 * Guarantees: the call ends exactly once, by `release` if no byte of it was sent, else by `settle`, whoever fails
 * first. The client gets the provider's bytes unchanged and undelayed, or a refusal where no answer began, or a broken
 * connection; never a clean end of an answer that was cut. A call whose client left is read on as far as the drain
 * limits go. A throw in the meter or the call is logged; it costs the metering, not the client.
 */
export class Exchange implements Dispatcher.DispatchHandler, Sweepable {
  place = -1
  readonly #call: ExchangeCall
  readonly #response: ServerResponse
  readonly #connection: Socket
  readonly #options: ExchangeOptions
  readonly #startedAt = performance.now()
  #upstream: Dispatcher.DispatchController | null = null
  #meter: Meter | null = null
  #status: number | null = null
  /** figures of usage that came with the answer so far */
  #counted = 0
  #isStream = false
  /** the call has been released or settled */
  #ended = false
  /** the provider's side needs no more attention */
  #upstreamOver = false
  #clientGone = false
  #clientOver = false
  #left = false
  #endedAt = 0
  #pausedAt = 0
  #drainingSince = 0
  #drainedBytes = 0
  /** the answer's head, until there is a body to go with it: one that breaks before may still become a refusal */
  #head: OutgoingHttpHeaders | null = null
  /** what content-length promises the client, -1 where nothing is promised */
  #promised = -1
  #written = 0

  constructor (options: ExchangeOptions) {
    this.#options = options
    this.#call = options.call
    this.#response = options.response
    this.#connection = options.connection
    options.exchanges.add(this)
    // 'close' also follows a normal end
    this.#response.once('close', this.#onClose)
    // a pipelined response hears nothing of its connection before its turn comes
    if (this.#response.socket === null) this.#connection.once('close', this.#onClose)
  }

  onRequestStart (controller: Dispatcher.DispatchController): void {
    // thrown, not aborted: nothing has been written yet, so the connection stays usable
    if (this.#ended) throw CLIENT_GONE
    this.#upstream = controller
  }

  onResponseStart (_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#ended || status < 200) return
    this.#status = status
    const contentType = headers['content-type'] ?? ''
    const contentEncoding = headers['content-encoding'] ?? 'identity'
    this.#meter = this.#guarded(() => this.#call.meter({ status, contentType, contentEncoding, headers }), null)
    if (this.#clientGone) return
    const stream = this.#isStream = isEventStream(contentType)
    const keepLength = !(this.#options.filtered && stream)
    const length = keepLength ? headers['content-length'] : undefined
    if (length !== undefined) this.#promised = Number(length)
    this.#head = clientHeaders(headers, this.#options.headers, keepLength)
    if (!stream) return
    this.#sendHead()
    this.#response.flushHeaders()
  }

  onResponseData (controller: Dispatcher.DispatchController, data: Buffer): void {
    if (this.#ended) return
    const passed = this.#read(data)
    if (this.#ended) return
    const refused = this.#meter?.counted === this.#counted ? null : this.#cover()
    if (refused === null) this.#pass(controller, data, passed)
    else if (refused instanceof Promise) this.#passLater(controller, data, passed, refused)
    else this.#cutOff(passed, refused)
  }

  #pass (controller: Dispatcher.DispatchController, data: Buffer, passed: Buffer | null): void {
    if (this.#clientGone) {
      this.#drainedBytes += data.length
      if (this.#drainedBytes > this.#options.exchanges.limits.drain.bytes) this.#abandon()
      return
    }
    if (passed === null || passed.length === 0) return
    this.#sendHead()
    this.#written += passed.length
    if (this.#response.write(passed)) return
    controller.pause()
    this.#pausedAt = performance.now()
    this.#response.once('drain', this.#resume)
  }

  /** A figure of usage has come: is it held for? */
  #cover (): ReturnType<ExchangeCall['cover']> {
    const meter = this.#meter
    if (meter?.counted === undefined) return null
    this.#counted = meter.counted
    return this.#guarded(() => this.#call.cover(meter.reading()), null)
  }

  /** PostgreSQL is asked for more; the answer waits, and its provider with it. */
  #passLater (
    controller: Dispatcher.DispatchController, data: Buffer, passed: Buffer | null, refused: Promise<Refusal | null>
  ): void {
    controller.pause()
    const told = (refusal: Refusal | null): void => {
      if (this.#ended) return
      if (refusal === null) this.#pass(controller, data, passed)
      else this.#cutOff(passed, refusal)
      // what comes next comes at once
      if (this.#pausedAt === 0) controller.resume()
    }
    refused.catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'a step of a call failed')
      return null
    }).then(told)
  }

  /** No more can be held: the answer ends behind its last whole event, in the provider's own way. */
  #cutOff (passed: Buffer | null, refusal: Refusal): void {
    const unfinished = this.#meter?.unfinished ?? 0
    const lastWords = this.#guarded(() => this.#options.lastWords(refusal), null)
    this.#settle('budget_cut', OUTGROWN)
    this.#leaveUpstream()
    this.#upstream?.abort(OUTGROWN)
    if (this.#clientGone) return
    if (!this.#isStream || lastWords === null) {
      this.#breakOff()
      return
    }
    this.#sendHead()
    if (passed !== null) this.#response.write(passed.subarray(0, Math.max(0, passed.length - unfinished)))
    this.#response.end(lastWords)
  }

  onResponseEnd (): void {
    if (this.#ended) return
    const rest = this.#guarded(() => this.#meter?.end() ?? null, null)
    const refused = this.#meter?.counted === this.#counted ? null : this.#cover()
    if (refused instanceof Promise) this.#endLater(rest, refused)
    else this.#endWith(rest, refused)
  }

  /** PostgreSQL is asked, or told, before anybody hears the end of the answer. */
  #endLater (rest: Buffer | null, refused: Promise<Refusal | null>): void {
    refused.catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'a step of a call failed')
      return null
    }).then((refusal) => {
      if (!this.#ended) this.#endWith(rest, refusal)
    })
  }

  #endWith (rest: Buffer | null, refusal: Refusal | null): void {
    if (this.#clientGone) this.#settle('client_gone', null)
    else if (refusal === null) this.#finish(rest)
    else this.#withhold(refusal)
    this.#leaveUpstream()
  }

  /** The answer is whole, and its client may not have it. */
  #withhold (refusal: Refusal): void {
    this.#settle('completed', null)
    if (this.#response.headersSent) this.#breakOff()
    else this.#guarded(() => { this.#options.refuse(refusal, false) }, undefined)
  }

  onResponseError (_controller: Dispatcher.DispatchController | null, error: Error): void {
    // what we aborted ourselves comes back here, with the call ended already
    if (this.#ended) this.#leaveUpstream()
    else this.#breakDown(error)
  }

  /** Ends the exchange whatever state it is in; used when the gateway stops and its patience is over. */
  cut (error: Error): void {
    if (this.#ended) return
    this.#breakDown(error)
    this.#upstream?.abort(error)
  }

  /** Called at a steady pace with the time: ends what stands still. */
  sweep (now: number): void {
    const { queueMs, stalledClientMs, drain } = this.#options.exchanges.limits
    if (this.#ended) {
      if (!this.#clientOver && now - this.#endedAt > stalledClientMs) this.#connection.destroy()
    } else if (this.#upstream === null) {
      if (now - this.#startedAt > queueMs) this.#breakDown(NO_CONNECTION)
    } else if (this.#clientGone) {
      if (now - this.#drainingSince > drain.ms) this.#abandon()
    } else if (this.#pausedAt > 0 && now - this.#pausedAt > stalledClientMs) {
      this.#connection.destroy()
    }
  }

  readonly #resume = (): void => {
    this.#pausedAt = 0
    this.#upstream?.resume()
  }

  readonly #onClose = (): void => {
    if (this.#clientOver) return
    this.#clientOver = true
    this.#connection.off('close', this.#onClose)
    if (!this.#ended) this.#clientLeft()
    this.#leaveIfOver()
  }

  #clientLeft (): void {
    this.#clientGone = true
    if (this.#upstream === null) {
      this.#release()
      this.#upstreamOver = true
    } else if (this.#options.onDisconnect === 'drain' && this.#options.exchanges.startDrain()) {
      this.#drainingSince = performance.now()
      this.#resume()
    } else {
      this.#abandon()
    }
  }

  /** Stops reading an answer that nobody waits for. */
  #abandon (): void {
    this.#settle('client_gone', CLIENT_GONE)
    this.#leaveUpstream()
    this.#upstream?.abort(CLIENT_GONE)
  }

  #finish (rest: Buffer | null): void {
    this.#sendHead()
    this.#written += rest?.length ?? 0
    const kept = this.#promised === -1 || this.#promised === this.#written
    // no wait for the client: its next call, which comes in a later turn, finds what this one gives back all the same
    this.#end()
    this.#guarded(() => {
      if (kept) this.#response.end(rest ?? undefined)
      else this.#breakOff()
    }, undefined)
    this.#tell('completed', null)
  }

  /** The answer cannot go on: ends the call, and tells the client in the strongest way that is left. */
  #breakDown (error: Error): void {
    const sent = this.#upstream !== null
    if (sent) this.#settle('upstream_broken', error)
    else this.#release()
    this.#leaveUpstream()
    if (this.#clientGone) return
    if (this.#response.headersSent) this.#breakOff()
    else this.#guarded(() => { this.#options.refuse(breakdownRefusal(error, sent), !sent) }, undefined)
  }

  /**
   * No client may take what it has for the whole. Where the missing end shows (chunks, a length), what was written is
   * delivered first: a client that saw no answer would send the call again. Elsewhere only a reset shows.
   */
  #breakOff (): void {
    if (this.#response.chunkedEncoding || this.#promised !== -1) this.#connection.destroySoon()
    else reset(this.#connection)
  }

  #sendHead (): void {
    const [head, status] = [this.#head, this.#status]
    if (head === null || status === null) return
    this.#head = null
    try {
      this.#response.writeHead(status, head)
    } catch {
      this.#response.writeHead(status, writableHeaders(head))
    }
  }

  /** What to pass on of `data`. If a filtering meter fails, what it kept back is lost, and with it the answer. */
  #read (data: Buffer): Buffer | null {
    if (this.#meter === null) return data
    try {
      return this.#meter.data(data)
    } catch (error) {
      this.#options.log.error({ err: error }, 'metering an answer failed')
      this.#meter = null
      if (!this.#options.filtered) return data
      this.#breakDown(asError(error))
      this.#upstream?.abort(asError(error))
      return null
    }
  }

  #settle (outcome: CallOutcome, error: Error | null): void {
    if (this.#end()) this.#tell(outcome, error)
  }

  #tell (outcome: CallOutcome, error: Error | null): void {
    const status = this.#status
    const reading = this.#guarded(() => this.#meter?.reading() ?? null, null)
    // a provider that refused has said so, whatever became of the rest
    const told = status !== null && status >= 400 ? 'upstream_error' : outcome
    this.#guarded(() => { this.#call.settle({ outcome: told, status, reading, error }) }, undefined)
  }

  #release (): void {
    if (this.#end()) this.#guarded(() => { this.#call.release() }, undefined)
  }

  #end (): boolean {
    if (this.#ended) return false
    this.#ended = true
    this.#endedAt = performance.now()
    return true
  }

  #leaveUpstream (): void {
    if (this.#drainingSince > 0) {
      this.#drainingSince = 0
      this.#options.exchanges.endDrain()
    }
    this.#upstreamOver = true
    this.#leaveIfOver()
  }

  #leaveIfOver (): void {
    if (this.#left || !this.#upstreamOver || !this.#clientOver) return
    this.#left = true
    this.#options.exchanges.delete(this)
    this.#options.over()
  }

  /** A bug here must not leave the client hanging or, on the way of an event, end the process. */
  #guarded<T> (step: () => T, otherwise: T): T {
    try {
      return step()
    } catch (error) {
      this.#options.log.error({ err: error }, 'a step of a call failed')
      return otherwise
    }
  }
}

/** A reset; a plain close where the transport has none. */
function reset (connection: Socket): void {
  try {
    connection.resetAndDestroy()
  } catch {
    connection.destroy()
  }
}

const TIMEOUT_CODES = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT'])

/** The gateway got no credential for a call, which went nowhere. */
export class Unsigned extends Error {}

function breakdownRefusal (error: Error, sent: boolean): Refusal {
  const code = 'code' in error ? String(error.code) : ''
  if (!sent && code === 'UND_ERR_INVALID_ARG') {
    return { code: 'invalid_request', message: 'A header of the request cannot be forwarded.', retryable: false }
  }
  if (error instanceof Unsigned) {
    const message = 'The gateway got no credential for the provider, its log says why. Nothing was sent and nothing is charged.'
    return { code: 'upstream_unreachable', message, retryable: true }
  }
  const timeout = TIMEOUT_CODES.has(code) || error === NO_CONNECTION
  const what = timeout ? 'did not answer in time' : sent ? 'broke off before it answered' : 'could not be reached'
  return {
    code: timeout ? 'upstream_timeout' : 'upstream_unreachable',
    message: `The provider ${what}. ` + (sent
      ? 'It had the request, so the call may have been billed and is charged.'
      : 'Nothing was sent and nothing is charged.'),
    retryable: !sent,
  }
}

function asError (thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
