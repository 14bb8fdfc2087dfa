const LF = 10
const CR = 13
const COLON = 0x3a

/** Longer events are passed on but not looked into. */
export const MAX_EVENT_BYTES = 8 * 1024 * 1024

/**
 * Splits server-sent events out of passing bytes (WHATWG HTML, 9.2): lines end in LF, CRLF or CR, an event ends at a
 * blank line. Bytes are never changed: all events and the rest, put together, are what came in. Linear, and what is
 * kept of an unfinished event is bounded.
 */
export class SseSplitter {
  #kept: Buffer[] = []
  #keptBytes = 0
  #blank = true
  #afterCr = false

  /** the events that this chunk completed, each with its closing blank line */
  push (chunk: Buffer): Buffer[] {
    const events: Buffer[] = []
    const rest = this.#afterCr || chunk.includes(CR) ? this.#byBytes(chunk, events) : this.#byLines(chunk, events)
    if (rest < chunk.length) this.#keep(rest === 0 ? chunk : chunk.subarray(rest))
    if (this.#keptBytes > MAX_EVENT_BYTES) events.push(this.rest() as Buffer)
    return events
  }

  /** lines that end in LF, as all providers write them: whole lines are skipped at once */
  #byLines (chunk: Buffer, events: Buffer[]): number {
    let start = 0
    let line = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, line)) {
      const empty = end === line && this.#blank
      line = end + 1
      this.#blank = true
      if (!empty) continue
      events.push(this.#complete(chunk.subarray(start, line)))
      start = line
    }
    if (line < chunk.length) this.#blank = false
    return start
  }

  #byBytes (chunk: Buffer, events: Buffer[]): number {
    let start = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] as number
      if (byte !== LF && byte !== CR) {
        this.#blank = false
        this.#afterCr = false
        continue
      }
      const halfOfCrLf = byte === LF && this.#afterCr
      this.#afterCr = byte === CR
      if (halfOfCrLf) continue
      if (this.#blank) {
        events.push(this.#complete(chunk.subarray(start, i + 1)))
        start = i + 1
      }
      this.#blank = true
    }
    return start
  }

  /** what came behind the last complete event; null: nothing */
  rest (): Buffer | null {
    if (this.#kept.length === 0) return null
    const rest = this.#kept.length === 1 ? this.#kept[0] as Buffer : Buffer.concat(this.#kept)
    this.#kept = []
    this.#keptBytes = 0
    return rest
  }

  #keep (bytes: Buffer): void {
    this.#kept.push(bytes)
    this.#keptBytes += bytes.length
  }

  #complete (tail: Buffer): Buffer {
    if (this.#kept.length === 0) return tail
    this.#keep(tail)
    return this.rest() as Buffer
  }
}

/** the payload of an event: its `data` lines, joined; empty where it has none */
export function eventData (event: Buffer): string {
  const lines = event.toString('utf8').split(/\r\n|\n|\r/)
  const data: string[] = []
  for (const line of lines) {
    if (!line.startsWith('data') || (line.length > 4 && line.charCodeAt(4) !== COLON)) continue
    data.push(line.charAt(5) === ' ' ? line.slice(6) : line.slice(5))
  }
  return data.join('\n')
}
