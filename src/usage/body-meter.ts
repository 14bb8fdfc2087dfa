import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { Bytes } from './bytes.ts'
import { type Meter, type Reading } from './meter.ts'
import { type SseReader, SseSplitter } from './sse.ts'
import { type Usage } from './usage.ts'

/** More than this, as it comes or decoded, is passed on and not read: its usage stays unknown. */
export const MAX_METERED_BYTES = 16 * 1024 * 1024

/** What an answer says; a meter adds how long it was. */
export type Facts = Omit<Reading, 'bodyBytes'>

export const NOTHING_READ: Facts = { usage: null, final: false, modelUsed: null, providerRequestId: null }

/** Passes everything on and reads nothing: an answer that says nothing of usage. */
export class UnreadMeter implements Meter {
  #bytes = 0

  data (chunk: Buffer): Buffer {
    this.#bytes += chunk.length
    return chunk
  }

  end (): null { return null }

  reading (): Reading { return { ...NOTHING_READ, bodyBytes: this.#bytes } }
}

/** Passes everything on: what was used is known before the answer comes, where one comes at all. */
export class ToldMeter extends UnreadMeter {
  readonly #facts: Facts

  constructor (usage: Usage) {
    super()
    this.#facts = { ...NOTHING_READ, usage, final: true }
  }

  override reading (): Reading { return { ...super.reading(), ...this.#facts } }
}

/**
 * Passes everything on and reads what came once it is whole: plain JSON answers, and answers in an encoding. Decoding
 * waits for the end too, since an answer may not wait for it; the gateway asks providers for no encoding.
 */
export class BodyMeter implements Meter {
  readonly #read: (text: Buffer) => Facts
  readonly #encoding: string
  readonly #body = new Bytes()
  #seen = 0
  /** decoded; Infinity while that is not known */
  #textBytes: number
  #facts = NOTHING_READ

  constructor (contentEncoding: string, read: (text: Buffer) => Facts) {
    this.#encoding = contentEncoding.trim().toLowerCase()
    this.#textBytes = isEncoded(this.#encoding) ? Infinity : 0
    this.#read = read
  }

  data (chunk: Buffer): Buffer {
    this.#seen += chunk.length
    if (this.#seen <= MAX_METERED_BYTES) this.#body.add(chunk)
    else this.#body.take()
    return chunk
  }

  end (): null {
    if (this.#body.length === 0) return null
    const text = decoded(this.#body.take(), this.#encoding)
    if (text === null) return null
    this.#textBytes = text.length
    this.#facts = this.#read(text)
    return null
  }

  get counted (): number { return this.#facts.job === undefined ? 0 : 1 }

  reading (): Reading { return { ...this.#facts, bodyBytes: Math.max(this.#seen, this.#textBytes) } }
}

/**
 * Keeps an answer back where what it says must be dealt with before anybody has it: all of it, or its last piece alone,
 * without which nobody has the whole. `changed`: of what is kept whole, what goes on in its place, as long as it is.
 */
export class KeepingMeter implements Meter {
  readonly #meter: Meter
  readonly #all: boolean
  readonly #changed: (whole: Buffer) => Buffer
  readonly #kept = new Bytes()
  #whole = true

  constructor (meter: Meter, what: 'all' | 'last', changed = (whole: Buffer): Buffer => whole) {
    this.#meter = meter
    this.#all = what === 'all'
    this.#changed = changed
  }

  data (chunk: Buffer): Buffer | null {
    this.#meter.data(chunk)
    let before: Buffer | null = null
    if (!this.#all || this.#kept.length + chunk.length > MAX_METERED_BYTES) {
      before = this.#taken()
      this.#whole &&= before === null
    }
    this.#kept.add(chunk)
    return before
  }

  end (): Buffer | null {
    this.#meter.end()
    const rest = this.#taken()
    return rest === null || !this.#whole ? rest : this.#changed(rest)
  }

  get counted (): number { return this.#meter.counted ?? 0 }

  reading (): Reading { return this.#meter.reading() }

  #taken (): Buffer | null { return this.#kept.length === 0 ? null : this.#kept.take() }
}

export interface EventTaker {
  /** reads an event and answers what of it goes on: the event itself, parts of it, or nothing */
  take (event: Buffer): Buffer | Buffer[] | null
  facts (): Facts
  /** grows with each figure of usage that comes; absent: none comes before the end */
  readonly counted?: number
  /** the stream came to its own end */
  end? (): void
}

/**
 * Reads events as they pass. Where it filters, what the taker leaves out does not go on, and an event goes on when its
 * end has come; else every chunk goes on as it is. After an event too long to be read the usage is not known.
 */
export class EventMeter implements Meter {
  readonly #taker: EventTaker
  readonly #filters: boolean
  readonly #splitter: SseSplitter
  #passed: Buffer[] = []
  #dropped = false
  #bytes = 0

  constructor (taker: EventTaker, filters: boolean) {
    this.#taker = taker
    this.#filters = filters
    this.#splitter = new SseSplitter(filters ? this.#filtering() : this.#reading())
  }

  data (chunk: Buffer): Buffer | null {
    this.#bytes += chunk.length
    if (!this.#filters) {
      this.#splitter.push(chunk)
      return chunk
    }
    const whole = !this.#splitter.keeps
    this.#splitter.push(chunk)
    const passed = this.#takePassed()
    // nothing was waiting and nothing is left out: it is the chunk
    return whole && passed?.length === chunk.length ? chunk : passed
  }

  end (): Buffer | null {
    this.#splitter.end()
    this.#taker.end?.()
    return this.#takePassed()
  }

  get counted (): number { return this.#taker.counted ?? 0 }

  get unfinished (): number { return this.#filters ? 0 : this.#splitter.unfinished }

  reading (): Reading {
    const facts = this.#taker.facts()
    const known = this.#splitter.overflowed ? { ...facts, usage: null, final: false } : facts
    return { ...known, bodyBytes: this.#bytes }
  }

  #reading (): SseReader {
    return { event: (bytes) => { this.#taker.take(bytes) }, lateLineFeed: () => {}, part: () => {} }
  }

  #filtering (): SseReader {
    return {
      event: (bytes) => {
        const pass = this.#taker.take(bytes)
        this.#dropped = pass === null
        if (Array.isArray(pass)) this.#passed.push(...pass)
        else if (pass !== null) this.#passed.push(pass)
      },
      // it goes where its event went
      lateLineFeed: (bytes) => { if (!this.#dropped) this.#passed.push(bytes) },
      part: (bytes) => {
        this.#dropped = false
        this.#passed.push(bytes)
      },
    }
  }

  #takePassed (): Buffer | null {
    const passed = this.#passed
    if (passed.length === 0) return null
    this.#passed = []
    return passed.length === 1 ? passed[0] as Buffer : Buffer.concat(passed)
  }
}

/** Reads a stream that is there as a whole. */
export function takeAll (taker: EventTaker, text: Buffer): Facts {
  const meter = new EventMeter(taker, false)
  meter.data(text)
  meter.end()
  return meter.reading()
}

/** null: not in an encoding that is known, or broken, or a bomb */
function decoded (bytes: Buffer, encoding: string): Buffer | null {
  const options = { maxOutputLength: MAX_METERED_BYTES }
  try {
    switch (encoding) {
      case '':
      case 'identity': return bytes
      case 'gzip':
      case 'x-gzip': return gunzipSync(bytes, options)
      // some servers leave out the zlib header that the name stands for (RFC 9110, 8.4.1.2)
      case 'deflate': return ((bytes[0] as number) & 0x0f) === 8 ? inflateSync(bytes, options) : inflateRawSync(bytes, options)
      case 'br': return brotliDecompressSync(bytes, options)
      default: return null
    }
  } catch {
    // the bytes went to the client as they came; what cannot be read has no known usage, and is charged as such
    return null
  }
}

export function isEncoded (contentEncoding: string): boolean {
  return !['', 'identity'].includes(contentEncoding.trim().toLowerCase())
}

export function isEventStream (contentType: string): boolean {
  return /^\s*text\/event-stream\s*(;|$)/i.test(contentType)
}

/** the JSON of an event; null where it is no object, which is nothing to stop a passing answer for */
export function jsonOf (text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : null
  } catch {
    return null
  }
}

export function isCount (value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

export function count (value: unknown): number { return isCount(value) ? value : 0 }

export function textOrNull (value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, 256) : null
}
