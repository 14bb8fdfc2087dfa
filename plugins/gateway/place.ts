import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type Socket } from 'node:net'
import { Transform, type TransformCallback, type Readable } from 'node:stream'
import { type Refusal } from '../../src/errors.ts'
import { type Load } from '../../src/load.ts'
import { Refused } from './refusals.ts'

/**
 * What one request takes up of what its gateway takes on: one call, and the bytes of its body. It leaves when its
 * response is over, or where an exchange keeps it, when both sides of that are.
 */
export class Place {
  readonly #load: Load
  #bytes: number
  #kept = false
  #left = false

  constructor (load: Load, bytes: number) {
    this.#load = load
    this.#bytes = bytes
  }

  grow (bytes: number): Refusal | null {
    if (this.#left) return null
    const full = this.#load.grow(bytes)
    if (full === null) this.#bytes += bytes
    return full
  }

  /** from now on it leaves by `leave` alone */
  keep (): void { this.#kept = true }

  leave (): void {
    if (this.#left) return
    this.#left = true
    this.#load.leaveCall(this.#bytes)
  }

  leaveUnlessKept (): void { if (!this.#kept) this.leave() }
}

/** for a call, before its body is read; one that says that it is larger than any may be is refused by that */
export function callPlace (
  load: Load, bodyBytes: number, request: FastifyRequest, reply: FastifyReply
): Place | Refusal {
  const { raw, headers: { 'content-length': length } } = request
  const said = length === undefined ? 0 : Number(length)
  const bytes = said <= bodyBytes ? said : 0
  const full = load.enterCall(bytes)
  if (full !== null) return full
  const place = new Place(load, bytes)
  const over = (): void => { place.leaveUnlessKept() }
  reply.raw.once('close', over)
  // a pipelined response hears nothing of its connection before its turn comes
  if (reply.raw.socket === null) {
    raw.socket.once('close', over)
    reply.raw.once('close', () => { raw.socket.off('close', over) })
  }
  return place
}

/** for a WebSocket: as long as the client's connection lasts */
export function socketPlace (load: Load, connection: Socket): null | Refusal {
  const full = load.enterSocket()
  if (full === null) connection.once('close', () => { load.leaveSocket() })
  return full
}

/** A body that does not say how long it is takes its place as it comes. */
export function counted (
  request: FastifyRequest, _reply: FastifyReply, payload: Readable,
  done: (error: Error | null, payload: Readable) => void
): void {
  const { inbound, headers } = request
  const place = inbound?.place ?? null
  if (place === null || headers['content-length'] !== undefined || headers['transfer-encoding'] === undefined) {
    done(null, payload)
    return
  }
  const counting = new Counting(place)
  payload.once('error', (error) => { counting.destroy(error) })
  done(null, payload.pipe(counting))
}

class Counting extends Transform {
  readonly #place: Place

  constructor (place: Place) {
    super()
    this.#place = place
  }

  override _transform (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const full = this.#place.grow(chunk.length)
    if (full === null) done(null, chunk)
    else done(new Refused(full))
  }
}
