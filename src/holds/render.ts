import { formatNano } from '../money/amount.ts'
import { type LongHold } from './hold.ts'

/** Holds as the admin API shows them: amounts as decimal strings, times in RFC 3339 UTC. */
export function renderHold (hold: LongHold) {
  const cost = costOf(hold)
  return {
    id: hold.id,
    state: hold.state,
    amount: formatNano(hold.amountNano),
    currency: hold.currency,
    cost: cost === null ? null : formatNano(cost.amountNano),
    costCurrency: cost === null ? null : cost.currency,
    expiresAt: timeOf(hold.expiresAt),
    expiredAt: hold.expiredAt === null ? null : timeOf(hold.expiredAt),
    createdAt: timeOf(hold.openedAt),
    endedAt: hold.endedAt === null ? null : timeOf(hold.endedAt),
    organizationId: hold.organizationId,
    teamId: hold.teamId,
    projectId: hold.projectId,
    userId: hold.userId,
    tags: hold.tags,
    provider: hold.provider,
    model: hold.model,
    source: hold.source,
    externalId: hold.externalId,
    jobId: hold.jobId,
    description: hold.description,
    metadata: hold.metadata,
    createdBy: hold.createdBy,
    budgets: hold.accounts.map((account) => ({
      budgetId: account.budgetId,
      name: account.budgetName,
      currency: account.currency,
      periodStart: timeOf(account.periodStart),
      periodEnd: account.periodEnd === null ? null : timeOf(account.periodEnd),
      amount: formatNano(account.quoteNano),
      held: formatNano(account.heldNano),
      charged: formatNano(account.chargedNano),
    })),
  }
}

/** as it was settled; its own amount while it is uncertain */
function costOf ({ state, settlement, amountNano, currency }: LongHold) {
  switch (state) {
    case 'open': return null
    case 'uncertain': return { amountNano, currency }
    default: return settlement?.cost ?? { amountNano: 0n, currency }
  }
}

function timeOf (at: number): string { return new Date(at).toISOString() }
