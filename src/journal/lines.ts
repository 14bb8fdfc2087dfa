import { crc32 } from 'node:zlib'

/** the checksum's digits and a blank before the JSON, a newline behind it */
const CRC_DIGITS = 8
const FRAME = CRC_DIGITS + 2
/** an open call keeps the room of its opening alive, so that a long one costs no more than this */
const ROOM = 16 * 1024
/** of a text in UTF-8, for each of its code units */
const MAX_BYTES = 3
const HEX = Buffer.from('0123456789abcdef')
const SPACE = 0x20
const NEWLINE = 0x0a

/** how many bytes the line of a record has */
export function lineLength (json: Buffer): number { return json.length + FRAME }

/**
 * The lines of records (see records.ts), each written once, into the bytes that go to the file. Whoever still needs a
 * record's JSON keeps that part of them: outside of the heap, where the collector has nothing to copy.
 */
export class Lines {
  #room: Buffer = Buffer.alloc(0)
  #from = 0
  #to = 0
  #before: Buffer[] = []

  /** answers the bytes of the JSON */
  add (json: string): Buffer {
    const most = json.length * MAX_BYTES + FRAME
    if (this.#room.length - this.#to < most) this.#openRoom(most)
    const room = this.#room
    const start = this.#to + CRC_DIGITS + 1
    const end = start + room.write(json, start)
    const bytes = room.subarray(start, end)
    let crc = crc32(bytes)
    room[start - 1] = SPACE
    for (let at = start - 2; at >= this.#to; at--) {
      room[at] = HEX[crc & 0xf] as number
      crc >>>= 4
    }
    room[end] = NEWLINE
    this.#to = end + 1
    return bytes
  }

  /** the lines since the last time */
  take (): Buffer {
    const lines = this.#room.subarray(this.#from, this.#to)
    this.#from = this.#to
    if (this.#before.length === 0) return lines
    const all = Buffer.concat([...this.#before, lines])
    this.#before = []
    return all
  }

  #openRoom (most: number): void {
    if (this.#from < this.#to) this.#before.push(this.#room.subarray(this.#from, this.#to))
    this.#room = Buffer.allocUnsafeSlow(Math.max(ROOM, most))
    this.#from = 0
    this.#to = 0
  }
}
