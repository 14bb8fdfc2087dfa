import t from 'tap'
import { authorityContract, anEvent, type AuthorityWorld } from './contract-authority.ts'
import { MemoryAuthority } from './memory-authority.ts'

const NOW = Date.UTC(2026, 0, 15, 12)

function aWorld (authority: MemoryAuthority): AuthorityWorld {
  let budgets = 0
  return {
    authority,
    async defineBudget (limitNano) {
      const id = `budget-${++budgets}`
      authority.defineBudget(id, limitNano)
      return id
    },
    async setLimit (budgetId, limitNano) { authority.setLimit(budgetId, limitNano) },
    async silence (incarnation, ahead) { authority.silence(incarnation, ahead) },
    async giveUp (incarnation) { authority.writeOff(incarnation) },
    async books () { return authority.books() },
  }
}

async function anAccountWithLease (authority: MemoryAuthority, limitNano: bigint, leaseNano: bigint) {
  authority.defineBudget('budget', limitNano)
  const spec = { budgetId: 'budget', subject: '', periodStart: NOW - 1, periodEnd: NOW + 1 }
  const [account] = await authority.ensureAccounts([spec])
  const accountId = account?.accountId ?? 0
  const incarnation = await authority.join('journal', 'host')
  await authority.grant(incarnation, { calls: [{ needs: [{ accountId, needNano: leaseNano }] }], extras: [] })
  return { accountId, incarnation }
}

t.test('the authority in memory keeps the contract', async (t) => {
  await authorityContract(t, async () => aWorld(new MemoryAuthority({ now: () => NOW })))
})

t.test('the authority in memory keeps the contract when a refused call blocks those behind it', async (t) => {
  await authorityContract(t, async () => aWorld(new MemoryAuthority({ now: () => NOW, blocking: true })))
})

t.test('refuses later calls of a blocked account although they would fit', async (t) => {
  const authority = new MemoryAuthority({ now: () => NOW, blocking: true })
  const { accountId, incarnation } = await anAccountWithLease(authority, 10n, 1n)
  const calls = [20n, 2n].map((needNano) => ({ needs: [{ accountId, needNano }] }))

  t.same((await authority.grant(incarnation, { calls, extras: [] })).granted, [false, false])
  t.same((await authority.grant(incarnation, { calls: calls.slice(1), extras: [] })).granted, [true])
})

t.test('throws figures back that no gateway can rightly send, and changes nothing', async (t) => {
  const authority = new MemoryAuthority({ now: () => NOW })
  const { accountId, incarnation } = await anAccountWithLease(authority, 10n, 4n)
  const before = authority.books()
  const charge = { accountId, amountNano: 3n, coveredNano: 3n }

  await t.rejects(authority.post(incarnation, [anEvent([{ ...charge, amountNano: 5n, coveredNano: 5n }])], []))
  await t.rejects(authority.post(incarnation, [], [{ accountId, returnedNano: 5n }]))
  await t.rejects(authority.post(incarnation, [anEvent([charge])], [{ accountId, returnedNano: 2n }]))
  await t.rejects(authority.post(incarnation, [anEvent([{ ...charge, amountNano: 2n }])], []))
  await t.rejects(authority.grant(incarnation, { calls: [{ needs: [{ accountId, needNano: 0n }] }], extras: [] }))

  t.same(authority.books(), before)
  t.equal(authority.events.size, 0)
})

t.test('puts a live gateway in doubt by the injected clock', async (t) => {
  let now = NOW
  const authority = new MemoryAuthority({ now: () => now, silentAfterMs: 1000 })
  const { accountId } = await anAccountWithLease(authority, 10n, 4n)
  const other = await authority.join('other', 'other-host')

  now += 1000
  t.match(await authority.heartbeat(other, [accountId]), [{ inDoubtNano: 0n }])
  now += 1
  t.match(await authority.heartbeat(other, [accountId]), [{ inDoubtNano: 4n, inDoubtSince: NOW, inDoubtHolder: 'host' }])
})

t.test('changes the limit of the running period only', async (t) => {
  let now = NOW
  const authority = new MemoryAuthority({ now: () => now })
  const { accountId, incarnation } = await anAccountWithLease(authority, 10n, 4n)
  now += 1

  authority.setLimit('budget', 5n)

  t.match(await authority.heartbeat(incarnation, [accountId]), [{ limitNano: 10n }])
  const spec = { budgetId: 'budget', subject: '', periodStart: NOW + 1, periodEnd: null }
  const [next] = await authority.ensureAccounts([spec])
  t.match(await authority.heartbeat(incarnation, [next?.accountId ?? 0]), [{ limitNano: 5n }])
})

t.test('takes nothing more back from a closed lease', async (t) => {
  const authority = new MemoryAuthority({ now: () => NOW })
  const { accountId, incarnation } = await anAccountWithLease(authority, 10n, 8n)
  await authority.beginRecovery(incarnation)
  await authority.closeLeases(incarnation, [{ accountId, keptNano: 3n }])

  await authority.post(incarnation, [], [{ accountId, returnedNano: 8n }])

  t.match(authority.books(), [{ leasedNano: 3n, leasesNano: 3n }])
  t.equal(authority.stateOf(incarnation), 'closed')
})

t.test('moves settled alone when usage without a call is recorded', async (t) => {
  const authority = new MemoryAuthority({ now: () => NOW })
  const { accountId } = await anAccountWithLease(authority, 10n, 4n)

  authority.charge(accountId, 9n)

  t.match(authority.books(), [{ settledNano: 9n, leasedNano: 4n, leasesNano: 4n, chargedNano: 9n }])
})
