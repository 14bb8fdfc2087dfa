const MARK = 0xff

/** The bytes that frames of MPEG and FLAC begin with, one after another; at the end where there are no more. */
export class Marks {
  readonly #bytes: Buffer
  #found = 0
  at: number

  constructor (bytes: Buffer, from: number) {
    this.#bytes = bytes
    this.at = from - 1
    this.next()
  }

  next (): void {
    const bytes = this.#bytes
    let at = this.at + 1
    // where they are everywhere, a look at each byte costs less than a call for each of them
    if (this.#found++ * 32 < at + 65_536) {
      at = bytes.indexOf(MARK, at)
      this.at = at === -1 ? bytes.length : at
      return
    }
    while (at < bytes.length && bytes[at] !== MARK) at++
    this.at = at
  }
}
