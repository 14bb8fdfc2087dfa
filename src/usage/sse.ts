import { Bytes } from './bytes.ts'

const LF = 10
const CR = 13
const SPACE = 0x20
const DATA = Buffer.from('data')
const COLON = 0x3a
const BYTE_ORDER_MARK = '\ufeff'

/** Longer events are passed on but not looked into. A picture in one is some megabytes long, before its usage comes. */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024

/** Takes what a splitter finds. All that it is given, put together, is what came in. */
export interface SseReader {
  /** a whole event, with the blank line that ends it */
  event (bytes: Buffer): void
  /** the line feed that ends the event before, where only its carriage return had come */
  lateLineFeed (bytes: Buffer): void
  /** a part of an event that is too long to be looked into */
  part (bytes: Buffer): void
}

/**
 * Splits server-sent events out of passing bytes (WHATWG HTML, 9.2): lines end in LF, CRLF or CR, an event ends at a
 * blank line. Bytes are never changed, and an event waits only for its own end. Linear, and what is kept of an
 * unfinished event is bounded.
 */
export class SseSplitter {
  readonly #reader: SseReader
  readonly #kept = new Bytes()
  /** the line under way has no byte yet */
  #blank = true
  /** the last byte was a CR; what a line feed behind it would belong to */
  #afterCr: 'line' | 'event' | null = null
  /** the event under way is too long */
  #tooLong = false
  /** an event was too long, so what it said is not known */
  overflowed = false

  constructor (reader: SseReader) { this.#reader = reader }

  /** an event is under way, of which nothing has been handed over */
  get keeps (): boolean { return this.#kept.length > 0 }

  /** bytes of the event that is under way */
  get unfinished (): number { return this.#kept.length }

  push (chunk: Buffer): void {
    if (chunk.length === 0) return
    let lineStart = chunk[0] === LF && this.#afterCr !== null ? 1 : 0
    let eventStart = this.#afterCr === 'event' ? lineStart : 0
    if (eventStart === 1) this.#reader.lateLineFeed(chunk.subarray(0, 1))
    this.#afterCr = null
    let lf = chunk.indexOf(LF, lineStart)
    let cr = chunk.indexOf(CR, lineStart)
    while (lf !== -1 || cr !== -1) {
      const isCr = cr !== -1 && (lf === -1 || cr < lf)
      const lineEnd = isCr ? cr : lf
      const next = isCr && lf === cr + 1 ? cr + 2 : lineEnd + 1
      const endsEvent = this.#blank && lineEnd === lineStart
      if (isCr && lineEnd === chunk.length - 1) this.#afterCr = endsEvent ? 'event' : 'line'
      if (endsEvent) {
        this.#complete(chunk.subarray(eventStart, next))
        eventStart = next
      }
      this.#blank = true
      lineStart = next
      if (lf !== -1 && lf < next) lf = chunk.indexOf(LF, next)
      if (cr !== -1 && cr < next) cr = chunk.indexOf(CR, next)
    }
    if (lineStart < chunk.length) this.#blank = false
    if (eventStart < chunk.length) this.#keep(eventStart === 0 ? chunk : chunk.subarray(eventStart))
  }

  /** The stream is over: what came behind the last blank line is handed over as an event. */
  end (): void {
    if (this.#kept.length > 0) this.#reader.event(this.#kept.take())
  }

  #keep (bytes: Buffer): void {
    if (!this.#tooLong && this.#kept.length + bytes.length > MAX_EVENT_BYTES) this.#giveUp()
    if (this.#tooLong) this.#reader.part(bytes)
    else this.#kept.add(bytes)
  }

  #complete (tail: Buffer): void {
    if (this.#kept.length === 0 && !this.#tooLong && tail.length <= MAX_EVENT_BYTES) {
      this.#reader.event(tail)
      return
    }
    this.#keep(tail)
    if (this.#tooLong) this.#tooLong = false
    else this.#reader.event(this.#kept.take())
  }

  #giveUp (): void {
    this.#tooLong = true
    this.overflowed = true
    if (this.#kept.length > 0) this.#reader.part(this.#kept.take())
  }
}

/** the payload of an event: its `data` lines, joined; empty where it has none */
export function eventData (event: Buffer): string {
  const text = event.toString('utf8')
  const lines = (text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text).split(/\r\n|\n|\r/)
  const data: string[] = []
  for (const line of lines) {
    if (!line.startsWith('data') || (line.length > 4 && line.charCodeAt(4) !== COLON)) continue
    data.push(line.charAt(5) === ' ' ? line.slice(6) : line.slice(5))
  }
  return data.join('\n')
}

/** where the payload of an event stands that has exactly one `data` line; null: it has another number of them */
export function dataRange (event: Buffer): { from: number, to: number } | null {
  const cr = event.includes(CR)
  let range: { from: number, to: number } | null = null
  for (let start = 0; start < event.length;) {
    const end = endOfLine(event, start, cr)
    if (isData(event, start, end)) {
      // a line of the name alone is an empty one
      if (range !== null || end - start === 4) return null
      range = { from: event[start + 5] === SPACE ? start + 6 : start + 5, to: end }
    }
    start = end + 1
  }
  return range
}

function isData (event: Buffer, start: number, end: number): boolean {
  return event[start] === DATA[0] && end - start >= 4 && event.compare(DATA, 0, 4, start, start + 4) === 0 &&
    (end - start === 4 || event[start + 4] === COLON)
}

function endOfLine (event: Buffer, start: number, hasCr: boolean): number {
  const lf = event.indexOf(LF, start)
  const end = lf === -1 ? event.length : lf
  if (!hasCr) return end
  const cr = event.indexOf(CR, start)
  return cr !== -1 && cr < end ? cr : end
}
