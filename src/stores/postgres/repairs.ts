import { type AuditTrail } from '../../access/audit.ts'
import { type Drift, type DriftKind } from '../../auditor/drift.ts'
import { Conflict } from '../../errors.ts'
import { EndedCall } from '../../journal/ended-call.ts'
import { type Charge, type UsageEvent } from '../../usage/usage.ts'
import { idOf, sqlStateOf, type Queryable } from './pool.ts'
import { postedCalls } from './posted-calls.ts'

/** Repairs of the ledger, in the transaction of a change: each locks its account first, and notes what it found. */
export class NotedRepairs {
  readonly #tx: Queryable
  readonly #trail: AuditTrail
  readonly #moved: (accountIds: readonly number[]) => void

  /** `moved` hears of accounts whose figures were changed */
  constructor (tx: Queryable, trail: AuditTrail, moved: (accountIds: readonly number[]) => void) {
    this.#tx = tx
    this.#trail = trail
    this.#moved = moved
  }

  async healDerived (accountId: number): Promise<DriftKind[]> {
    const [row] = await this.#tx.query<{ kinds: DriftKind[] }>({ text: 'select heal_derived($1) as kinds', values: [accountId] })
    const kinds = row?.kinds ?? []
    await this.#noted(accountId, kinds.map((kind) => ({ kind })), null)
    return kinds
  }

  async healAccount (accountId: number): Promise<Drift[]> {
    const rows = await this.#tx.query<Pick<Drift, 'kind' | 'object' | 'kept' | 'due'>>({
      text: 'select kind, object, kept, due from heal_account($1)', values: [accountId],
    })
    const found = rows.map(({ kind, object, kept, due }) => ({ kind, object, kept, due }))
    if (found.length > 0) this.#moved([accountId])
    await this.#noted(accountId, found, found.map(({ kind, object, kept }) => ({ kind, object, kept })))
    return found.map((drift) => ({ ...drift, accountId }))
  }

  async record (incarnation: number, event: UsageEvent): Promise<boolean> {
    const unknown = await this.#unknown(event)
    const [charges, dropped] = [false, true].map((gone) =>
      event.end.charges.filter(({ accountId }) => unknown.has(accountId) === gone)) as [Charge[], Charge[]]
    const rows = await this.#tx.query({
      text: "select event_id from post_usage($1, $2, '[]') where event_id is not null",
      values: [incarnation, postedCalls([EndedCall.of({ ...event, end: { ...event.end, charges } })])],
    })
    if (rows.length === 0) return false
    const { id, certainty } = event.end
    this.#moved(charges.map(({ accountId }) => accountId))
    this.#trail.note({
      action: 'usage.set_aside_recorded',
      objectType: 'gateway',
      objectId: String(incarnation),
      organizationId: null,
      scopes: [],
      scopesAbove: [],
      before: null,
      after: {
        event: id,
        certainty,
        charges: charges.map(shown),
        ...dropped.length === 0 ? {} : { onAccountsUnknownSinceARestore: dropped.map(shown) },
      },
    })
    return true
  }

  /** the entry says who was forgotten by their new name alone */
  async forgetUser (userId: string, as: string): Promise<void> {
    await this.#tx.query({ text: 'select forget_user($1, $2)', values: [userId, as] })
    this.#trail.note({
      action: 'user.forgotten',
      objectType: 'user',
      objectId: as,
      organizationId: null,
      scopes: [],
      scopesAbove: [],
      before: null,
      after: { user: as },
    })
  }

  async restored (): Promise<void> {
    const [row] = await this.#tx.query<Record<string, string>>({ text: RESTORED }).catch((error: unknown) => {
      if (sqlStateOf(error) === 'RC002') throw new Conflict((error as Error).message, { cause: error })
      throw error
    })
    const [ledger] = await this.#tx.query<{ id: string }>({ text: 'select id from deployment' })
    if (row === undefined || ledger === undefined) throw new Error('PostgreSQL returned no row for a restore')
    const { deployment_id: before, ...numbers } = row
    this.#trail.note({
      action: 'ledger.restored',
      objectType: 'ledger',
      objectId: ledger.id,
      organizationId: null,
      scopes: [],
      scopesAbove: [],
      before: { id: before },
      after: { id: ledger.id, ...numbers },
    })
  }

  /** of accounts that were made behind a backup nobody knows any more whose they were */
  async #unknown ({ end: { charges } }: UsageEvent): Promise<Set<number>> {
    const accounts = charges.map(({ accountId }) => accountId)
    const rows = await this.#tx.query<{ id: string }>({ text: UNKNOWN, values: [accounts] })
    return new Set(rows.map(({ id }) => idOf(id)))
  }

  /** `before`: what was kept; null: sums, of which only what is right is told */
  async #noted (
    accountId: number, found: readonly Partial<Drift>[], before: object | null
  ): Promise<void> {
    if (found.length === 0) return
    await this.#tx.query({ text: GONE, values: [accountId, found.map(({ kind }) => kind)] })
    const [row] = await this.#tx.query<{ budget_id: string }>({
      text: 'select budget_id from budget_accounts where id = $1', values: [accountId],
    })
    if (row === undefined) throw new Error(`There is no account ${accountId}`)
    const due = found.map(({ kind, object, due }) => before === null ? { kind } : { kind, object, due })
    this.#trail.note({
      action: before === null ? 'ledger.sums_healed' : 'ledger.account_healed',
      objectType: 'budget',
      objectId: row.budget_id,
      ...await this.#trail.ownersOf(row.budget_id),
      before: before === null ? null : { account: accountId, figures: before },
      after: { account: accountId, figures: due },
    })
  }
}

function shown ({ accountId, amountNano }: Charge) { return { account: accountId, amountNano: String(amountNano) } }

const RESTORED = `
  select r.deployment_id::text, r.incarnation_after::text, r.incarnation_up_to::text, r.account_after::text,
    r.account_up_to::text
  from note_restore() r`

const UNKNOWN = `
  select c.id from unnest($1::bigint[]) c (id)
  where not exists (select from budget_accounts a where a.id = c.id)
    and exists (select from restores r where c.id >= r.account_after and c.id <= r.account_up_to)`

const GONE = `
  update drifts d set gone_at = clock_timestamp()
  where d.gone_at is null and d.account_id = $1 and d.kind = any ($2::text[])`
