/**
 * What every implementation of Authority must do, whatever it is made of: the rules of the lease protocol that a
 * gateway relies on. `make` opens a fresh world per test; amounts are small so that each rule can be read.
 */
import { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { type AccountFigures, type Authority, type GrantCall } from '../../src/account/authority.ts'
import { type KeptCall } from '../../src/holds/job.ts'
import { type Charge, type UsageEvent } from '../../src/usage/usage.ts'
import { aBound, aModel } from '../pricing/builders.ts'
import { type AccountBooks } from './memory-authority.ts'

/** An authority and the hands that only tests have on it. */
export interface AuthorityWorld {
  authority: Authority
  /** a budget in USD; null: soft. Its id. */
  defineBudget (limitNano: bigint | null): Promise<string>
  /** what an administrator does to the amount; acts on the account of the running period */
  setLimit (budgetId: string, limitNano: bigint): Promise<void>
  /** a gateway's last sign of life is older than is allowed, or `ahead`: to come, as where a clock was set back */
  silence (incarnation: number, ahead?: boolean): Promise<void>
  /** by an administrator: what a gateway that does not answer has leased counts as spent */
  giveUp (incarnation: number): Promise<unknown>
  /** what the rows say beside what leases and charges add up to, read at one instant */
  books (): Promise<AccountBooks[]>
}

export type MakeWorld = (t: Test) => Promise<AuthorityWorld>

const HOST = 'gateway.test'

/** An account of a fresh budget whose period is running. */
async function anAccount (world: AuthorityWorld, limitNano: bigint | null): Promise<number> {
  return accountOf(world, await world.defineBudget(limitNano))
}

async function accountOf (world: AuthorityWorld, budgetId: string, subject = ''): Promise<number> {
  const [account] = await world.authority.ensureAccounts([
    { budgetId, subject, periodStart: Date.UTC(2020, 0), periodEnd: null },
  ])
  if (account === undefined) throw new Error('no account was made')
  return account.accountId
}

/** A finished call, with what it charges; the hold of each account is what it charged, unless said otherwise. */
export function anEvent (charges: Charge[], overrides: { id?: string, certainty?: 'exact' | 'uncertain' } = {}): UsageEvent {
  const id = overrides.id ?? uuidv7()
  const openedAt = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  const costNano = charges.reduce((most, { amountNano }) => amountNano > most ? amountNano : most, 0n)
  return {
    opening: {
      id,
      openedAt,
      organizationId: 'acme',
      teamId: null,
      projectId: null,
      userId: null,
      keyId: '01890000-0000-7000-8000-000000000001',
      sessionId: null,
      tags: null,
      provider: 'demo',
      endpoint: 'chat.completions',
      model: 'demo-small',
      stream: false,
      requestId: null,
      quoteNano: costNano,
      priceVersion: 'test',
      holds: charges.map(({ accountId, amountNano, coveredNano }) => ({
        accountId, quoteNano: amountNano, rate: null, enforced: coveredNano > 0n,
      })),
    },
    end: {
      id,
      endedAt: openedAt + 1,
      outcome: 'completed',
      status: 200,
      certainty: overrides.certainty ?? 'exact',
      modelUsed: 'demo-small',
      usage: null,
      costNano,
      charges,
      providerRequestId: null,
    },
  }
}

/** the call of an event, as it becomes long */
function kept ({ opening }: UsageEvent, jobId: string): KeptCall {
  const terms = { asked: 'demo-small', model: aModel('demo', 'demo-small'), bound: aBound() }
  return { opening, jobId, terms, expiresAt: opening.openedAt + 60_000, pollInMs: 1_000 }
}

function needs (...pairs: [accountId: number, needNano: bigint][]): GrantCall {
  return { needs: pairs.map(([accountId, needNano]) => ({ accountId, needNano })) }
}

function paid (accountId: number, amountNano: bigint, coveredNano = amountNano): Charge {
  return { accountId, amountNano, coveredNano }
}

async function take (world: AuthorityWorld, incarnation: number, ...calls: GrantCall[]): Promise<boolean[]> {
  return (await world.authority.grant(incarnation, { calls, extras: [] })).granted
}

function figuresOf (accounts: AccountFigures[], accountId: number): AccountFigures {
  const figures = accounts.find((entry) => entry.accountId === accountId)
  if (figures === undefined) throw new Error(`no figures of account ${accountId}`)
  return figures
}

async function look (world: AuthorityWorld, incarnation: number, accountId: number): Promise<AccountFigures> {
  return figuresOf(await world.authority.heartbeat(incarnation, [accountId]), accountId)
}

/** The equations that hold after every statement, whatever happened. */
async function assertBalanced (t: Test, world: AuthorityWorld): Promise<void> {
  for (const row of await world.books()) {
    t.equal(row.leasedNano, row.leasesNano, 'leased is the sum over its leases')
    t.equal(row.settledNano, row.chargedNano, 'settled is the sum of what was charged')
    t.ok(row.leasedNano >= 0n, 'leased is never negative')
  }
}

type Case = (t: Test, world: AuthorityWorld) => Promise<void>

const CASES: Record<string, Case> = {
  'makes an account once, however often and however many ask': async (t, world) => {
    const budgetId = await world.defineBudget(10n)
    const spec = { budgetId, subject: '', periodStart: Date.UTC(2020, 0), periodEnd: null }

    const specs = [spec, { ...spec, subject: 'b' }]
    const answers = await Promise.all([1, 2, 3].map(() => world.authority.ensureAccounts(specs)))

    t.equal(new Set(answers.map(([a]) => a?.accountId)).size, 1)
    t.equal(new Set(answers.map(([, b]) => b?.accountId)).size, 1)
    t.not(answers[0]?.[0]?.accountId, answers[0]?.[1]?.accountId, 'another subject is another account')
    t.equal(answers[0]?.[0]?.currency, 'USD')
    const [later] = await world.authority.ensureAccounts([{ ...spec, periodStart: Date.UTC(2021, 0) }])
    t.not(later?.accountId, answers[0]?.[0]?.accountId, 'another period is another account')
  },

  'tells with an account what a process life had of it': async (t, world) => {
    const budgetId = await world.defineBudget(10n)
    const spec = { budgetId, subject: 'ann', periodStart: Date.UTC(2020, 0), periodEnd: null }
    const incarnation = await world.authority.join('journal', HOST)
    const [fresh] = await world.authority.ensureAccounts([spec], incarnation)
    const accountId = fresh?.accountId ?? 0
    t.equal(fresh?.lease, null)
    await take(world, incarnation, needs([accountId, 7n]))
    await world.authority.post(incarnation, [anEvent([paid(accountId, 3n)])], [{ accountId, returnedNano: 4n }])

    const [known] = await world.authority.ensureAccounts([spec], incarnation)
    t.same(known, { accountId, currency: 'USD', lease: { grantedNano: 7n, returnedNano: 4n, postedNano: 3n } })
    const other = await world.authority.join('another', HOST)
    t.same((await world.authority.ensureAccounts([spec], other))[0]?.lease, null, 'and nothing of another one')
  },

  'gives every process life a number of its own, with leases at zero': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const first = await world.authority.join('journal-1', HOST)
    await take(world, first, needs([accountId, 4n]))

    const second = await world.authority.join('journal-2', HOST)

    t.not(first, second)
    t.match(await look(world, second, accountId), { grantedNano: 0n, postedNano: 0n, leasedNano: 4n, settledNano: 0n })
  },

  'grants while settled, leased and need fit the limit, and not a nano-unit more': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const incarnation = await world.authority.join('journal', HOST)
    await take(world, incarnation, needs([accountId, 3n]))
    await world.authority.post(incarnation, [anEvent([paid(accountId, 3n)])], [])
    await take(world, incarnation, needs([accountId, 2n]))

    t.same(await take(world, incarnation, needs([accountId, 6n])), [false])
    t.same(await take(world, incarnation, needs([accountId, 5n])), [true])
    t.same(await take(world, incarnation, needs([accountId, 1n])), [false])
    const figures = await look(world, incarnation, accountId)
    t.match(figures, { limitNano: 10n, settledNano: 3n, leasedNano: 7n, grantedNano: 10n })
    await assertBalanced(t, world)
  },

  'grants a call on all of its accounts or on none': async (t, world) => {
    const wide = await anAccount(world, 100n)
    const narrow = await anAccount(world, 5n)
    const incarnation = await world.authority.join('journal', HOST)

    const answer = await world.authority.grant(incarnation, { calls: [needs([wide, 6n], [narrow, 6n])], extras: [] })

    t.same(answer.granted, [false])
    t.match(figuresOf(answer.accounts, wide), { leasedNano: 0n, grantedNano: 0n })
    t.match(figuresOf(answer.accounts, narrow), { leasedNano: 0n, grantedNano: 0n, limitNano: 5n })
    t.same(await take(world, incarnation, needs([wide, 5n], [narrow, 5n])), [true])
    await assertBalanced(t, world)
  },

  'grants the first call of a batch that fits, and calls on other accounts beside a refused one': async (t, world) => {
    const one = await anAccount(world, 10n)
    const other = await anAccount(world, 10n)
    const incarnation = await world.authority.join('journal', HOST)

    const granted = await take(world, incarnation, needs([one, 7n]), needs([one, 7n]), needs([other, 7n]))

    t.same(granted, [true, false, true])
  },

  'never grants more in one batch than one account has': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const incarnation = await world.authority.join('journal', HOST)

    const granted = await take(world, incarnation, ...Array.from({ length: 8 }, () => needs([accountId, 3n])))

    t.equal(granted.filter(Boolean).length, 3)
    t.same(granted.slice(0, 3), [true, true, true], 'in the order in which they asked')
    t.equal((await look(world, incarnation, accountId)).leasedNano, 9n)
  },

  'gives an extra of at most half a holder\'s share of what is free': async (t, world) => {
    const accountId = await anAccount(world, 100n)
    const [first, second] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    const request = (extraNano: bigint) => ({ calls: [needs([accountId, 20n])], extras: [{ accountId, extraNano }] })

    const alone = figuresOf((await world.authority.grant(first, request(1000n))).accounts, accountId)
    const beside = figuresOf((await world.authority.grant(second, request(1000n))).accounts, accountId)

    t.equal(alone.grantedNano, 60n, 'the need and half of the 80 left')
    t.equal(alone.holders, 1)
    t.equal(beside.grantedNano, 25n, 'the need and a quarter of the 20 left')
    t.equal(beside.holders, 2)
    t.equal(figuresOf((await world.authority.grant(first, {
      calls: [needs([accountId, 1n])], extras: [{ accountId, extraNano: 2n }],
    })).accounts, accountId).grantedNano, 63n, 'never more than was asked for')
    await assertBalanced(t, world)
  },

  'gives no extra on an account where a call was refused': async (t, world) => {
    const [one, other] = [await anAccount(world, 10n), await anAccount(world, 10n)]
    const incarnation = await world.authority.join('journal', HOST)

    const answer = await world.authority.grant(incarnation, {
      calls: [needs([one, 2n]), needs([one, 20n]), needs([other, 2n])],
      extras: [{ accountId: one, extraNano: 2n }, { accountId: other, extraNano: 2n }],
    })

    t.same(answer.granted, [true, false, true])
    t.equal(figuresOf(answer.accounts, one).grantedNano, 2n)
    t.equal(figuresOf(answer.accounts, other).grantedNano, 4n)
  },

  'adds to the lease when a grant is repeated, and says how much it is now': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const incarnation = await world.authority.join('journal', HOST)
    await take(world, incarnation, needs([accountId, 3n]))
    await take(world, incarnation, needs([accountId, 3n]))

    t.match(await look(world, incarnation, accountId), { grantedNano: 6n, leasedNano: 6n, holders: 1 })
  },

  'refuses nothing on an account without a limit, and says that it has none': async (t, world) => {
    const [soft, enforced] = [await anAccount(world, null), await anAccount(world, 10n)]
    const incarnation = await world.authority.join('journal', HOST)

    const answer = await world.authority.grant(incarnation, { calls: [needs([soft, 9n], [enforced, 9n])], extras: [] })

    t.same(answer.granted, [true])
    t.equal(figuresOf(answer.accounts, soft).limitNano, null)
    await world.authority.post(incarnation, [anEvent([paid(soft, 7n, 0n), paid(enforced, 7n)])], [])
    t.match(await look(world, incarnation, soft), { settledNano: 7n, leasedNano: 9n })
    await assertBalanced(t, world)
  },

  'never lets the gateways together past a limit that they ask for at once': async (t, world) => {
    const [one, other] = [await anAccount(world, 50n), await anAccount(world, 70n)]
    const gateways = await Promise.all([1, 2, 3].map((n) => world.authority.join(`journal-${n}`, HOST)))

    const answers = await Promise.all(Array.from({ length: 12 }, async (_, n) => {
      const pair: [number, bigint][] = n % 2 === 0 ? [[one, 3n], [other, 3n]] : [[other, 3n], [one, 3n]]
      return take(world, gateways[n % 3] ?? 0, needs(...pair), needs(...pair))
    }))

    t.equal(answers.flat().filter(Boolean).length, 16, 'as many as the smaller account affords')
    await assertBalanced(t, world)
    for (const row of await world.books()) t.ok(row.leasedNano <= (row.limitNano ?? 0n))
  },

  'settles an event once, and pays it from the lease': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const incarnation = await world.authority.join('journal', HOST)
    await take(world, incarnation, needs([accountId, 8n]))
    const event = anEvent([paid(accountId, 5n)])

    const answer = await world.authority.post(incarnation, [event], [])

    t.same(answer.inserted, [event.end.id])
    t.match(figuresOf(answer.accounts, accountId), { settledNano: 5n, leasedNano: 3n, postedNano: 5n, grantedNano: 8n })
    await assertBalanced(t, world)
  },

  'counts an event once, however often and in however many batches it comes': async (t, world) => {
    const accountId = await anAccount(world, 100n)
    const incarnation = await world.authority.join('journal', HOST)
    await take(world, incarnation, needs([accountId, 50n]))
    const [first, second] = [anEvent([paid(accountId, 5n)]), anEvent([paid(accountId, 7n)])]

    const answers = await Promise.all([
      world.authority.post(incarnation, [first, first], []),
      world.authority.post(incarnation, [first, second], []),
      world.authority.post(incarnation, [second, first], []),
    ])

    t.same(answers.flatMap(({ inserted }) => inserted).sort(), [first.end.id, second.end.id].sort())
    t.match(await look(world, incarnation, accountId), { settledNano: 12n, postedNano: 12n, leasedNano: 38n })
    const again = await world.authority.post(incarnation, [first], [])
    t.same(again.inserted, [])
    t.match(figuresOf(again.accounts, accountId), { settledNano: 12n, postedNano: 12n }, 'figures come all the same')
  },

  'takes posts and grants on the same accounts in any order at once': async (t, world) => {
    const accounts = [await anAccount(world, 1000n), await anAccount(world, 1000n), await anAccount(world, 1000n)]
    const gateways = await Promise.all([1, 2, 3].map((n) => world.authority.join(`journal-${n}`, HOST)))
    for (const incarnation of gateways) {
      t.same(await take(world, incarnation, needs(...accounts.map((id): [number, bigint] => [id, 100n]))), [true])
    }

    await Promise.all(Array.from({ length: 18 }, async (_, n) => {
      const order = n % 2 === 0 ? accounts : accounts.toReversed()
      const incarnation = gateways[n % 3] ?? 0
      if (n % 6 < 3) return world.authority.post(incarnation, [anEvent(order.map((id) => paid(id, 2n)))], [])
      return take(world, incarnation, needs(...order.map((id): [number, bigint] => [id, 3n])))
    }))

    for (const accountId of accounts) {
      t.match(await look(world, gateways[0] ?? 0, accountId), { settledNano: 18n, leasedNano: 309n })
    }
    await assertBalanced(t, world)
  },

  'takes from the lease only what is covered: the rest of an overrun is debt': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const [first, second] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, first, needs([accountId, 4n]))
    await take(world, second, needs([accountId, 5n]))

    await world.authority.post(first, [anEvent([paid(accountId, 9n, 4n)])], [])

    t.match(await look(world, second, accountId), { settledNano: 9n, leasedNano: 5n })
    t.same(await take(world, second, needs([accountId, 1n])), [false], 'nothing is granted on an account in debt')
    await assertBalanced(t, world)
  },

  'takes back what a gateway returns, as an absolute figure': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const incarnation = await world.authority.join('journal', HOST)
    await take(world, incarnation, needs([accountId, 8n]))

    await world.authority.post(incarnation, [], [{ accountId, returnedNano: 3n }])
    await world.authority.post(incarnation, [], [{ accountId, returnedNano: 3n }])
    await world.authority.post(incarnation, [anEvent([paid(accountId, 2n)])], [{ accountId, returnedNano: 1n }])

    const figures = await look(world, incarnation, accountId)
    t.match(figures, { leasedNano: 3n, settledNano: 2n, grantedNano: 8n, postedNano: 2n })
    await world.authority.post(incarnation, [], [{ accountId, returnedNano: 6n }])
    t.match(await look(world, incarnation, accountId), { leasedNano: 0n, settledNano: 2n })
    t.same(await take(world, incarnation, needs([accountId, 8n])), [true])
    await assertBalanced(t, world)
  },

  'counts as holders those who have something left': async (t, world) => {
    const accountId = await anAccount(world, 100n)
    const [first, second] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, first, needs([accountId, 4n]))
    await take(world, second, needs([accountId, 4n]))
    t.equal((await look(world, first, accountId)).holders, 2)

    await world.authority.post(second, [], [{ accountId, returnedNano: 4n }])

    t.equal((await look(world, first, accountId)).holders, 1)
  },

  'grants nothing under a lowered limit, and again once it is raised': async (t, world) => {
    const budgetId = await world.defineBudget(10n)
    const accountId = await accountOf(world, budgetId)
    const incarnation = await world.authority.join('journal', HOST)
    await take(world, incarnation, needs([accountId, 6n]))
    const before = await look(world, incarnation, accountId)

    await world.setLimit(budgetId, 5n)

    const lowered = await look(world, incarnation, accountId)
    t.match(lowered, { limitNano: 5n, leasedNano: 6n })
    t.ok(lowered.budgetVersion > before.budgetVersion)
    t.same(await take(world, incarnation, needs([accountId, 1n])), [false])
    await world.authority.post(incarnation, [anEvent([paid(accountId, 6n)])], [])
    await world.setLimit(budgetId, 20n)
    t.same(await take(world, incarnation, needs([accountId, 14n])), [true])
    await assertBalanced(t, world)
  },

  'grants nothing and answers no heartbeat once recovery has begun': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const incarnation = await world.authority.join('journal', HOST)
    await take(world, incarnation, needs([accountId, 4n]))

    await world.authority.beginRecovery(incarnation)

    await t.rejects(take(world, incarnation, needs([accountId, 1n])), { code: 'incarnation_not_live' })
    await t.rejects(look(world, incarnation, accountId), { code: 'incarnation_not_live' })
    await world.authority.beginRecovery(incarnation)
    await world.authority.closeLeases(incarnation, [])
    await t.rejects(take(world, incarnation, needs([accountId, 1n])), { code: 'incarnation_not_live' })
    await t.rejects(look(world, incarnation, accountId), { code: 'incarnation_not_live' })
    await assertBalanced(t, world)
  },

  'does not close the leases of a gateway that lives': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const incarnation = await world.authority.join('journal', HOST)
    await take(world, incarnation, needs([accountId, 4n]))

    await t.rejects(world.authority.closeLeases(incarnation, []))

    t.match(await look(world, incarnation, accountId), { leasedNano: 4n, grantedNano: 4n })
  },

  'recovers: what is known is posted, the rest of the lease goes back, once': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, dead, needs([accountId, 12n]))
    const [ended, open] = [anEvent([paid(accountId, 3n)]), anEvent([paid(accountId, 4n)], { certainty: 'uncertain' })]
    await world.authority.post(dead, [ended], [{ accountId, returnedNano: 1n }])

    await world.authority.beginRecovery(dead)
    const answer = await world.authority.post(dead, [ended, open], [])
    t.same(answer.inserted, [open.end.id])
    t.match(await look(world, alive, accountId), { settledNano: 7n, leasedNano: 4n })
    await world.authority.closeLeases(dead, [])
    t.match(await look(world, alive, accountId), { settledNano: 7n, leasedNano: 0n, inDoubtNano: 0n })

    await take(world, alive, needs([accountId, 5n]))
    await world.authority.closeLeases(dead, [])
    await world.authority.beginRecovery(dead)
    await world.authority.closeLeases(dead, [])
    t.match(await look(world, alive, accountId), { settledNano: 7n, leasedNano: 5n }, 'a second time changes nothing')
    await assertBalanced(t, world)
  },

  'drops what a dead gateway\'s late messages ask for, but never what it spent': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, dead, needs([accountId, 10n]))
    const known = anEvent([paid(accountId, 3n)])
    await world.authority.beginRecovery(dead)
    await world.authority.post(dead, [known], [])
    await world.authority.closeLeases(dead, [])

    t.same((await world.authority.post(dead, [known], [{ accountId, returnedNano: 7n }])).inserted, [])
    t.match(await look(world, alive, accountId), { settledNano: 3n, leasedNano: 0n })

    await world.authority.beginRecovery(dead)
    const unknown = anEvent([paid(accountId, 4n)])
    t.same((await world.authority.post(dead, [unknown], [])).inserted, [unknown.end.id])
    t.match(await look(world, alive, accountId), { settledNano: 7n, leasedNano: 0n }, 'its lease has nothing to pay with')
    await assertBalanced(t, world)
  },

  'records what a dead gateway\'s lease does not cover, beyond it: a release that got lost may have given that back': async (t, world) => {
    const accountId = await anAccount(world, 10n)
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, dead, needs([accountId, 10n]))
    await world.authority.post(dead, [], [{ accountId, returnedNano: 7n }])
    t.same(await take(world, alive, needs([accountId, 5n])), [true], 'another gateway has it')
    const [lost, waits] = [anEvent([paid(accountId, 6n)], { certainty: 'uncertain' }), anEvent([paid(accountId, 2n)])]
    await t.rejects(world.authority.post(dead, [lost], []), { code: 'batch_refused' }, 'never of one that lives')

    await world.authority.beginRecovery(dead)
    t.same((await world.authority.post(dead, [lost], [])).inserted, [lost.end.id])
    t.match(await look(world, alive, accountId), { settledNano: 6n, leasedNano: 5n, inDoubtNano: 0n })
    await world.authority.closeLeases(dead, [{ callId: waits.end.id, accountId, keptNano: 2n }])
    await world.authority.post(dead, [waits], [])

    t.match(await look(world, alive, accountId), { settledNano: 8n, leasedNano: 5n, inDoubtNano: 0n })
    t.same(await take(world, alive, needs([accountId, 1n])), [false], 'past its limit, until somebody corrects it')
    await assertBalanced(t, world)
  },

  'keeps what set-aside events are covered by, until they are posted': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, dead, needs([accountId, 10n]))
    await world.authority.beginRecovery(dead)

    await world.authority.closeLeases(dead, [{ accountId, keptNano: 4n }])

    t.match(await look(world, alive, accountId), { leasedNano: 4n, inDoubtNano: 4n, inDoubtHolder: HOST })
    await world.authority.closeLeases(dead, [])
    t.equal((await look(world, alive, accountId)).leasedNano, 4n, 'closing again does not free what was kept')
    t.same(await take(world, alive, needs([accountId, 17n])), [false])
    await world.authority.post(dead, [anEvent([paid(accountId, 4n)])], [])
    t.match(await look(world, alive, accountId), { settledNano: 4n, leasedNano: 0n, inDoubtNano: 0n })
    t.same(await take(world, alive, needs([accountId, 16n])), [true])
    await assertBalanced(t, world)
  },

  'keeps nothing for an event that was set aside and is recorded by then': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, dead, needs([accountId, 10n]))
    await world.authority.beginRecovery(dead)
    const [recorded, waits] = [anEvent([paid(accountId, 4n)]), anEvent([paid(accountId, 3n)])]
    await world.authority.post(dead, [recorded], [])

    await world.authority.closeLeases(dead, [recorded, waits].flatMap(({ opening, end }) =>
      end.charges.map(({ coveredNano }) => ({ callId: opening.id, accountId, keptNano: coveredNano }))))

    t.match(await look(world, alive, accountId), { settledNano: 4n, leasedNano: 3n, inDoubtNano: 3n })
    await world.authority.post(dead, [recorded, waits], [])
    t.match(await look(world, alive, accountId), { settledNano: 7n, leasedNano: 0n, inDoubtNano: 0n })
    await assertBalanced(t, world)
  },

  'writes off what was leased, and takes from that what its journal says was spent': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, dead, needs([accountId, 10n]))
    await t.rejects(world.giveUp(dead), 'it answers')
    await world.silence(dead)

    await world.giveUp(dead)
    t.match(await look(world, alive, accountId), { settledNano: 10n, leasedNano: 0n, inDoubtNano: 0n })
    await t.rejects(take(world, dead, needs([accountId, 1n])), { code: 'incarnation_not_live' })
    await t.rejects(world.giveUp(dead), 'once')

    const event = anEvent([paid(accountId, 4n)])
    await world.authority.beginRecovery(dead)
    for (let times = 0; times < 2; times++) await world.authority.post(dead, [event], [{ accountId, returnedNano: 5n }])
    t.match(await look(world, alive, accountId), { settledNano: 10n, leasedNano: 0n }, 'it counts once')
    await world.authority.closeLeases(dead, [])
    t.match(await look(world, alive, accountId), { settledNano: 4n, leasedNano: 0n }, 'the rest was never spent')
    await world.authority.closeLeases(dead, [])
    t.match(await look(world, alive, accountId), { settledNano: 4n, leasedNano: 0n })
    await assertBalanced(t, world)
  },

  'goes on counting as spent what events that are set aside will take of a write-off': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, dead, needs([accountId, 10n]))
    await world.silence(dead)
    await world.giveUp(dead)
    const waits = anEvent([paid(accountId, 4n)])
    const kept = [{ callId: waits.opening.id, accountId, keptNano: 4n }]

    await world.authority.beginRecovery(dead)
    for (let times = 0; times < 2; times++) await world.authority.closeLeases(dead, kept)
    t.match(await look(world, alive, accountId), { settledNano: 4n, leasedNano: 0n })
    t.same(await take(world, alive, needs([accountId, 17n])), [false], 'nobody else may spend it meanwhile')

    await world.authority.post(dead, [waits], [])
    t.match(await look(world, alive, accountId), { settledNano: 4n, leasedNano: 0n })
    await assertBalanced(t, world)
  },

  'writes off what was kept for events whose disk is lost, until it turns up': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, dead, needs([accountId, 10n]))
    const waits = anEvent([paid(accountId, 4n)])
    await world.authority.beginRecovery(dead)
    await world.authority.closeLeases(dead, [{ callId: waits.opening.id, accountId, keptNano: 4n }])

    await world.giveUp(dead)
    t.match(await look(world, alive, accountId), { settledNano: 4n, leasedNano: 0n, inDoubtNano: 0n })

    await world.authority.post(dead, [waits], [])
    t.match(await look(world, alive, accountId), { settledNano: 4n, leasedNano: 0n }, 'it counts once')
    await assertBalanced(t, world)
  },

  'takes a sign of life that is still to come for none': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const alive = await world.authority.join('journal-1', HOST)
    const dead = await world.authority.join('journal-2', HOST)
    await take(world, dead, needs([accountId, 5n]))

    await world.silence(dead, true)

    t.match(await look(world, alive, accountId), { inDoubtNano: 5n, leasedNano: 5n })
    await world.giveUp(dead)
    t.match(await look(world, alive, accountId), { inDoubtNano: 0n, leasedNano: 0n, settledNano: 5n })
    await assertBalanced(t, world)
  },

  'says what is in doubt, since when and with whom': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const alive = await world.authority.join('journal-1', 'host-alive')
    const dead = await world.authority.join('journal-2', 'host-dead')
    await take(world, alive, needs([accountId, 2n]))
    await take(world, dead, needs([accountId, 5n]))
    t.match(await look(world, alive, accountId), { inDoubtNano: 0n, inDoubtSince: null, inDoubtHolder: null })

    await world.silence(dead)

    const silent = await look(world, alive, accountId)
    t.match(silent, { inDoubtNano: 5n, inDoubtHolder: 'host-dead', leasedNano: 7n })
    t.ok(silent.inDoubtSince !== null && silent.inDoubtSince <= silent.at)
    t.equal((await look(world, dead, accountId)).inDoubtNano, 0n, 'a sign of life ends the doubt')
    await world.authority.beginRecovery(dead)
    const recovering = await look(world, alive, accountId)
    t.match(recovering, { inDoubtNano: 5n, inDoubtHolder: 'host-dead' })
    t.ok(recovering.inDoubtSince !== null)
    await world.authority.closeLeases(dead, [])
    t.match(await look(world, alive, accountId), { inDoubtNano: 0n, inDoubtSince: null, inDoubtHolder: null })
  },

  'moves what a call holds from its lease to a row, once, and settles it by nothing else': async (t, world) => {
    const [one, two, soft] = [await anAccount(world, 20n), await anAccount(world, 20n), await anAccount(world, null)]
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]
    await take(world, dead, needs([one, 12n], [two, 8n]))
    const event = anEvent([paid(one, 6n), paid(two, 5n), paid(soft, 6n, 0n)])
    const call = kept(event, 'job-1')

    for (let times = 0; times < 2; times++) {
      const { kept, accounts } = await world.authority.keep(dead, call)
      t.ok(kept)
      t.match(figuresOf(accounts, one), { leasedNano: 12n, longHeldNano: 6n, grantedNano: 12n })
      t.equal(figuresOf(accounts, one).longHold?.id, event.end.id)
      t.match(figuresOf(accounts, two), { leasedNano: 8n, longHeldNano: 5n })
      t.match(figuresOf(accounts, soft), { leasedNano: 0n, longHeldNano: 0n })
    }
    await assertBalanced(t, world)

    await world.authority.post(dead, [], [{ accountId: one, returnedNano: 8n }])
    t.match(await look(world, dead, one), { leasedNano: 10n }, 'it had given two of its rest back before')
    t.same((await world.authority.post(dead, [event], [])).inserted, [], 'the row alone says how it ends')
    await world.authority.beginRecovery(dead)
    t.same((await world.authority.post(dead, [event], [])).inserted, [])
    await world.authority.closeLeases(dead, [])
    t.match(await look(world, alive, one), { settledNano: 0n, leasedNano: 6n, longHeldNano: 6n, inDoubtNano: 0n })
    t.match(await look(world, alive, two), { settledNano: 0n, leasedNano: 5n, longHeldNano: 5n })
    await assertBalanced(t, world)
  },

  'moves nothing that is not on the lease, has ended, is another call\'s job, or comes after its process life': async (t, world) => {
    const accountId = await anAccount(world, 20n)
    const incarnation = await world.authority.join('journal-1', HOST)
    await take(world, incarnation, needs([accountId, 10n]))
    const no = async (event: UsageEvent, job: string) => {
      t.equal((await world.authority.keep(incarnation, kept(event, job))).kept, false)
      t.match(await look(world, incarnation, accountId), { longHeldNano: 3n })
      await assertBalanced(t, world)
    }
    t.ok((await world.authority.keep(incarnation, kept(anEvent([paid(accountId, 3n)]), 'job-2'))).kept)

    await no(anEvent([paid(accountId, 1n)]), 'job-2')
    await no(anEvent([paid(accountId, 8n)]), 'job-3')
    await no(anEvent([paid(await anAccount(world, 20n), 1n)]), 'job-4')
    const ended = anEvent([paid(accountId, 1n)])
    await world.authority.post(incarnation, [ended], [])
    await no(ended, 'job-5')
    await world.authority.beginRecovery(incarnation)
    await t.rejects(world.authority.keep(incarnation, kept(anEvent([paid(accountId, 1n)]), 'job-6')), { code: 'incarnation_not_live' })
  },

  'leaves nothing leased by a gateway whose grants race with its recovery': async (t, world) => {
    const accountId = await anAccount(world, 1000n)
    const [dead, alive] = [await world.authority.join('journal-1', HOST), await world.authority.join('journal-2', HOST)]

    await Promise.all([
      ...Array.from({ length: 10 }, () => take(world, dead, needs([accountId, 3n])).catch((error: unknown) => {
        t.match(error, { code: 'incarnation_not_live' })
      })),
      world.authority.beginRecovery(dead).then(() => world.authority.closeLeases(dead, [])),
    ])

    t.match(await look(world, alive, accountId), { leasedNano: 0n, settledNano: 0n })
    await assertBalanced(t, world)
  },
}

/** Runs every rule against a fresh world from `make`. */
export async function authorityContract (t: Test, make: MakeWorld): Promise<void> {
  for (const [name, run] of Object.entries(CASES)) {
    await t.test(name, async (t) => run(t, await make(t)))
  }
}
