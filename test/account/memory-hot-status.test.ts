import t from 'tap'
import { MemoryHotStatus, MemoryHub } from '../../src/account/memory-hot-status.ts'
import { hotStatusContract } from './hot-status-contract.ts'

hotStatusContract(t, async () => {
  const hub = new MemoryHub()
  return async (incarnation) => {
    const status = new MemoryHotStatus(hub, incarnation)
    await status.start()
    return status
  }
})

t.test('in one process it is always reachable and sends nothing', async (t) => {
  const status = new MemoryHotStatus(new MemoryHub(), 1)

  t.equal(status.reachable, true)
  t.equal(status.commands, 0)
})
