import { type Budget } from '../budget/budget.ts'
import { renderBudget } from '../budget/define.ts'
import { sharesWarning, type Warning } from '../budget/shares.ts'
import { formatNano } from '../money/amount.ts'
import { type BudgetStanding, renderStatus, renderSums, type SummedStanding } from './status.ts'

/** Budgets as trees. An archived budget that is left out is passed over: what is above it applies to those below it. */
export interface TreeNode {
  budget: Budget
  /** false: no budget was ever put below it, archived ones included */
  leaf: boolean
  children: TreeNode[]
}

/** the topmost of these budgets, with all the others below them, in the order given */
export function treesOf (budgets: readonly Budget[], includeArchived: boolean): TreeNode[] {
  const byId = new Map(budgets.map((budget) => [budget.id, budget]))
  const parents = new Set(budgets.map(({ parentBudgetId }) => parentBudgetId))
  const shown = new Map<string, TreeNode>()
  for (const budget of budgets) {
    if (!includeArchived && budget.archivedAt !== null) continue
    shown.set(budget.id, { budget, leaf: !parents.has(budget.id), children: [] })
  }
  const roots: TreeNode[] = []
  for (const node of shown.values()) {
    let above = parentOf(node.budget, byId)
    while (above !== undefined && !shown.has(above.id)) above = parentOf(above, byId)
    const siblings = above === undefined ? roots : shown.get(above.id)?.children
    siblings?.push(node)
  }
  return roots
}

function parentOf ({ parentBudgetId }: Budget, byId: Map<string, Budget>): Budget | undefined {
  return parentBudgetId === null ? undefined : byId.get(parentBudgetId)
}

export interface RenderedNode extends ReturnType<typeof renderBudget> {
  /** the whole status, and the part of it that did not come in through a budget below */
  status: ReturnType<typeof renderStatus> & { ownAmount: string, belowAmount: string }
  warnings: Warning[]
  children: RenderedNode[]
}

/** by budget; those for each of many are summed over them */
export interface Figures {
  standings: Map<string, BudgetStanding>
  sums: Map<string, SummedStanding>
}

export function renderTree (node: TreeNode, figures: Figures, now: number): RenderedNode {
  const { budget, leaf, children } = node
  const sums = figures.sums.get(budget.id)
  const one = sums ?? figures.standings.get(budget.id)
  if (one === undefined) throw new Error(`budget ${budget.id} was not looked at`)
  const { settledNano, spentNano, belowNano } = one.standing
  const warning = budget.archivedAt === null
    ? sharesWarning(budget, rightBelow(node), now)
    : null
  // assigned to, not spread: of hundreds of budgets copies take longer than the figures
  const status = Object.assign(sums === undefined ? renderStatus(one, now) : renderSums(sums, now), {
    // what is not recorded yet may have come in through a budget below, where there is one
    ownAmount: formatNano((leaf ? spentNano : settledNano) - belowNano),
    belowAmount: formatNano(belowNano),
  })
  return Object.assign(renderBudget(budget), {
    status,
    warnings: warning === null ? [] : [warning],
    children: children.map((child) => renderTree(child, figures, now)),
  })
}

/** those that are held together with a budget, and no other between them */
function rightBelow ({ children }: TreeNode): Budget[] {
  return children.flatMap((child) => child.budget.archivedAt === null ? [child.budget] : rightBelow(child))
}
