import t from 'tap'
import { BudgetRegistry, type Versions } from '../../src/budget/registry.ts'

t.test('it hears which keys were changed, but for an outage behind which nobody can know', async (t) => {
  let answer: () => Promise<Versions> = async () => ({ budgets: 1, keys: 1 })
  const asked: (number | undefined)[] = []
  const heard: (string[] | null)[] = []
  const registry = new BudgetRegistry({
    forIdentity: async () => [],
    named: async () => ({ session: false, endUser: false, tags: [] }),
    versions: async (keysSince) => {
      asked.push(keysSince)
      return await answer()
    },
  }, { intervalMs: 1e9, onKeysChanged: (ids) => { heard.push(ids) } })
  await registry.follow()
  t.teardown(() => registry.stop())

  answer = async () => ({ budgets: 1, keys: 2, changedKeys: ['a'] })
  await registry.refresh()
  answer = async () => { throw new Error('no answer') }
  await registry.refresh()
  answer = async () => ({ budgets: 1, keys: 3 })
  await registry.refresh()
  await registry.refresh()
  answer = async () => ({ budgets: 1, keys: 4, changedKeys: ['b', 'c'] })
  await registry.refresh()

  t.same(heard, [['a'], null, ['b', 'c']])
  t.same(asked, [undefined, 1, 2, undefined, 3, 3])
})
