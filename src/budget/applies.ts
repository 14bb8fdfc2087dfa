import { type Budget, type CallLimits, type Identity } from './budget.ts'
import { PeriodClock } from './period.ts'

/** A budget that applies to a call, in the period in which the call opens. */
export interface AppliedBudget {
  budget: Budget
  periodStart: number
  periodEnd: number | null
  /** empty, or the value for which a budget keeps an account of its own */
  subject: string
}

interface Compiled {
  clock: PeriodClock
  matches: (provider: string, model: string, tags: Record<string, string> | null) => boolean
}

const compiled = new WeakMap<Budget, Compiled>()

/**
 * The budgets that a call is held on: those whose scope the identity has and whose filters the call passes, and every
 * ancestor of one that applies, whatever its own scope and filters. Each once. `budgets` holds the candidates and all
 * their ancestors. Archived budgets apply no more.
 */
export function appliedTo (
  budgets: readonly Budget[], identity: Identity, provider: string, model: string, at: number
): AppliedBudget[] {
  const applied: AppliedBudget[] = []
  for (const budget of budgets) {
    if (!hasScope(budget, identity)) continue
    const { clock, matches } = compile(budget)
    if (budget.archivedAt !== null || !matches(provider, model, identity.tags)) continue
    const period = clock.at(at)
    if (period === null) continue
    if (add(applied, budget, period)) addAncestors(applied, budgets, budget, at)
  }
  return applied
}

/** What was found for one provider and model of one list of candidates, while no period of theirs begins or ends. */
interface Found { applied: readonly AppliedBudget[], from: number, until: number }

/**
 * Remembers which budgets apply to the calls of an identity. `budgets` must be the registry's answer for it: one list
 * belongs to one combination of scopes. Tags differ from call to call, so calls with any are looked at each time.
 */
export class Applicability {
  readonly #found = new WeakMap<readonly Budget[], Map<string, Found>>()

  of (
    budgets: readonly Budget[], identity: Identity, provider: string, model: string, at: number
  ): readonly AppliedBudget[] {
    if (identity.tags !== null) return appliedTo(budgets, identity, provider, model, at)
    let models = this.#found.get(budgets)
    if (models === undefined) this.#found.set(budgets, models = new Map())
    const name = `${provider} ${model}`
    const known = models.get(name)
    if (known !== undefined && at >= known.from && at < known.until) return known.applied
    const applied = appliedTo(budgets, identity, provider, model, at)
    models.set(name, { applied, from: at, until: unchangedUntil(budgets, at) })
    return applied
  }
}

/** when the first period of these budgets ends or, at the latest, the first of them begins or ends to apply */
function unchangedUntil (budgets: readonly Budget[], at: number): number {
  let until = Infinity
  for (const budget of budgets) {
    const period = compile(budget).clock.at(at)
    for (const change of [period?.end ?? null, budget.startDate, budget.endDate]) {
      if (change !== null && change > at && change < until) until = change
    }
  }
  return until
}

/** A budget that is named, and its ancestors: whatever their scopes and filters, if they apply at that time. */
export function appliedFrom (line: readonly Budget[], id: string, at: number): AppliedBudget[] {
  const applied: AppliedBudget[] = []
  const budget = line.find((one) => one.id === id)
  if (budget === undefined || budget.archivedAt !== null) return applied
  const period = compile(budget).clock.at(at)
  if (period === null) return applied
  add(applied, budget, period)
  addAncestors(applied, line, budget, at)
  return applied
}

export function hasScope (budget: Budget, identity: Identity): boolean {
  if (budget.organizationId !== null && budget.organizationId !== identity.organizationId) return false
  switch (budget.scopeType) {
    case 'organization': return budget.scopeId === identity.organizationId
    case 'team': return budget.scopeId === identity.teamId
    case 'project': return budget.scopeId === identity.projectId
    case 'user': return budget.scopeId === identity.userId
  }
}

function add (applied: AppliedBudget[], budget: Budget, period: { start: number, end: number | null }): boolean {
  for (const one of applied) if (one.budget.id === budget.id) return false
  applied.push({ budget, periodStart: period.start, periodEnd: period.end, subject: '' })
  return true
}

function addAncestors (applied: AppliedBudget[], budgets: readonly Budget[], child: Budget, at: number): void {
  let parentId = child.parentBudgetId
  while (parentId !== null) {
    const parent = budgets.find((budget) => budget.id === parentId)
    if (parent === undefined) return
    const period = parent.archivedAt === null ? compile(parent).clock.at(at) : null
    if (period !== null && !add(applied, parent, period)) return
    parentId = parent.parentBudgetId
  }
}

function compile (budget: Budget): Compiled {
  let one = compiled.get(budget)
  if (one === undefined) {
    one = { clock: new PeriodClock(budget), matches: compileFilters(budget) }
    compiled.set(budget, one)
  }
  return one
}

function compileFilters ({ filters }: Pick<Budget, 'filters'>): Compiled['matches'] {
  const { providers, models } = filters
  const tags = filters.tags === undefined ? [] : Object.entries(filters.tags)
  const globs = models?.map((model) => model.split('*'))
  return (provider, model, callTags) =>
    (providers === undefined || providers.includes(provider)) &&
    (globs === undefined || globs.some((parts) => matchesGlob(parts, model))) &&
    tags.every(([name, value]) => callTags !== null && Object.hasOwn(callTags, name) && callTags[name] === value)
}

/** whether calls of a model can pass a budget's filters, with the right tags */
export function takesModel ({ filters }: Budget, provider: string, model: string): boolean {
  return compileFilters({ filters: { ...filters, tags: {} } })(provider, model, null)
}

/**
 * What a key's limits bar; null: nothing. They hold for the name that is asked by, and for the one that the catalog
 * knows the model by. What is not named ('') passes no limit.
 */
export function barredBy (
  limits: CallLimits | undefined, provider: string, asked: string, model: string
): 'provider' | 'model' | null {
  if (limits === undefined) return null
  const { providers, models } = limits
  if (providers !== null && !providers.includes(provider)) return 'provider'
  if (models === null || models.some((parts) => matchesGlob(parts, asked) || matchesGlob(parts, model))) return null
  return 'model'
}

/** what a key may call, in words */
export function allowedBy ({ providers, models }: CallLimits, what: 'provider' | 'model'): string {
  const names = what === 'provider' ? providers : models?.map((parts) => parts.join('*'))
  return (names ?? []).join(', ').slice(0, 400)
}

/** `parts`: the pattern split at its asterisks. Linear: each part is looked for once, from left to right. */
export function matchesGlob (parts: readonly string[], text: string): boolean {
  const first = parts[0] as string
  if (parts.length === 1) return text === first
  const last = parts[parts.length - 1] as string
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let from = first.length
  const end = text.length - last.length
  for (let i = 1; i < parts.length - 1; i++) {
    const part = parts[i] as string
    const found = text.indexOf(part, from)
    if (found === -1 || found + part.length > end) return false
    from = found + part.length
  }
  return true
}
