/**
 * Loaded before a gateway: its clock is ahead, or behind, by SHIFT_MS. With each SIGUSR2 it is set by the next of
 * CLOCK_STEPS_MS, a list with commas, as an administrator would set it: what counts evenly goes on evenly.
 */
let by = Number(process.env['SHIFT_MS'] ?? 0)
const steps = (process.env['CLOCK_STEPS_MS'] ?? '').split(',').filter((step) => step !== '').map(Number)
const Real = Date
const origin = performance.timeOrigin + by

class Shifted extends Real {
  constructor (...given: [] | [number | string]) {
    if (given.length === 0) super(Real.now() + by)
    else super(given[0])
  }

  static override now (): number { return Real.now() + by }
}

globalThis.Date = Shifted as DateConstructor
Object.defineProperty(performance, 'timeOrigin', { get: () => origin })
process.on('SIGUSR2', () => { by += steps.shift() ?? 0 })
