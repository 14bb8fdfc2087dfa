import { EventStreamCodec } from '@smithy/core/event-streams'
import { BodyMeter, type Facts, isEncoded } from './body-meter.ts'
import { Bytes } from './bytes.ts'
import { type Meter, type Reading } from './meter.ts'
import { MAX_EVENT_BYTES } from './sse.ts'

/** One message of an `application/vnd.amazon.eventstream`. */
export interface Frame {
  /** `event` or `exception`; '' where it does not say */
  type: string
  /** `:event-type`, e.g. `metadata`; '' where it has none */
  event: string
  payload: Buffer
}

export interface FrameTaker {
  take (frame: Frame): void
  facts (): Facts
}

/** total length, length of the headers, checksum of both */
const PRELUDE_BYTES = 12
/** a message without headers and payload */
const LEAST_BYTES = 16

const codec = new EventStreamCodec(
  (bytes) => typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'), (text) => Buffer.from(text, 'utf8'))

/** Reads frames as they pass; in an encoding, at their end. */
export function frameMeter (contentEncoding: string, taker: () => FrameTaker): Meter {
  if (!isEncoded(contentEncoding)) return new FrameMeter(taker())
  return new BodyMeter(contentEncoding, (text) => {
    const meter = new FrameMeter(taker())
    meter.data(text)
    return meter.reading()
  })
}

/**
 * Every chunk goes on as it is. After a frame that is too long to be read, or broken, the usage is not known: nobody
 * can say where the next one begins, or what was in that one.
 */
class FrameMeter implements Meter {
  readonly #taker: FrameTaker
  readonly #kept = new Bytes()
  /** of the frame under way, or of what is known to be needed of it */
  #need = PRELUDE_BYTES
  /** bytes of a frame that is too long */
  #skip = 0
  #lost = false
  #broken = false
  #bytes = 0

  constructor (taker: FrameTaker) { this.#taker = taker }

  data (chunk: Buffer): Buffer {
    this.#bytes += chunk.length
    for (let at = 0; at < chunk.length && !this.#broken;) at += this.#step(chunk, at)
    return chunk
  }

  end (): null { return null }

  reading (): Reading {
    const facts = this.#taker.facts()
    const known = this.#lost ? { ...facts, usage: null, final: false } : facts
    return { ...known, bodyBytes: this.#bytes }
  }

  /** how many bytes it took */
  #step (chunk: Buffer, at: number): number {
    const left = chunk.length - at
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, left)
      this.#skip -= skipped
      return skipped
    }
    const taken = Math.min(this.#need - this.#kept.length, left)
    this.#kept.add(chunk.subarray(at, at + taken))
    if (this.#kept.length === this.#need) this.#complete(this.#kept.take())
    return taken
  }

  #complete (bytes: Buffer): void {
    const total = bytes.readUInt32BE(0)
    if (this.#need > PRELUDE_BYTES) {
      this.#need = PRELUDE_BYTES
      this.#decode(bytes)
    } else if (total < LEAST_BYTES) {
      this.#lost = this.#broken = true
    } else if (total > MAX_EVENT_BYTES) {
      this.#lost = true
      this.#skip = total - PRELUDE_BYTES
    } else {
      this.#need = total
      this.#kept.add(bytes)
    }
  }

  #decode (bytes: Buffer): void {
    try {
      const { headers, body } = codec.decode(bytes)
      const text = (name: string) => String(headers[name]?.value ?? '')
      this.#taker.take({ type: text(':message-type'), event: text(':event-type'), payload: Buffer.from(body) })
    } catch {
      // a checksum is wrong: the client will see it too
      this.#lost = this.#broken = true
    }
  }
}
