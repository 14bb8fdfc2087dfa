import fc from 'fast-check'
import t from 'tap'
import { Underway } from '../src/underway.ts'

t.test('it has what was added and not deleted, whatever the order', async (t) => {
  const steps = fc.array(fc.record({ add: fc.boolean(), n: fc.nat(7) }), { maxLength: 60 })
  fc.assert(fc.property(steps, (steps) => {
    const things = Array.from({ length: 8 }, (_, n) => ({ n, place: -1 }))
    const underway = new Underway<{ n: number, place: number }>()
    const expected = new Set<number>()
    for (const { add, n } of steps) {
      const thing = things[n] as { n: number, place: number }
      if (add && !expected.has(n)) underway.add(thing)
      if (!add) underway.delete(thing)
      if (add) expected.add(n)
      else expected.delete(n)
      t.strictSame(underway.list().map((one) => one.n).sort(), [...expected].sort())
      if (underway.size !== expected.size) return false
    }
    return true
  }))
})
