import { type WrittenOff } from '../account/lost-gateways.ts'
import { type AdjustmentStore, type ApprovalStore } from '../budget/adjustments.ts'
import { type Drift, type DriftKind } from '../auditor/drift.ts'
import { type BudgetCatalog } from '../budget/budget-catalog.ts'
import { type AdminTokenStore } from '../keys/admin-tokens.ts'
import { type KeyStore } from '../keys/key.ts'
import { type RateStore } from '../money/exchange-rates.ts'
import { type OverrideStore } from '../pricing/overrides.ts'
import { type AlertStore } from '../reports/alert-store.ts'
import { type UsageRecording } from '../usage/recording.ts'
import { type UsageEvent } from '../usage/usage.ts'
import { type Actor } from './actor.ts'
import { type AuditTrail } from './audit.ts'
import { type HoldStore } from '../holds/hold-store.ts'
import { type IdempotencyStore } from './idempotency.ts'

/** Who changes something, and by which request. */
export interface Authorship {
  actor: Pick<Actor, 'id' | 'name' | 'reach'> & { role: Actor['role'] | 'system' }
  /** null: by no request, but by a command or by itself */
  requestId: string | null
  /** address of the asker, or the host of a command */
  from: string | null
}

/**
 * What a change may work on: all of it in the change's own transaction, and within its author's reach. What is out of
 * it is not there for these stores, whatever a route asks of them.
 */
export interface Stores {
  budgets: BudgetCatalog
  keys: KeyStore
  alerts: AlertStore
  tokens: AdminTokenStore
  usage: UsageRecording
  gateways: {
    /** what a gateway that will not come back has leased is counted as spent */
    writeOff (incarnation: number): Promise<WrittenOff[]>
  }
  /** what is wrong in the ledger, put right */
  repairs: {
    /** what is derived of an account; answers what was wrong */
    healDerived (accountId: number): Promise<DriftKind[]>
    /** an account and its leases, by its records; answers what was wrong */
    healAccount (accountId: number): Promise<Drift[]>
    /** a usage event that was set aside, of the gateway that made it; false: it is recorded already */
    record (incarnation: number, event: UsageEvent): Promise<boolean>
    /** a user's id is replaced by this name, and what their calls say beyond counts and costs is removed */
    forgetUser (userId: string, as: string): Promise<void>
    /** the database was restored from a backup, and no gateway has started since */
    restored (): Promise<void>
  }
  holds: HoldStore
  adjustments: AdjustmentStore
  approvals: ApprovalStore
  rates: Pick<RateStore, 'add'>
  prices: Pick<OverrideStore, 'add'>
  idempotency: IdempotencyStore
  /** budgets, keys, tokens, usage, rates, prices, gateways, repairs note changes themselves; all else is noted here */
  audit: AuditTrail
}

/**
 * Every change that an administrator asks for: all of `work` or nothing, and in the same transaction its entries in the
 * audit log. `work` must wait for nothing but its stores: it holds locks.
 * When it has answered, a change of definitions acts on this gateway; the others hear of it.
 */
export interface Changes {
  run<T> (by: Authorship, work: (stores: Stores) => Promise<T>): Promise<T>
}
