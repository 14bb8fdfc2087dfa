import { DRIFT_KINDS } from './auditor/drift.ts'
import { systemNow } from './clock.ts'
import { type Core } from './core.ts'
import { MAX_BACKLOG } from './usage/ledger-writer.ts'

/** Budgets beyond this number have no metrics of their own: labels must stay bounded. */
export const MAX_BUDGETS = 200

/** Brings the metrics up to date; called before each scrape, from memory alone. */
export function collectGauges (core: Core): void {
  const { metrics, writer, gate, tracker, load } = core
  const oldest = gate.oldestOpenedAt
  metrics.flush()
  metrics.openCalls.set(gate.openCalls)
  metrics.requests.set(load.calls)
  metrics.requestBytes.set(load.bodyBytes)
  metrics.sockets.set(load.sockets)
  metrics.holdLag.set(oldest === null ? 0 : Math.max(0, systemNow() - oldest) / 1000)
  metrics.waiting.set(tracker.waiting)
  metrics.ledgerLag.set(writer.lagMs / 1000)
  metrics.backlog.set(writer.backlog)
  metrics.recorded.set(writer.recorded)
  metrics.setAside.set(writer.setAside)
  metrics.journalBytes.set(core.journal.bytes)
  metrics.copyBytes.set(core.copy?.bytes ?? 0)
  metrics.copyLeftOut.set(core.copy?.leftOut ?? 0)
  metrics.lostRecorded.set(core.lostCalls?.recorded ?? 0)
  metrics.journalMaxBytes.set(core.config.journalMaxBytes)
  metrics.maxBacklog.set(MAX_BACKLOG)
  metrics.silence.set(tracker.silentMs / 1000)
  metrics.grants.set(tracker.grants)
  metrics.failedOpen.set(tracker.failedOpen)
  metrics.ratesAlone.set(core.limiter.alone)
  metrics.queries.set(core.queries)
  metrics.redisCommands.set(core.hot.commands + (core.copies?.commands ?? 0))
  metrics.redisUp.set(core.config.redisUrl !== undefined && core.hot.reachable ? 1 : 0)
  collectDrift(core)
  collectBudgets(core)
}

/** each kind has a figure, so that one that begins is seen as a change */
function collectDrift ({ metrics, auditor: { drifts, found, healed } }: Core): void {
  for (const kind of DRIFT_KINDS) {
    metrics.drift.set({ kind }, drifts.get(kind) ?? 0)
    metrics.driftFound.set({ kind }, found.get(kind) ?? 0)
    metrics.driftHealed.set({ kind }, healed.get(kind) ?? 0)
  }
}

/** as this gateway last heard; a budget without a limit has none of these */
function collectBudgets ({ metrics, tracker }: Core): void {
  const gauges = [metrics.budgetLimit, metrics.budgetSpent, metrics.budgetHeld, metrics.budgetRemaining]
  for (const gauge of gauges) gauge.reset()
  let left = MAX_BUDGETS
  for (const { applied: { budget, subject }, lease } of tracker.inUse()) {
    const { figures } = lease
    // of each of many there are too many
    if (subject !== '') continue
    if (figures === null || figures.limitNano === null || left-- <= 0) continue
    const labels = {
      budget: budget.id, name: budget.name, scope: `${budget.scopeType}:${budget.scopeId}`, currency: budget.currency,
    }
    const unposted = lease.consumed - figures.postedNano
    const spent = figures.settledNano + (unposted > 0n ? unposted : 0n) + tracker.debt(lease.accountId)
    const held = lease.held + figures.inDoubtNano + figures.longHeldNano
    const rest = figures.limitNano - spent - held
    metrics.budgetLimit.set(labels, units(figures.limitNano))
    metrics.budgetSpent.set(labels, units(spent))
    metrics.budgetHeld.set(labels, units(held))
    metrics.budgetRemaining.set(labels, units(rest > 0n ? rest : 0n))
  }
}

/** for display only: Prometheus knows floats alone */
function units (nano: bigint): number { return Number(nano) / 1e9 }
