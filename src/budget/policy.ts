import { type PricedModel } from '../pricing/price.ts'
import { type AppliedBudget, matchesGlob } from './applies.ts'
import { type Budget, type BudgetAlert, type CapToFit } from './budget.ts'
import { thresholdNano, thresholdText } from './limits.ts'

/**
 * What budgets ask of a call besides its amount: which models past a threshold, and whether its output may be capped.
 * Pure; compiled once per version of a budget. Judged on what is spent, never on holds.
 */

/** One threshold that has something to say about models. */
export interface Rule {
  /** in force from there on */
  mark: Pick<BudgetAlert, 'threshold' | 'amount'>
  /** the same, for messages */
  threshold: string
  /** patterns split at their asterisks; null: all models */
  models: readonly (readonly string[])[] | null
  /** null: none is replaced */
  downgrade: ReadonlyMap<string, string> | null
}

/** A budget of a chain that has rules, or lets calls be capped. */
export interface BudgetPolicy {
  applied: AppliedBudget
  /** the highest threshold first: where two name the same model, its word counts */
  rules: readonly Rule[]
  cap: CapToFit | null
}

/** The policies of all budgets that one call is held on, shadowed ones apart: they only say what they would do. */
export interface ChainPolicy {
  enforced: readonly BudgetPolicy[]
  shadows: readonly BudgetPolicy[]
  /** those whose say depends on what is spent */
  judged: readonly AppliedBudget[]
}

const chains = new WeakMap<readonly AppliedBudget[], ChainPolicy | null>()

/** null: no budget of the chain has a policy; the same for the same list */
export function chainPolicy (applied: readonly AppliedBudget[]): ChainPolicy | null {
  let chain = chains.get(applied)
  if (chain === undefined) chains.set(applied, chain = compileChain(applied))
  return chain
}

function compileChain (applied: readonly AppliedBudget[]): ChainPolicy | null {
  // calls with tags have a list each, and mostly no policy
  if (!applied.some(hasPolicy)) return null
  const policies = applied.filter(hasPolicy)
    .map((one): BudgetPolicy => ({ applied: one, rules: rulesOf(one.budget), cap: one.budget.capToFit }))
  const isShadow = ({ applied: { budget } }: BudgetPolicy) => budget.mode === 'shadow'
  return {
    enforced: policies.filter((policy) => !isShadow(policy)),
    shadows: policies.filter(isShadow),
    judged: policies.filter((policy) => isShadow(policy) || policy.rules.length > 0).map((policy) => policy.applied),
  }
}

function hasPolicy ({ budget }: AppliedBudget): boolean {
  if (budget.mode === 'shadow') return true
  return budget.mode === 'enforced' && (budget.capToFit !== null || rulesOf(budget).length > 0)
}

const compiled = new WeakMap<Budget, readonly Rule[]>()

function rulesOf (budget: Budget): readonly Rule[] {
  let rules = compiled.get(budget)
  if (rules === undefined) {
    rules = budget.alerts.filter(saysModels)
      .map((alert) => ruleOf(budget, alert))
      .sort((a, b) => atFirst(budget, a) < atFirst(budget, b) ? 1 : -1)
    compiled.set(budget, rules)
  }
  return rules
}

/** before any adjustment: where percentages and amounts stand to each other then, they stay */
function atFirst (budget: Budget, { mark }: Rule): bigint { return thresholdNano(mark, budget.amountNano) }

function saysModels ({ actions }: BudgetAlert): boolean {
  return actions.includes('restrict-models') || actions.includes('auto-downgrade')
}

function ruleOf ({ currency }: Budget, { threshold, amount, actions, models, downgrade }: BudgetAlert): Rule {
  const mark = threshold === undefined ? { amount: amount ?? '' } : { threshold }
  return {
    mark,
    threshold: thresholdText(mark, currency),
    models: actions.includes('restrict-models') ? (models ?? []).map((model) => model.split('*')) : null,
    downgrade: actions.includes('auto-downgrade') ? new Map(Object.entries(downgrade ?? {})) : null,
  }
}

/** What the rules of a budget are judged by, nano-units of its currency. */
export interface Spending {
  /** settled, and finished and not yet recorded */
  spentNano: bigint
  /** 100 %: its amount with the adjustments in force */
  totalNano: bigint
}

/** A model, by the name that it is asked for at its provider. */
export interface NamedModel { name: string, model: PricedModel }

export type Verdict =
  | { kind: 'as-asked' }
  /** another model instead; the chain of budgets of that model has its own say */
  | { kind: 'downgraded', to: NamedModel, by: BudgetPolicy, rule: Rule }
  /** no model is a candidate */
  | { kind: 'restricted', by: BudgetPolicy, rule: Rule }

const AS_ASKED: Verdict = { kind: 'as-asked' }

/**
 * What the rules that are in force say of a model: a replacement wins over a restriction, since the model that takes
 * its place may be allowed. `find`: the priced model of a name at the same provider, null: it has no price any more.
 */
export function judgeModel (
  policies: readonly BudgetPolicy[], spendingOf: (one: AppliedBudget) => Spending, asked: NamedModel,
  find: (name: string) => PricedModel | null
): Verdict {
  let restricted: Verdict = AS_ASKED
  for (const by of policies) {
    if (by.rules.length === 0) continue
    const { spentNano, totalNano } = spendingOf(by.applied)
    for (const rule of by.rules) {
      if (spentNano < thresholdNano(rule.mark, totalNano)) continue
      const name = rule.downgrade?.get(asked.name) ?? rule.downgrade?.get(asked.model.model)
      const model = name === undefined ? null : find(name)
      if (name !== undefined && model !== null) return { kind: 'downgraded', to: { name, model }, by, rule }
      if (restricted === AS_ASKED && (name !== undefined || !allows(rule, asked))) restricted = { kind: 'restricted', by, rule }
    }
  }
  return restricted
}

function allows ({ models }: Rule, { name, model }: NamedModel): boolean {
  return models === null || models.some((parts) => matchesGlob(parts, name) || matchesGlob(parts, model.model))
}

/** the models that a rule allows, in words */
export function allowedModels ({ models }: Rule): string {
  return (models ?? []).map((parts) => parts.join('*')).join(', ').slice(0, 400)
}
