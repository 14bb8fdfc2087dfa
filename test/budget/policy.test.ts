import * as fc from 'fast-check'
import t from 'tap'
import { type AppliedBudget } from '../../src/budget/applies.ts'
import { type Budget, type BudgetAlert } from '../../src/budget/budget.ts'
import { chainPolicy, judgeModel, type NamedModel } from '../../src/budget/policy.ts'
import { convertNano } from '../../src/money/amount.ts'
import { type CapAccount, cappedOutput } from '../../src/pricing/cap.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { quoteNano } from '../../src/pricing/quote.ts'
import { type PricedModel } from '../../src/pricing/price.ts'

const prices = new CatalogPriceBook()
const find = (name: string) => prices.find('openai', name, Date.now())
const named = (name: string): NamedModel => ({ name, model: find(name) as PricedModel })

/** dearest first */
const LADDER = ['gpt-4', 'gpt-4-turbo', 'gpt-4o', 'gpt-4o-mini']

function applied (alerts: BudgetAlert[], mode: Budget['mode'] = 'enforced'): AppliedBudget {
  const budget = { id: 'b', amountNano: 1_000n, alerts, mode, capToFit: null } as unknown as Budget
  return { budget, periodStart: 0, periodEnd: null, subject: '' }
}

const of = (spentNano: bigint) => ({ spentNano, totalNano: 1_000n })

const alert = (fields: Partial<BudgetAlert>): BudgetAlert => ({
  threshold: 50, actions: ['notify'], notificationChannels: [], message: null, ...fields,
})

t.test('a list of budgets without policies has none, and one with some is compiled once', async (t) => {
  t.equal(chainPolicy([applied([alert({ actions: ['block-all'] })])]), null)
  t.equal(chainPolicy([applied([alert({ actions: ['restrict-models'], models: ['x'] })], 'soft')]), null, 'a soft budget refuses nothing')
  const chain = [applied([alert({ actions: ['restrict-models'], models: ['x'] })])]
  t.equal(chainPolicy(chain), chainPolicy(chain))
})

t.test('a threshold counts from its amount on, not before', async (t) => {
  const chain = chainPolicy([applied([alert({ actions: ['restrict-models'], models: ['gpt-4o-mini'] })])])
  const kind = (spent: bigint) => judgeModel(chain?.enforced ?? [], () => of(spent), named('gpt-4o'), find).kind
  t.equal(kind(499n), 'as-asked')
  t.equal(kind(500n), 'restricted')
})

t.test('of two thresholds that replace the same model, the higher one counts', async (t) => {
  const chain = chainPolicy([applied([
    alert({ threshold: 50, actions: ['auto-downgrade'], downgrade: { 'gpt-4': 'gpt-4o' } }),
    alert({ threshold: 90, actions: ['auto-downgrade'], downgrade: { 'gpt-4': 'gpt-4o-mini' } }),
  ])])
  const used = (spent: bigint) => {
    const verdict = judgeModel(chain?.enforced ?? [], () => of(spent), named('gpt-4'), find)
    return verdict.kind === 'downgraded' ? verdict.to.name : verdict.kind
  }
  t.strictSame([0n, 500n, 900n].map(used), ['as-asked', 'gpt-4o', 'gpt-4o-mini'])
})

t.test('a model without a price any more is no candidate, and what it would have replaced neither', async (t) => {
  const chain = chainPolicy([applied([alert({ actions: ['auto-downgrade'], downgrade: { 'gpt-4o': 'gone' } })])])
  t.equal(judgeModel(chain?.enforced ?? [], () => of(1_000n), named('gpt-4o'), find).kind, 'restricted')
})

/** rules as a plain model reads them: follow maps as long as one applies, then ask every restriction */
const rule = fc.record({
  threshold: fc.constantFrom(20, 50, 80),
  models: fc.option(fc.subarray(LADDER, { minLength: 1 }), { nil: null }),
  step: fc.option(fc.record({ from: fc.nat(2), by: fc.integer({ min: 1, max: 3 }) }), { nil: null }),
})

