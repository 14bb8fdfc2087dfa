import { type Budget } from '../budget/budget.ts'
import { type BudgetDraft } from '../budget/hierarchy.ts'
import { Forbidden } from '../errors.ts'
import { type TokenDraft } from '../keys/admin-tokens.ts'
import { type IdentityHeader, type KeyDraft } from '../keys/key.ts'
import { type Reach } from './actor.ts'

/**
 * What a manager may make of budgets and keys. Pure; the stores ask it with what is there locked. `Budget`s are as
 * within the reach: without the parent that is out of it. null: everything is in reach.
 *
 * Who belongs to a team or a project nobody here knows, other than by the budgets below it: so its manager makes
 * budgets and keys for the scopes that those have already, and brings in no user or project of others.
 */
export type Scope = Pick<Budget, 'scopeType' | 'scopeId'>

/**
 * The topmost budgets of a team's or project's reach bound whoever manages it, who therefore changes only what stands
 * below them. An organization's manager is bound by none of its organization.
 */
export function bounds ({ parentBudgetId }: Pick<Budget, 'parentBudgetId'>, reach: Reach | null): boolean {
  return reach?.scope != null && parentBudgetId === null
}

export function requireChangeable (budget: Pick<Budget, 'id' | 'parentBudgetId'>, reach: Reach | null): void {
  if (bounds(budget, reach)) throw new Forbidden(`Budget ${budget.id} bounds what you manage: it is changed from above`)
}

/** The draft in the organization of the reach. Forbidden, with the field, where it would leave the reach. */
export function keptWithin (draft: BudgetDraft, reach: Reach | null): BudgetDraft {
  if (reach === null) return draft
  const { organizationId } = reach
  if (draft.scopeType === 'organization' && (draft.scopeId !== organizationId || reach.scope !== null)) {
    throw outOfReach('scopeId', 'of what you manage')
  }
  if (draft.organizationId !== null && draft.organizationId !== organizationId) {
    throw outOfReach('organizationId', `"${organizationId}", which you manage`)
  }
  if (reach.scope !== null && draft.parentBudgetId === null) {
    throw outOfReach('parentBudgetId', 'a budget within what you manage')
  }
  return { ...draft, organizationId }
}

/** whether the scope is known to be in reach only if a budget in reach has it */
export function isOthers (scope: Scope, current: Scope | null, reach: Reach | null): boolean {
  if (reach?.scope == null) return false
  const same = (type: string, id: string) => scope.scopeType === type && scope.scopeId === id
  return !same(reach.scope.type, reach.scope.id) && (current === null || !same(current.scopeType, current.scopeId))
}

/** headers that lead to no budget by whom they name */
const OF_NOBODY: readonly IdentityHeader[] = ['session', 'tags']

/**
 * Scopes of a new key that are known to be in reach only if a budget in reach has them. Forbidden, with the field,
 * where it would leave the reach.
 */
export function othersOf (draft: KeyDraft, reach: Reach | null): (Scope & { field: string })[] {
  if (reach === null) return []
  if (draft.organizationId !== reach.organizationId) {
    throw outOfReach('organizationId', `"${reach.organizationId}", which you manage`)
  }
  const { scope } = reach
  if (scope === null) return []
  if (draft[`${scope.type}Id`] !== scope.id) throw outOfReach(`${scope.type}Id`, `"${scope.id}", which you manage`)
  return (['team', 'project', 'user'] as const).flatMap((scopeType) => {
    const field = `${scopeType}Id` as const
    const scopeId = draft[field]
    return scopeId === null || scopeType === scope.type ? [] : [{ field, scopeType, scopeId }]
  })
}

/** Forbidden where a key's calls could say by a header that they are for somebody out of reach. */
export function requireOwnHeaders (next: Headers, current: Headers | null, reach: Reach | null): void {
  if (reach?.scope == null) return
  for (const field of ['allowHeaders', 'requireHeaders'] as const) {
    const before = current?.[field] ?? OF_NOBODY
    const added = next[field].find((header) => !OF_NOBODY.includes(header) && !before.includes(header))
    if (added !== undefined) throw outOfReach(field, `without ${added}: it could lead out of what you manage`)
  }
}

type Headers = Pick<KeyDraft, 'allowHeaders' | 'requireHeaders'>

/** Forbidden where a token would reach further than who makes it. */
export function requireNoFurther (draft: Pick<TokenDraft, 'role' | 'reach'>, reach: Reach | null): void {
  if (reach === null) return
  if (draft.reach === null) throw outOfReach('role', 'manager or viewer: administrators are made by administrators')
  if (draft.reach.organizationId !== reach.organizationId) {
    throw outOfReach('reach/organizationId', `"${reach.organizationId}", which you manage`)
  }
  const { scope } = reach
  if (scope !== null && (draft.reach.scope?.type !== scope.type || draft.reach.scope.id !== scope.id)) {
    throw outOfReach('reach', 'no more than what you manage')
  }
}

export function outOfReach (field: string, expected: string): Error {
  return Object.assign(new Forbidden(`${field} must be ${expected}`), { field, expected })
}
