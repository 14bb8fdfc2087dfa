import { type Meter, type Reading } from './meter.ts'

const LF = 0x0a
const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_U = 0x75
/** of each string this much is kept: usage has no longer ones, images and sounds are nothing but longer ones */
const KEPT = 1_024

/**
 * Takes the rest out of long strings in passing JSON, whole or as events, so that an answer full of images can be read
 * without being kept. What comes out is as valid as what came in. Linear; the end of a line ends a string too.
 */
export class Skim {
  #inString = false
  /** of the string that is under way */
  #kept = 0
  /** of an escape that is under way, what has to come before the string may be cut */
  #escape = 0

  push (chunk: Buffer): Buffer {
    const parts: Buffer[] = []
    let from = 0
    let i = 0
    while (i < chunk.length) {
      if (this.#inString && this.#kept >= KEPT) {
        if (i > from) parts.push(chunk.subarray(from, i))
        from = i = this.#endOfRest(chunk, i)
        if (i < chunk.length) this.#kept = 0
      } else {
        this.#step(chunk[i++] as number)
      }
    }
    if (from < chunk.length) parts.push(chunk.subarray(from))
    return parts.length === 1 ? parts[0] as Buffer : Buffer.concat(parts)
  }

  #step (byte: number): void {
    if (!this.#inString) {
      this.#inString = byte === QUOTE
      this.#kept = this.#escape = 0
    } else if (this.#escape > 0) {
      // \u has four more
      this.#escape = this.#escape === ESCAPE && byte === LETTER_U ? 4 : this.#escape === ESCAPE ? 0 : this.#escape - 1
    } else if (byte === QUOTE || byte === LF) {
      this.#inString = false
    } else if (byte === BACKSLASH) {
      this.#escape = ESCAPE
    } else {
      this.#kept++
    }
  }

  /** where the string that is under way ends, or the chunk does */
  #endOfRest (chunk: Buffer, from: number): number {
    let i = from + (this.#escape > 0 ? 1 : 0)
    this.#escape = 0
    let end = endOfLineOrString(chunk, i)
    while (i < chunk.length) {
      const escape = chunk.subarray(i, end).indexOf(BACKSLASH)
      if (escape === -1) return end
      i += escape + 2
      if (i > end) end = endOfLineOrString(chunk, i)
    }
    // only the first half of an escape has come
    if (i > chunk.length) this.#escape = ESCAPE
    return chunk.length
  }
}

/** its second character has not come */
const ESCAPE = 5

function endOfLineOrString (chunk: Buffer, from: number): number {
  const quote = chunk.indexOf(QUOTE, from)
  const end = quote === -1 ? chunk.length : quote
  const line = chunk.subarray(from, end).indexOf(LF)
  return line === -1 ? end : from + line
}

/** Passes everything on, and has another meter read it skimmed. */
export class SkimmedMeter implements Meter {
  readonly #meter: Meter
  readonly #skim = new Skim()
  #bytes = 0

  constructor (meter: Meter) { this.#meter = meter }

  data (chunk: Buffer): Buffer {
    this.#bytes += chunk.length
    this.#meter.data(this.#skim.push(chunk))
    return chunk
  }

  end (): null {
    this.#meter.end()
    return null
  }

  reading (): Reading { return { ...this.#meter.reading(), bodyBytes: this.#bytes } }
}
