const NOTHING = Buffer.alloc(0)

/** Collects bytes that come in pieces. One piece is kept as it is; several are copied together, in linear time. */
export class Bytes {
  #room: Buffer = NOTHING
  #length = 0

  get length (): number { return this.#length }

  add (piece: Buffer): void {
    if (piece.length === 0) return
    const length = this.#length + piece.length
    if (this.#length === 0) {
      // somebody else's, but full: it is never written to
      this.#room = piece
    } else {
      if (length > this.#room.length) this.#grow(length)
      piece.copy(this.#room, this.#length)
    }
    this.#length = length
  }

  /** what has been collected; it is empty again */
  take (): Buffer {
    const whole = this.#room.subarray(0, this.#length)
    this.#room = NOTHING
    this.#length = 0
    return whole
  }

  #grow (length: number): void {
    const room = Buffer.allocUnsafe(length * 2)
    this.#room.copy(room, 0, 0, this.#length)
    this.#room = room
  }
}
