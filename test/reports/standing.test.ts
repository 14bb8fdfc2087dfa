import t from 'tap'
import { type HotFigures } from '../../src/account/hot-status.ts'
import { Lease } from '../../src/account/lease.ts'
import { type LedgerAccount, type OwnView, standingOf } from '../../src/reports/standing.ts'

const US = 1
const OTHER = 2

function anAccount (overrides: Partial<LedgerAccount> = {}): LedgerAccount {
  return {
    accountId: 7,
    budgetId: 'b',
    subject: '',
    periodStart: 0,
    limitNano: 1_000n,
    totalNano: 1_000n,
    carriedNano: 0n,
    settledNano: 100n,
    belowNano: 0n,
    leasedNano: 0n,
    leases: [],
    alerts: [],
    doubt: null,
    chargedAt: 5,
    ...overrides,
  }
}

function aLease (incarnation: number, restNano: bigint, postedNano = 0n, responds = true): LedgerAccount['leases'][number] {
  return { accountId: 7, incarnation, restNano, postedNano, responds }
}

function own (figures: { consumed: bigint, held: bigint } | null = null, debtNano = 0n): OwnView {
  const lease = figures === null ? null : Object.assign(new Lease(7, null, 9), figures)
  return { incarnation: US, lease, debtNano }
}

function published (consumedNano: bigint, heldNano: bigint): HotFigures {
  return {
    accountId: 7,
    incarnation: OTHER,
    budgetVersion: 1,
    limitNano: 1_000n,
    settledNano: 0n,
    leasedNano: 0n,
    inDoubtNano: 0n,
    at: 20,
    heldNano,
    consumedNano,
    unusedNano: 0n,
  }
}

t.test('of a lease, what is consumed and not posted is spent, what is held is held, and the rest is idle', async (t) => {
  const account = anAccount({ leasedNano: 90n, leases: [aLease(US, 50n, 10n), aLease(OTHER, 40n, 5n)] })
  t.match(standingOf(account, own({ consumed: 25n, held: 20n }), [published(12n, 8n)]), {
    spentNano: 122n,
    settledNano: 100n,
    heldNano: 28n,
    leasedNano: 40n,
    inDoubtNano: 0n,
    heldLongNano: 0n,
    heldIsUpperBound: false,
  })
})

t.test('figures that are older than what was posted take nothing away', async (t) => {
  const account = anAccount({ leasedNano: 40n, leases: [aLease(OTHER, 40n, 30n)] })
  t.match(standingOf(account, own(), [published(12n, 0n)]), { spentNano: 100n, heldNano: 0n, leasedNano: 40n })
})

t.test('all that a gateway without live figures leases counts as held, if it leases anything', async (t) => {
  const account = anAccount({ leasedNano: 40n, leases: [aLease(OTHER, 40n), aLease(3, 0n)] })
  t.match(standingOf(account, own(), []), { heldNano: 40n, leasedNano: 0n, heldIsUpperBound: true })
  t.match(standingOf(anAccount({ leases: [aLease(3, 0n)] }), own(), []), { heldIsUpperBound: false })
})

t.test('what a silent gateway leases is in doubt, whatever it published', async (t) => {
  const doubt = { holder: 'host (gateway 2)', since: 3 }
  const account = anAccount({ leasedNano: 40n, leases: [aLease(OTHER, 40n, 0n, false)], doubt })
  t.match(standingOf(account, own(), [published(12n, 8n)]), { spentNano: 100n, heldNano: 40n, inDoubtNano: 40n, doubt })
})

t.test('what is leased without a lease is held for long', async (t) => {
  const account = anAccount({ leasedNano: 70n, leases: [aLease(US, 50n)] })
  const found = standingOf(account, own({ consumed: 0n, held: 0n }), [])
  t.match(found, { heldNano: 20n, heldLongNano: 20n, leasedNano: 50n })
})

t.test('a lease that was granted after the ledger was read counts by what this gateway knows of it', async (t) => {
  const found = standingOf(anAccount(), own({ consumed: 5n, held: 7n }, 2n), [])
  t.match(found, { spentNano: 107n, heldNano: 7n, leasedNano: 0n })
})

t.test('figures changed when something was charged, or is live', async (t) => {
  t.equal(standingOf(anAccount({ leases: [aLease(US, 50n)] }), own({ consumed: 0n, held: 0n }), []).changedAt, 5)
  t.equal(standingOf(anAccount({ leases: [aLease(US, 50n)] }), own({ consumed: 0n, held: 1n }), []).changedAt, 9)
  t.equal(standingOf(anAccount({ leases: [aLease(OTHER, 50n)] }), own(), [published(1n, 0n)]).changedAt, 20)
})
