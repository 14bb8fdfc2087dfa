import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { type Meter, type Reading } from './meter.ts'
import { SseSplitter } from './sse.ts'

/** More than this is passed on and not read: its usage stays unknown. */
export const MAX_METERED_BYTES = 16 * 1024 * 1024
const MAX_DECODED_BYTES = 64 * 1024 * 1024

export const NOTHING_READ: Omit<Reading, 'bodyBytes'> =
  { usage: null, final: false, modelUsed: null, providerRequestId: null }

export type ReadingOf = (text: Buffer) => Omit<Reading, 'bodyBytes'>

/** Passes everything on and reads what came once it is whole: plain JSON answers, and answers in an encoding. */
export class BodyMeter implements Meter {
  readonly #read: ReadingOf
  readonly #encoding: string
  #chunks: Buffer[] = []
  #bytes = 0
  #reading: Omit<Reading, 'bodyBytes'> = NOTHING_READ

  constructor (contentEncoding: string, read: ReadingOf) {
    this.#encoding = contentEncoding
    this.#read = read
  }

  data (chunk: Buffer): Buffer {
    this.#bytes += chunk.length
    if (this.#bytes <= MAX_METERED_BYTES) this.#chunks.push(chunk)
    else this.#chunks = []
    return chunk
  }

  end (): null {
    if (this.#bytes === 0 || this.#bytes > MAX_METERED_BYTES) return null
    const text = decoded(Buffer.concat(this.#chunks), this.#encoding)
    this.#chunks = []
    if (text !== null) this.#reading = this.#read(text)
    return null
  }

  reading (): Reading { return { ...this.#reading, bodyBytes: this.#bytes } }
}

/** Reads events as they pass; `take` answers what to pass on of each. Only a filtered stream waits for event ends. */
export class EventMeter implements Meter {
  readonly #splitter = new SseSplitter()
  readonly #take: (event: Buffer) => Buffer | null
  readonly #state: () => Omit<Reading, 'bodyBytes'>
  readonly #filters: boolean
  #bytes = 0

  constructor (options: {
    take: (event: Buffer) => Buffer | null
    state: () => Omit<Reading, 'bodyBytes'>
    filters: boolean
  }) {
    this.#take = options.take
    this.#state = options.state
    this.#filters = options.filters
  }

  data (chunk: Buffer): Buffer | null {
    this.#bytes += chunk.length
    const events = this.#splitter.push(chunk)
    const passed: Buffer[] = []
    for (const event of events) {
      const pass = this.#take(event)
      if (pass !== null) passed.push(pass)
    }
    if (!this.#filters) return chunk
    return passed.length === 0 ? null : passed.length === 1 ? passed[0] as Buffer : Buffer.concat(passed)
  }

  end (): Buffer | null {
    const rest = this.#splitter.rest()
    if (rest === null) return null
    const pass = this.#take(rest)
    return this.#filters ? pass : null
  }

  reading (): Reading { return { ...this.#state(), bodyBytes: this.#bytes } }
}

/** null: not in an encoding that is known, or broken, or a bomb */
function decoded (bytes: Buffer, encoding: string): Buffer | null {
  const options = { maxOutputLength: MAX_DECODED_BYTES }
  try {
    switch (encoding) {
      case '':
      case 'identity': return bytes
      case 'gzip':
      case 'x-gzip': return gunzipSync(bytes, options)
      case 'deflate': return inflateSync(bytes, options)
      case 'br': return brotliDecompressSync(bytes, options)
      default: return null
    }
  } catch {
    // the bytes went to the client as they came; what cannot be read has no known usage, and is charged as such
    return null
  }
}

export function isEncoded (contentEncoding: string): boolean {
  return contentEncoding !== '' && contentEncoding !== 'identity'
}

/** the JSON of an answer or an event; null where it is none, which is nothing to stop a passing answer for */
export function jsonOf (text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : null
  } catch {
    return null
  }
}

export function count (value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0
}

export function textOrNull (value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, 256) : null
}
