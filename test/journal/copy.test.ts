import { mock } from 'node:test'
import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { type CopyBatch, type CopyStore, JournalCopy } from '../../src/journal/copy.ts'
import { EndedCall } from '../../src/journal/ended-call.ts'
import { readCopy } from '../../src/journal/lost-calls.ts'
import { anEnd, anOpening, callId } from './builders.ts'

/** A store that may be away, and may come back without what it had. */
class MemoryCopies implements CopyStore {
  batches: CopyBatch[] = []
  away = false
  writes = 0
  #back: () => void = () => undefined

  async write (_life: number, batches: readonly CopyBatch[], needed: number | null, anew: boolean): Promise<boolean> {
    this.writes++
    if (this.away) return false
    this.batches = [...anew ? [] : this.batches, ...batches].filter(({ number }) => number >= (needed ?? 0))
    return true
  }

  async read (_incarnation: number, after: number, most: number): Promise<CopyBatch[] | null> {
    return this.away ? null : this.batches.filter(({ number }) => number > after).slice(0, most)
  }

  async drop (_incarnation: number, through = Infinity): Promise<void> {
    if (!this.away) this.batches = this.batches.filter(({ number }) => number > through)
  }

  onBack (listener: () => void): void { this.#back = listener }

  comesBack (empty: boolean): void {
    this.away = false
    if (empty) this.batches = []
    this.#back()
  }

  async ids (): Promise<string[]> { return (await readCopy(this, 1) ?? []).map(({ opening }) => opening.id) }
}

function aCall (n: number): EndedCall {
  return EndedCall.of({ opening: anOpening({ id: callId(n) }), end: anEnd({ id: callId(n) }) })
}

let mocked = false

const SIZE = aCall(1).openJson.length + aCall(1).endJson.length + 2

/** on a clock of its own until the test ends */
function aCopy (t: Test, store: CopyStore, maxBytes = 1e6): { copy: JournalCopy, pass: (ms: number) => Promise<void> } {
  if (!mocked) {
    mock.timers.enable({ apis: ['setTimeout'] })
    mocked = true
    // other files share this process
    t.teardown(() => {
      mock.timers.reset()
      mocked = false
    })
  }
  let now = 0
  const copy = new JournalCopy({ store, incarnation: 1, maxBytes, now: () => now })
  return {
    copy,
    pass: async (ms) => {
      const step = ms > 1_000 ? 100 : 10
      for (let passed = 0; passed < ms; passed += step) {
        now += step
        mock.timers.tick(step)
        // what the store answers is heard of before time goes on
        for (let turn = 0; turn < 8; turn++) await Promise.resolve()
      }
    },
  }
}

const calls = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => aCall(from + n))
const idsOf = (from: number, to: number) => calls(from, to).map(({ id }) => id)

t.test('ended calls are copied together, some ms behind, and given up once they are recorded', async (t) => {
  const store = new MemoryCopies()
  const { copy, pass } = aCopy(t, store)
  for (const call of calls(0, 10)) copy.add(call)
  t.equal(store.writes, 0, 'nothing waits for it')
  await pass(20)
  t.equal(store.writes, 1)
  t.strictSame(await store.ids(), idsOf(0, 10))
  for (const call of calls(10, 12)) copy.add(call)
  await pass(20)
  copy.posted(10)
  await pass(2_000)
  t.strictSame(await store.ids(), idsOf(10, 12))
  copy.posted(2)
  await pass(2_000)
  t.strictSame(store.batches, [])
  t.equal(copy.bytes, 0)
})

t.test('what is recorded before it was copied is not copied at all', async (t) => {
  const store = new MemoryCopies()
  const { copy, pass } = aCopy(t, store)
  for (const call of calls(0, 4)) copy.add(call)
  copy.posted(4)
  await pass(3_000)
  t.strictSame(await store.ids(), [])
  t.equal(copy.bytes, 0)
})

t.test('it keeps to its bound, and counts what it has no room for', async (t) => {
  const store = new MemoryCopies()
  const { copy, pass } = aCopy(t, store, 3 * SIZE)
  for (const call of calls(0, 5)) copy.add(call)
  await pass(20)
  t.strictSame(await store.ids(), idsOf(0, 3))
  t.match(copy, { leftOut: 2, bytes: 3 * SIZE })
  copy.posted(4)
  for (const call of calls(5, 7)) copy.add(call)
  await pass(2_000)
  t.strictSame(await store.ids(), idsOf(5, 7), 'those it left out are nobody\'s place')
})

t.test('a store that was away, or came back empty, has all that is not recorded again', async (t) => {
  const store = new MemoryCopies()
  const { copy, pass } = aCopy(t, store)
  for (const call of calls(0, 3)) copy.add(call)
  await pass(20)
  store.away = true
  for (const call of calls(3, 6)) copy.add(call)
  await pass(60_000)
  t.ok(store.writes < 25, `it is not asked all the time, but ${store.writes} times in a minute`)
  copy.posted(2)
  store.comesBack(true)
  await pass(20)
  t.strictSame(await store.ids(), idsOf(0, 6), 'a batch goes as a whole')
  copy.posted(4)
  await pass(2_000)
  t.strictSame(await store.ids(), [])
})

t.test('a stop in order leaves no copy, one that could not record everything leaves it', async (t) => {
  for (const recorded of [2, 1]) {
    const store = new MemoryCopies()
    const { copy } = aCopy(t, store)
    for (const call of calls(0, 2)) copy.add(call)
    copy.posted(recorded)
    await copy.close()
    t.strictSame(await store.ids(), recorded === 2 ? [] : idsOf(1, 2))
  }
})

t.test('whatever is added, recorded and lost, in the end the copy has every call that is not recorded', async (t) => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ posted: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ pass: fc.constantFrom(10, 20, 50, 1_500) }),
    fc.constantFrom({ away: true }, { back: 'empty' }, { back: 'as it was' })
  )
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const store = new MemoryCopies()
    const { copy, pass } = aCopy(t, store)
    let [added, posted] = [0, 0]
    for (const one of steps) {
      if ('add' in one) for (const call of calls(added, added += one.add)) copy.add(call)
      if ('posted' in one) {
        const count = Math.min(one.posted, added - posted)
        posted += count
        copy.posted(count)
      }
      if ('pass' in one) await pass(one.pass)
      if ('away' in one) store.away = true
      if ('back' in one && store.away) store.comesBack(one.back === 'empty')
    }
    if (store.away) store.comesBack(true)
    await pass(10_000)
    const there = await store.ids()
    const missing = idsOf(posted, added).filter((id) => !there.includes(id))
    if (missing.length > 0) throw new Error(`not copied: ${missing.join()}`)
    if (new Set(there).size !== there.length) throw new Error('a call is there twice')
    copy.posted(added - posted)
    await pass(10_000)
    if (store.batches.length > 0 || copy.bytes !== 0) throw new Error('something stays')
  }), { numRuns: 40 })
})
