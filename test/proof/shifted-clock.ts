/** Loaded before a gateway: its clock is ahead, or behind, by so many ms. */
const by = Number(process.env['SHIFT_MS'])
const Real = Date

class Shifted extends Real {
  constructor (...given: [] | [number | string]) {
    if (given.length === 0) super(Real.now() + by)
    else super(given[0])
  }

  static override now (): number { return Real.now() + by }
}

globalThis.Date = Shifted as DateConstructor
