import t, { type Test } from 'tap'
import { type AccountFigures, type Authority, LostCommitsError, NotLiveError } from '../../src/account/authority.ts'
import { MemoryHotStatus, MemoryHub } from '../../src/account/memory-hot-status.ts'
import { BudgetTracker } from '../../src/budget/tracker.ts'

/** a heartbeat is answered when the test says so: by that its life is over */
function aTracker (t: Test) {
  // its own timer keeps no process alive
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => { clearInterval(alive) })
  let beaten = (): void => {}
  let refuse = (_error: Error): void => {}
  const beat = new Promise<void>((resolve) => { beaten = resolve })
  const answer = new Promise<never>((_resolve, reject) => { refuse = reject })
  const answers: AccountFigures[][] = []
  const ended: Error[] = []
  const warned: string[] = []
  let now = 0
  let time = 3_600_000
  const tracker = new BudgetTracker({
    authority: {
      heartbeat: async () => {
        beaten()
        return await (answers.shift() ?? answer)
      },
    } as unknown as Authority,
    hot: new MemoryHotStatus(new MemoryHub(), 1),
    outageMs: Infinity,
    incarnation: 1,
    now: () => time,
    steady: () => now,
    random: Math.random,
    log: { warn: (_, message) => { warned.push(message) }, error: () => {} },
    onReturnsDue: () => {},
    onNotLive: (error) => { ended.push(error) },
  })
  tracker.start()
  now = 10_000
  time += 10_000
  return { setClockBack: () => { time = 0 }, tracker, beat, refuse, answer, answers, ended, warned }
}

t.test('a life that was declared over while it ran ends the process', async (t) => {
  const { tracker, beat, refuse, answer, ended } = aTracker(t)
  await beat
  refuse(new NotLiveError('over'))
  await t.rejects(answer)
  t.equal(ended.length, 1)
  tracker.stop()
})

t.test('a clock that is set back an hour stops no heartbeat', async (t) => {
  const { tracker, beat, setClockBack } = aTracker(t)
  setClockBack()
  await beat
  tracker.stop()
})

t.test('a heartbeat that is still under way when a life ends in order does not end it as a failure', async (t) => {
  const { tracker, beat, refuse, answer, ended, warned } = aTracker(t)
  await beat
  tracker.stop()
  refuse(new NotLiveError('over'))
  await t.rejects(answer)
  t.equal(warned.length, 1)
  t.strictSame(ended, [])
})

t.test('a ledger that knows less than it has said ends the process, so that its journal is recorded again', async (t) => {
  const figures = (grantedNano: bigint, postedNano: bigint): AccountFigures => ({
    accountId: 1,
    limitNano: 100n,
    totalNano: 100n,
    settledNano: postedNano,
    leasedNano: grantedNano - postedNano,
    budgetVersion: 1,
    holders: 1,
    inDoubtNano: 0n,
    inDoubtSince: null,
    inDoubtHolder: null,
    longHeldNano: 0n,
    longHold: null,
    at: 3_600_000,
    grantedNano,
    postedNano,
  })
  for (const [later, ends] of [[figures(9n, 4n), false], [figures(7n, 4n), true], [figures(8n, 3n), true]] as const) {
    const { tracker, answers, ended, beat } = aTracker(t)
    answers.push([figures(8n, 4n)], [later])
    await tracker.charged([{ accountId: 1, periodEnd: null }])
    await beat
    while (answers.length > 0) await new Promise(setImmediate)
    await new Promise(setImmediate)
    t.equal(ended[0] instanceof LostCommitsError, ends)
    tracker.stop()
  }
})
