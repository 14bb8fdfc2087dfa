import t from 'tap'
import { HotCopies } from '../../../src/stores/redis/hot-copies.ts'
import { figures } from '../../account/hot-status-contract.ts'

const options = { maxAccounts: 3, ttlMs: 1_000, refreshMs: 100, probeMs: 500 }

function watching (...accountIds: number[]): HotCopies {
  const copies = new HotCopies(options)
  for (const accountId of accountIds) {
    copies.add(accountId, 0)
    copies.ready(accountId)
  }
  return copies
}

t.test('the newer of two figures stands, however they came', async (t) => {
  const copies = watching(1)
  copies.heard({ figures: figures({ consumedNano: 2n }), order: 2 }, 0)
  copies.heard({ figures: figures({ consumedNano: 1n }), order: 1 }, 1)

  t.strictSame(copies.others(1, 1), [figures({ consumedNano: 2n })])
})

t.test('a key that was not there yet does not undo what came by message meanwhile', async (t) => {
  const copies = watching(1)
  copies.heard({ figures: figures(), order: 1 }, 10)
  copies.missing({ accountId: 1, incarnation: 1 }, 10)
  t.equal(copies.others(1, 20)?.length, 1)

  copies.missing({ accountId: 1, incarnation: 1 }, 11)
  t.equal(copies.others(1, 20)?.length, 0)
  copies.missing({ accountId: 2, incarnation: 1 }, 11)
})

t.test('figures that nobody confirms are gone after their time', async (t) => {
  const copies = watching(1)
  copies.heard({ figures: figures(), order: 1 }, 0)
  copies.expire(1_000)
  t.equal(copies.others(1, 0)?.length, 1)
  copies.expire(1_001)
  t.equal(copies.others(1, 0)?.length, 0)
})

t.test('only what is used and was not heard of lately is read again', async (t) => {
  const copies = watching(1, 2)
  copies.heard({ figures: figures(), order: 1 }, 50)
  copies.used(1, 100)
  copies.used(2, 100)

  t.strictSame(copies.due([1, 2], 100, 10), [], 'heard by message just now')
  t.strictSame(copies.due([1, 2], 150, 10), [{ accountId: 1, incarnation: 1 }])
  t.strictSame(copies.due([1, 2], 350, 10), [], 'not used lately')
})

t.test('gateways that are new to an account are asked about now and then', async (t) => {
  const copies = watching(1)
  copies.used(1, 499)
  t.strictSame(copies.due([7], 499, 10), [])
  t.strictSame(copies.due([7], 500, 10), [{ accountId: 1, incarnation: 7 }])
  t.strictSame(copies.due([7], 501, 10), [])
})

t.test('where not everything can be read at once, everything has its turn', async (t) => {
  const copies = watching(1, 2, 3)
  const read: number[] = []
  for (let now = 500; now < 503; now++) {
    for (const id of [1, 2, 3]) copies.used(id, now)
    read.push(...copies.due([7], now, 1).map((source) => source.accountId))
  }

  t.strictSame(read.sort(), [1, 2, 3])
})

t.test('the account that was not read again for the longest time makes room', async (t) => {
  const copies = watching(1, 2, 3)
  copies.used(1, 500)
  copies.due([7], 500, 1)
  copies.add(4, 500)
  copies.add(4, 500)

  t.strictSame([1, 2, 3, 4].filter((id) => copies.has(id)), [1, 3, 4])
  t.equal(copies.others(4, 500), undefined, 'not read yet')
  t.equal(copies.size, 3)
})

t.test('a gateway that is gone takes its figures with it everywhere', async (t) => {
  const copies = watching(1, 2)
  for (const accountId of [1, 2]) copies.heard({ figures: figures({ accountId }), order: 1 }, 0)
  copies.heard({ figures: figures({ incarnation: 2 }), order: 1 }, 0)
  copies.gone(1)

  t.strictSame(copies.others(1, 0), [figures({ incarnation: 2 })])
  t.strictSame(copies.others(2, 0), [])
})
