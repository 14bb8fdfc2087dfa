import { type Test } from 'tap'
import { type HotFigures, type HotStatus } from '../../src/account/hot-status.ts'

/** What every hot status does, whatever carries it. */
export interface Gateways {
  /** a started gateway; all of one test see one another */
  (incarnation: number): Promise<HotStatus>
}

export function figures (overrides: Partial<HotFigures> = {}): HotFigures {
  return {
    accountId: 1,
    incarnation: 1,
    budgetVersion: 3,
    limitNano: 100_000_000_000n,
    settledNano: 10n,
    leasedNano: 20n,
    inDoubtNano: 0n,
    at: 1_700_000_000_000,
    heldNano: 5n,
    consumedNano: 7n,
    unusedNano: 8n,
    ...overrides,
  }
}

/** waits for what comes by message or by the next refresh; the test's timeout is its end */
export async function until<T> (what: () => T | undefined | null | false): Promise<T> {
  for (;;) {
    const found = what()
    if (found !== undefined && found !== null && found !== false) return found
    await new Promise((resolve) => { setTimeout(resolve, 5) })
  }
}

function one (status: HotStatus, accountId: number): HotFigures | undefined {
  const others = status.others(accountId)
  return others?.length === 1 ? others[0] : undefined
}

export function hotStatusContract (t: Test, gatewaysOf: (t: Test) => Promise<Gateways>): void {
  t.test('what one gateway publishes, the others that watch the account see, and not itself', async (t) => {
    const gateway = await gatewaysOf(t)
    const [a, b] = [await gateway(1), await gateway(2)]
    await a.watch(1)
    await b.watch(1)
    a.publish(figures())

    t.strictSame(await until(() => one(b, 1)), figures())
    t.strictSame(a.others(1), [])
    t.equal(b.others(2), undefined, 'not watched')
  })

  t.test('an account that is watched later has what was published before', async (t) => {
    const gateway = await gatewaysOf(t)
    const [a, b] = [await gateway(1), await gateway(2)]
    a.publish(figures(), true)
    const c = await gateway(3)
    await untilRead(c, [1], (map) => map.get(1)?.length === 1)

    await c.watch(1)
    t.strictSame(c.others(1), [figures()])
    await b.watch(1)
    t.strictSame(await until(() => one(b, 1)), figures())
  })

  t.test('the newest figures of each gateway stand, each gateway by itself', async (t) => {
    const gateway = await gatewaysOf(t)
    const [a, b, c] = [await gateway(1), await gateway(2), await gateway(3)]
    await c.watch(1)
    for (let n = 1n; n <= 20n; n++) a.publish(figures({ consumedNano: n }), n % 3n === 0n)
    b.publish(figures({ incarnation: 2, limitNano: null, settledNano: -3n, consumedNano: 10n ** 20n }))

    const both = await until(() => {
      const others = [...c.others(1) ?? []].sort((x, y) => x.incarnation - y.incarnation)
      return others.length === 2 && others[0]?.consumedNano === 20n && others
    })
    t.strictSame(both[1], figures({ incarnation: 2, limitNano: null, settledNano: -3n, consumedNano: 10n ** 20n }))
  })

  t.test('a status request reads accounts that are not watched', async (t) => {
    const gateway = await gatewaysOf(t)
    const [a, b] = [await gateway(1), await gateway(2)]
    a.publish(figures(), true)
    a.publish(figures({ accountId: 2 }), true)

    const found = await untilRead(b, [1, 2, 3], (map) => map.get(1)?.length === 1 && map.get(2)?.length === 1)
    t.strictSame(found.get(1), [figures()])
    t.strictSame(found.get(2), [figures({ accountId: 2 })])
    t.strictSame(found.get(3), [])
    t.equal(b.others(1), undefined)
  })

  t.test('an account that is not watched any more has no copy, and what was published of it is taken back', async (t) => {
    const gateway = await gatewaysOf(t)
    const [a, b] = [await gateway(1), await gateway(2)]
    await a.watch(1)
    await b.watch(1)
    a.publish(figures(), true)
    await until(() => one(b, 1))
    a.unwatch(1)

    t.equal(a.others(1), undefined)
    await until(() => b.others(1)?.length === 0)
    await untilRead(b, [1], (map) => map.get(1)?.length === 0)
  })

  t.test('the figures of a gateway that closes go with it', async (t) => {
    const gateway = await gatewaysOf(t)
    const [a, b] = [await gateway(1), await gateway(2)]
    await b.watch(1)
    a.publish(figures(), true)
    await until(() => one(b, 1))
    await a.close()
    await a.close()
    a.publish(figures())

    await until(() => b.others(1)?.length === 0)
    await untilRead(b, [1], (map) => map.get(1)?.length === 0)
  })

  t.test('recalls and hints reach all others, and nobody hears itself', async (t) => {
    const gateway = await gatewaysOf(t)
    const [a, b, c] = [await gateway(1), await gateway(2), await gateway(3)]
    const heard = new Set<string>()
    for (const [name, status] of [['a', a], ['b', b], ['c', c]] as const) {
      status.onRecall((accountId) => heard.add(`${name} recall ${accountId}`))
      status.onHint((hint) => heard.add(`${name} ${hint.kind}`))
    }

    await until(() => {
      // messages may be lost, as between two nodes of a cluster that just then connect anew
      a.recall(7)
      b.hint({ kind: 'changed' })
      return heard.size === 4
    })
    t.strictSame([...heard].sort(), ['a changed', 'b recall 7', 'c changed', 'c recall 7'])
  })

  t.test('everything can be asked of a gateway that is closed', async (t) => {
    const gateway = await gatewaysOf(t)
    const a = await gateway(1)
    await a.close()
    a.recall(1)
    a.hint({ kind: 'changed' })
    a.unwatch(1)
    await a.watch(1)

    t.strictSame((await a.read([1])).get(1), [])
  })
}

async function untilRead (status: HotStatus, ids: number[], good: (map: Map<number, HotFigures[]>) => boolean):
Promise<Map<number, HotFigures[]>> {
  for (;;) {
    const found = await status.read(ids)
    if (good(found)) return found
    await new Promise((resolve) => { setTimeout(resolve, 5) })
  }
}
