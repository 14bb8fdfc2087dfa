import { Bytes } from './bytes.ts'
import { type Facts } from './body-meter.ts'
import { type Meter, type Reading } from './meter.ts'
import { MAX_EVENT_BYTES } from './sse.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d

/** Takes the objects of a stream. */
export interface ObjectTaker {
  take (object: Buffer): void
  facts (): Facts
  /** the stream came to its own end */
  end (): void
  /** grows with what is said of a job; absent: nothing is */
  readonly counted?: number
}

/**
 * Reads the objects of a JSON array, or those that follow one another (NDJSON), as they pass; all bytes go on as they
 * come. Linear, and what is kept of an unfinished object is bounded: after one too long the usage is not known.
 */
export class ObjectMeter implements Meter {
  readonly #taker: ObjectTaker
  readonly #kept = new Bytes()
  /** of the array around the objects: 1, of no array: 0 */
  #base = 0
  #depth = 0
  #inString = false
  #escaped = false
  #started = false
  #tooLong = false
  #overflowed = false
  #bytes = 0

  constructor (taker: ObjectTaker) { this.#taker = taker }

  data (chunk: Buffer): Buffer {
    this.#bytes += chunk.length
    let from = this.#depth > this.#base ? 0 : -1
    for (let i = 0; i < chunk.length; i++) {
      if (this.#inString) {
        i = this.#behindString(chunk, i) - 1
        continue
      }
      switch (chunk[i]) {
        case QUOTE: this.#inString = true; break
        case OPEN_ARRAY:
          if (!this.#started) this.#base = 1
          this.#started = true
          this.#depth++
          break
        case OPEN_OBJECT:
          this.#started = true
          if (this.#depth++ === this.#base) from = i
          break
        case CLOSE_ARRAY: this.#depth--; break
        case CLOSE_OBJECT:
          if (--this.#depth !== this.#base || from === -1) break
          this.#complete(chunk.subarray(from, i + 1))
          from = -1
      }
    }
    if (from !== -1) this.#keep(chunk.subarray(from))
    return chunk
  }

  end (): null {
    if (this.#depth === 0) this.#taker.end()
    return null
  }

  get counted (): number { return this.#taker.counted ?? 0 }

  reading (): Reading {
    const facts = this.#taker.facts()
    return { ...facts, ...this.#overflowed ? { usage: null, final: false } : {}, bodyBytes: this.#bytes }
  }

  /** offset behind the end of a string that is under way, or of the chunk */
  #behindString (chunk: Buffer, from: number): number {
    let i = from
    if (this.#escaped) i++
    this.#escaped = false
    for (; i < chunk.length; i++) {
      if (chunk[i] === BACKSLASH) {
        if (++i === chunk.length) this.#escaped = true
      } else if (chunk[i] === QUOTE) {
        this.#inString = false
        return i + 1
      }
    }
    return chunk.length
  }

  #keep (bytes: Buffer): void {
    if (this.#kept.length + bytes.length > MAX_EVENT_BYTES) this.#tooLong = this.#overflowed = true
    if (this.#tooLong) this.#kept.take()
    else this.#kept.add(bytes)
  }

  #complete (tail: Buffer): void {
    if (this.#kept.length === 0 && !this.#tooLong && tail.length <= MAX_EVENT_BYTES) {
      this.#taker.take(tail)
      return
    }
    this.#keep(tail)
    if (!this.#tooLong) this.#taker.take(this.#kept.take())
    this.#tooLong = false
  }
}
