import { type Budget, type CallLimits, type Identity } from './budget.ts'
import { PeriodClock } from './period.ts'
import { accountSubject, forSubject, isForEach, subjectIn } from './subject.ts'

/** A budget that applies to a call, in the period in which the call opens. */
export interface AppliedBudget {
  budget: Budget
  periodStart: number
  periodEnd: number | null
  /** empty, or the value for which a budget keeps an account of its own */
  subject: string
}

/** What is called. */
export interface CallTarget {
  provider: string
  model: string
  /** as usage events name it; empty: it is not known */
  endpoint: string
}

interface Compiled {
  clock: PeriodClock
  matches: (target: CallTarget, tags: Record<string, string> | null) => boolean
}

const compiled = new WeakMap<Budget, Compiled>()

/**
 * The budgets that a call is held on: those whose scope the identity has and whose filters the call passes, and every
 * ancestor of one that applies, whatever its own scope and filters. Each once. `budgets` holds the candidates and all
 * their ancestors. Archived budgets apply no more.
 *
 * A budget for each of many is for those of its nearest ancestor that is for one (each user of team search), and has an
 * account only for calls that say who of many they are for: as an ancestor it is passed over by those that do not.
 */
export function appliedTo (
  budgets: readonly Budget[], identity: Identity, target: CallTarget, at: number
): AppliedBudget[] {
  const applied: AppliedBudget[] = []
  for (const budget of budgets) {
    const subject = accountSubject(budget, identity)
    if (subject === null || (subject !== '' && !isWithin(budgets, budget, identity))) continue
    const { clock, matches } = compile(budget)
    if (budget.archivedAt !== null || !matches(target, identity.tags)) continue
    const period = clock.at(at)
    if (period === null) continue
    if (add(applied, budget, period, subject)) addAncestors(applied, budgets, budget, identity, at)
  }
  return applied
}

/** What was found for one provider and model of one list of candidates, while no period of theirs begins or ends. */
interface Found { applied: readonly AppliedBudget[], from: number, until: number }

/** One list of candidates: what of a call that differs from one to the next they ask for, and what was found. */
interface Known { session: boolean, endUser: boolean, tags: boolean, endpoints: boolean, models: Map<string, Found> }

/**
 * Remembers which budgets apply to the calls of an identity. `budgets` must be the registry's answer for it: one list
 * belongs to one combination of team, project, user and key. Sessions, end users and tags differ from call to call, so
 * calls with any that a budget of the list asks for are looked at each time.
 */
export class Applicability {
  readonly #known = new WeakMap<readonly Budget[], Known>()

  of (
    budgets: readonly Budget[], identity: Identity, target: CallTarget, at: number
  ): readonly AppliedBudget[] {
    let list = this.#known.get(budgets)
    if (list === undefined) this.#known.set(budgets, list = whatTheyAskFor(budgets))
    const varies = (list.tags && identity.tags !== null) || (list.session && identity.sessionId !== null) ||
      (list.endUser && identity.endUserId !== undefined)
    if (varies) return appliedTo(budgets, identity, target, at)
    const { models } = list
    const name = `${target.provider} ${target.model}${list.endpoints ? ` ${target.endpoint}` : ''}`
    const known = models.get(name)
    if (known !== undefined && at >= known.from && at < known.until) return known.applied
    const applied = appliedTo(budgets, identity, target, at)
    models.set(name, { applied, from: at, until: unchangedUntil(budgets, at) })
    return applied
  }
}

function whatTheyAskFor (budgets: readonly Budget[]): Known {
  const of = (type: Budget['scopeType']) => budgets.some(({ scopeType }) => scopeType === type)
  const tags = of('tag') || budgets.some(({ filters }) => filters.tags !== undefined)
  const endpoints = budgets.some(({ filters }) => filters.endpoints !== undefined)
  return { session: of('session'), endUser: of('endUser'), tags, endpoints, models: new Map() }
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

/**
 * A budget that is named, and its ancestors: whatever their scopes and filters, if they apply at that time. Those for
 * each of many where the identity says for whom.
 */
export function appliedFrom (line: readonly Budget[], id: string, identity: Identity, at: number): AppliedBudget[] {
  const applied: AppliedBudget[] = []
  const budget = line.find((one) => one.id === id)
  if (budget === undefined || budget.archivedAt !== null) return applied
  const period = compile(budget).clock.at(at)
  if (period === null) return applied
  const subject = isForEach(budget) ? subjectIn(budget, identity) : ''
  if (subject === null) return applied
  add(applied, budget, period, subject)
  addAncestors(applied, line, budget, identity, at)
  return applied
}

/** of a budget for each of many: whether the identity has the scope of the nearest ancestor that is for one */
function isWithin (budgets: readonly Budget[], budget: Budget, identity: Identity): boolean {
  for (let { parentBudgetId } = budget; parentBudgetId !== null;) {
    const parent = budgets.find(({ id }) => id === parentBudgetId)
    if (parent === undefined) return true
    if (!isForEach(parent)) return accountSubject(parent, identity) !== null
    parentBudgetId = parent.parentBudgetId
  }
  return true
}

function add (
  applied: AppliedBudget[], budget: Budget, period: { start: number, end: number | null }, subject: string
): boolean {
  for (const one of applied) if (one.budget.id === budget.id) return false
  applied.push({ budget: forSubject(budget, subject), periodStart: period.start, periodEnd: period.end, subject })
  return true
}

function addAncestors (
  applied: AppliedBudget[], budgets: readonly Budget[], child: Budget, identity: Identity, at: number
): void {
  let parentId = child.parentBudgetId
  while (parentId !== null) {
    const parent = budgets.find((budget) => budget.id === parentId)
    if (parent === undefined) return
    const period = parent.archivedAt === null ? compile(parent).clock.at(at) : null
    const subject = isForEach(parent) ? subjectIn(parent, identity) : ''
    if (period !== null && subject !== null && !add(applied, parent, period, subject)) return
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
  const { providers, models, endpoints } = filters
  const tags = filters.tags === undefined ? [] : Object.entries(filters.tags)
  const globs = models?.map((model) => model.split('*'))
  const paths = endpoints?.map((endpoint) => endpoint.split('*'))
  return ({ provider, model, endpoint }, callTags) =>
    (providers === undefined || providers.includes(provider)) &&
    (globs === undefined || globs.some((parts) => matchesGlob(parts, model))) &&
    (paths === undefined || paths.some((parts) => matchesGlob(parts, endpoint))) &&
    tags.every(([name, value]) => callTags !== null && Object.hasOwn(callTags, name) && callTags[name] === value)
}

/** whether calls of a model can pass a budget's filters, with the right tags and at the right endpoint */
export function takesModel (budget: Pick<Budget, 'filters'>, provider: string, model: string): boolean {
  const { endpoints: _endpoints, ...filters } = budget.filters
  return compileFilters({ filters: { ...filters, tags: {} } })({ provider, model, endpoint: '' }, null)
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
