import { basename } from 'node:path'

/**
 * A life of a journal is written in segments, so that what PostgreSQL has can be dropped while the life goes on.
 * Names sort in the order of writing: `<incarnation>-<segment>.journal`.
 */
export interface SegmentName { incarnation: number, segment: number }

export function segmentName (incarnation: number, segment: number): string {
  return `${String(incarnation).padStart(12, '0')}-${String(segment).padStart(8, '0')}.journal`
}

/** null: not a segment */
export function parseSegmentName (path: string): SegmentName | null {
  const match = /^(\d{12,})-(\d{8,})\.journal$/.exec(basename(path))
  return match === null ? null : { incarnation: Number(match[1]), segment: Number(match[2]) }
}

/** One file of the living journal. */
export interface Segment {
  readonly number: number
  readonly path: string
  bytes: number
  /** calls whose opening lies here and whose records recovery would need */
  live: number
  /** the write that brought an opening from here to a later segment: this one stays until that is on stable storage */
  leftAt: number
}

/** Where a record lies. */
export interface Place { segment: Segment, offset: number, length: number }

interface LiveCall extends Place { ended: boolean }

/**
 * Which calls need which segments. A segment may go when it and all before it are needed by no call: a later segment
 * may hold the end or the void of a call that an earlier one opens, and without it that call would seem open again.
 */
export class SegmentIndex {
  readonly #segments: Segment[] = []
  readonly #calls = new Map<string, LiveCall>()
  #bytes = 0

  get bytes (): number { return this.#bytes }

  get count (): number { return this.#segments.length }

  get oldest (): Segment | undefined { return this.#segments[0] }

  get liveCalls (): number { return this.#calls.size }

  add (segment: Segment): void {
    this.#segments.push(segment)
    this.#bytes += segment.bytes
  }

  grew (segment: Segment, by: number): void {
    segment.bytes += by
    this.#bytes += by
  }

  /** where the newest opening of an open call lies; undefined: the call has ended or is not needed any more */
  opening (id: string): Place | undefined {
    const call = this.#calls.get(id)
    return call === undefined || call.ended ? undefined : call
  }

  /** `write` wrote this opening; an earlier one of the same call is not needed any more */
  opened (id: string, opening: Place, write: number): void {
    const call = this.#calls.get(id)
    if (call !== undefined) {
      call.segment.live--
      if (call.segment !== opening.segment) call.segment.leftAt = write
    }
    const { segment, offset, length } = opening
    this.#calls.set(id, { segment, offset, length, ended: call?.ended ?? false })
    segment.live++
  }

  ended (id: string): void {
    const call = this.#calls.get(id)
    if (call !== undefined) call.ended = true
  }

  forget (id: string): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    call.segment.live--
    this.#calls.delete(id)
  }

  /** the calls that need a segment */
  callsOf (segment: Segment): string[] {
    const ids: string[] = []
    for (const [id, call] of this.#calls) if (call.segment === segment) ids.push(id)
    return ids
  }

  /** takes out the segments that nothing needs, `synced` being the last write on stable storage; the last one stays */
  drop (synced: number): Segment[] {
    let count = 0
    while (count < this.#segments.length - 1) {
      const segment = this.#segments[count] as Segment
      if (segment.live > 0 || segment.leftAt > synced) break
      this.#bytes -= segment.bytes
      count++
    }
    return count === 0 ? NONE : this.#segments.splice(0, count)
  }
}

const NONE: Segment[] = []
