import { unprocessable } from '../errors.ts'
import { type Budget } from './budget.ts'
import { isForEach } from './subject.ts'

/**
 * Where a budget may stand among the others, and what of it may still change. Pure: the store reads what is asked for
 * here and keeps it locked until the change is done, so that two changes at once cannot make what neither would.
 */

/** What an administrator decides; everything else of a budget is the store's. */
export type BudgetDraft = Omit<Budget, 'id' | 'enforcedLimitNano' | 'rate' | 'rateAt' | 'createdAt' | 'updatedAt' | 'archivedAt' | 'version'>

/** What the place of a budget is judged by. */
export interface Surroundings {
  /** null: the budget is not stored yet */
  current: Budget | null
  /** the parent that is asked for, its parent, and so on; empty where there is none */
  ancestors: readonly Budget[]
  /** direct, not archived */
  children: readonly Budget[]
  /** levels of budgets below this one: 0 without children */
  levelsBelow: number
}

/** Levels from the topmost budget to the lowest. Each level is one account more to hold a call on. */
export const MAX_LEVELS = 8

/**
 * The draft in its place: with the organization that it has by its scope, by itself or by its parent.
 * Throws Unprocessable for a parent that is none, is archived, is its own descendant, or of another organization.
 */
export function placed (draft: BudgetDraft, around: Surroundings): BudgetDraft {
  const { current, ancestors, children, levelsBelow } = around
  const parent = ancestors[0]
  if (draft.parentBudgetId !== null) checkParent(draft.parentBudgetId, parent, current)
  if (ancestors.some(({ id }) => id === current?.id)) {
    throw unprocessable('parentBudgetId', 'parentBudgetId must not be the budget itself or one below it')
  }
  if (ancestors.length + 1 + levelsBelow > MAX_LEVELS) {
    throw unprocessable('parentBudgetId', `parentBudgetId would make more than ${MAX_LEVELS} levels of budgets`)
  }
  const organizationId = organizationOf(draft, parent)
  if (organizationId === null && isForEach(draft)) {
    throw unprocessable('organizationId', `organizationId must be given, or be that of the parent, where a budget is for each ${draft.scopeType}`)
  }
  if (parent !== undefined && parent.organizationId !== null && parent.organizationId !== organizationId) {
    throw unprocessable('parentBudgetId', 'parentBudgetId names a budget of another organization')
  }
  if (organizationId !== null && children.some((child) => child.organizationId !== organizationId)) {
    throw unprocessable('organizationId', 'organizationId differs from that of the budgets below')
  }
  return { ...draft, organizationId, parentBudgetId: parent?.id ?? null }
}

/** A parent that was deleted may stay; it cannot be chosen any more. */
function checkParent (parentBudgetId: string, parent: Budget | undefined, current: Budget | null): void {
  if (parent === undefined) throw unprocessable('parentBudgetId', `parentBudgetId ${parentBudgetId} names no budget`)
  if (parent.archivedAt !== null && current?.parentBudgetId !== parent.id) {
    throw unprocessable('parentBudgetId', 'parentBudgetId names a deleted budget')
  }
}

function organizationOf (draft: BudgetDraft, parent: Budget | undefined): string | null {
  if (draft.scopeType === 'organization') return draft.scopeId
  return draft.organizationId ?? parent?.organizationId ?? null
}

const FROZEN = ['currency', 'period', 'timezone', 'startDate', 'scopeType', 'scopeId', 'organizationId'] as const

/** What would change that cannot change any more once calls were charged. */
export function frozenChanges (current: Budget, next: BudgetDraft): string[] {
  return FROZEN.filter((field) => current[field] !== next[field])
}