t.test('whatever budgets say, the model that is used is one that none of them replaces or bars', async () => {
  const budgets = fc.array(fc.tuple(fc.array(rule, { maxLength: 3 }), fc.bigInt(0n, 1_200n)), { maxLength: 4 })
  fc.assert(fc.property(budgets, fc.constantFrom(...LADDER), (list, asked) => {
    const chain = list.map(([rules]) => applied(rules.map(({ threshold, models, step }) => {
      const to = step === null ? undefined : LADDER[Math.min(3, step.from + step.by)]
      return alert({
        threshold,
        actions: [...models === null ? [] : ['restrict-models' as const], ...to === undefined ? [] : ['auto-downgrade' as const]],
        ...models === null ? {} : { models },
        ...to === undefined ? {} : { downgrade: { [LADDER[step?.from ?? 0] as string]: to } },
      })
    })))
    const spent = (one: AppliedBudget) => of(list[chain.indexOf(one)]?.[1] ?? 0n)
    const policies = chainPolicy(chain)?.enforced ?? []
    let model = named(asked)
    let verdict = judgeModel(policies, spent, model, find)
    for (let i = 0; i < LADDER.length && verdict.kind === 'downgraded'; i++) {
      if (LADDER.indexOf(verdict.to.name) <= LADDER.indexOf(model.name)) return false
      model = verdict.to
      verdict = judgeModel(policies, spent, model, find)
    }
    const inForce = list.flatMap(([rules, nano]) => rules.filter(({ threshold }) => nano >= BigInt(threshold) * 10n))
    const replaced = inForce.some(({ step }) => step !== null && LADDER[step.from] === model.name)
    const barred = inForce.some(({ models }) => models !== null && !models.includes(model.name))
    return verdict.kind === (barred && !replaced ? 'restricted' : 'as-asked') && !replaced
  }), { numRuns: 2_000 })
})

t.test('a cap is the highest output that fits every budget, and there is one whenever one fits', async () => {
  const account = fc.record({
    roomNano: fc.bigInt(0n, 50_000_000n),
    rate: fc.constantFrom(null, '0.9', '151.37'),
    cap: fc.option(fc.record({
      minimumTokens: fc.integer({ min: 1, max: 3_000 }), reasoning: fc.boolean(),
    }), { nil: null }),
  })
  const call = fc.record({
    input: fc.nat(20_000),
    output: fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: null }),
    choices: fc.integer({ min: 1, max: 3 }),
    thinking: fc.constantFrom<number | 'open' | null>(0, 500, 'open', null),
    model: fc.constantFrom('gpt-4o', 'gpt-4o-mini', 'o3'),
  })
  const accountList = fc.array(account, { minLength: 1, maxLength: 4 })
  fc.assert(fc.property(accountList, call, (accounts, { input, output, choices, thinking, model: name }) => {
    const model = find(name) as PricedModel
    const bound = { inputTokens: input, outputTokens: output, choices, cacheWrite: 'none' as const, tier: null, webSearches: 0 }
    const fits = (tokens: number, { roomNano, rate }: CapAccount) =>
      convertNano(quoteNano(model, { ...bound, outputTokens: tokens }) as bigint, rate) <= roomNano
    const all = (tokens: number) => accounts.every((one) => fits(tokens, one))
    const asked = Math.min(output ?? model.maxOutput, model.maxOutput)
    const tight = accounts.filter((one) => !fits(asked, one))
    const least = Math.max(0, ...tight.map(({ cap }) => cap?.minimumTokens ?? 0)) + (typeof thinking === 'number' ? thinking : 0)
    const allowed = thinking !== null && tight.every(({ cap }) => cap !== null && (thinking !== 'open' || !model.reasoning || cap.reasoning))
    const cap = cappedOutput(model, bound, thinking, accounts)
    if (cap === null) return tight.length === 0 || !allowed || least >= asked || !all(least)
    return allowed && cap >= least && cap < asked && all(cap) && (cap + 1 === asked ? !all(asked) : !all(cap + 1))
  }), { numRuns: 3_000 })
})
