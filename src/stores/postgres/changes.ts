import { type Authorship, type Changes, type Stores } from '../../access/changes.ts'
import { systemNow } from '../../clock.ts'
import { PostgresAlertStore } from './alert-store.ts'
import { PostgresAdminTokenStore } from './admin-token-store.ts'
import { PostgresBudgetStore } from './budget-store.ts'
import { PostgresIdempotencyStore } from './idempotency-store.ts'
import { PostgresKeyStore } from './key-store.ts'
import { reached, type Database } from './pool.ts'

export interface PostgresChangesOptions {
  database: Database
  /** something was changed, or may have been: nothing that was read before may be used after */
  changed: () => void
}

/** Changes in PostgreSQL: one transaction each. */
export class PostgresChanges implements Changes {
  readonly #database: Database
  readonly #changed: () => void

  constructor ({ database, changed }: PostgresChangesOptions) {
    this.#database = database
    this.#changed = changed
  }

  async run<T> ({ actor }: Authorship, work: (stores: Stores) => Promise<T>): Promise<T> {
    try {
      return await reached(this.#database.transaction((tx) => work({
        budgets: new PostgresBudgetStore(tx, systemNow, actor.reach),
        keys: new PostgresKeyStore(tx, actor.reach),
        alerts: new PostgresAlertStore(tx),
        tokens: new PostgresAdminTokenStore(tx, actor.reach),
        idempotency: new PostgresIdempotencyStore(tx),
      })))
    } finally {
      // also after an error: the commit's answer may have been lost
      this.#changed()
    }
  }
}
