import { v7 as uuidv7 } from 'uuid'
import { type Reach } from '../../access/actor.ts'
import { isOthers, keptWithin, outOfReach, requireChangeable } from '../../access/reach.ts'
import { type Budget, type Identity } from '../../budget/budget.ts'
import {
  type Allow, type BudgetCatalog, type BudgetFilter, type BudgetPage, type BudgetQuery, type Family,
} from '../../budget/budget-catalog.ts'
import { frozenChanges, placed, type BudgetDraft } from '../../budget/hierarchy.ts'
import { type NamedScopes, type Versions } from '../../budget/registry.ts'
import { isForEach } from '../../budget/subject.ts'
import { systemNow, type Now } from '../../clock.ts'
import { BudgetInUse, Conflict, NotFound, unprocessable } from '../../errors.ts'
import { nextCursor, pageQuery, totalQuery } from './budget-lists.ts'
import { hasMember, standings, withinReachOf } from './budget-reach.ts'
import { ANCESTORS, COLUMNS, oneBudget, selectBudgets } from './budget-rows.ts'
import { idOf, isUuid, reached, type Queryable, type Transactional } from './pool.ts'

/**
 * Budgets in PostgreSQL. A change counts the version of all budgets up first, and that row's lock makes changes happen
 * one after the other: what is checked of parents and children stays true until the change is committed. Then come the
 * budget's row and its accounts by id, the order in which everybody locks.
 * With a reach it is the store of somebody who reaches no more: what is out of it is not there, and cannot be made.
 */
export class PostgresBudgetStore implements BudgetCatalog {
  readonly #database: Transactional
  readonly #now: Now
  readonly #reach: Reach | null

  constructor (database: Transactional, now: Now = systemNow, reach: Reach | null = null) {
    this.#database = database
    this.#now = now
    this.#reach = reach
  }

  async forIdentity (identity: Identity): Promise<Budget[]> {
    const { organizationId, teamId, projectId, userId, keyId, sessionId, endUserId = null, tags } = identity
    const tagged = Object.entries(tags ?? {}).map(([name, value]) => `${name}=${value}`)
    return await reached(selectBudgets(this.#database, {
      name: 'budgets_for_identity',
      text: FOR_IDENTITY,
      values: [organizationId, teamId, projectId, userId, keyId, sessionId, endUserId, tagged],
    }))
  }

  async named (organizationId: string): Promise<NamedScopes> {
    const [row] = await reached(this.#database.query<{ session: boolean, end_user: boolean, tags: string[] }>({
      name: 'named_scopes', text: NAMED, values: [organizationId],
    }))
    if (row === undefined) throw new Error('PostgreSQL returned no row for an aggregate')
    return { session: row.session, endUser: row.end_user, tags: row.tags }
  }

  async versions (keysSince?: number): Promise<Required<Versions>> {
    const [row] = await reached(this.#database.query<VersionsRow>({
      name: 'versions', text: VERSIONS, values: [keysSince ?? null, MOST_NAMED_KEYS + 1],
    }))
    if (row === undefined) throw new Error('PostgreSQL returned no row for an aggregate')
    const { changed } = row
    return {
      budgets: idOf(row.budgets),
      keys: idOf(row.keys),
      prices: idOf(row.prices),
      changedKeys: changed !== null && changed.length <= MOST_NAMED_KEYS ? changed : null,
    }
  }

  async get (id: string, reach: Reach | null = this.#reach): Promise<Budget | null> {
    if (!isUuid(id)) return null
    return await reached(seen(this.#database, id, reach))
  }

  async several (ids: readonly string[], reach: Reach | null = this.#reach): Promise<Budget[]> {
    const asked = [...new Set(ids.filter(isUuid))]
    if (asked.length === 0) return []
    const found = await reached(selectBudgets(this.#database, { name: 'budgets_by_id', text: BY_ID, values: [asked] }))
    return await reached(withinReachOf(this.#database, found, reach))
  }

  /** a budget and its ancestors, each behind those below it; empty: there is none */
  async line (id: string): Promise<Budget[]> {
    return isUuid(id) ? await reached(selectBudgets(this.#database, { text: ANCESTORS, values: [id] })) : []
  }

  async list (filter: BudgetFilter = {}): Promise<Budget[]> {
    const { scopeType, scopeId, parentBudgetId, includeArchived = false, limit = null } = filter
    if (parentBudgetId !== undefined && !isUuid(parentBudgetId)) return []
    return await reached(selectBudgets(this.#database, {
      text: LIST, values: [scopeType ?? null, scopeId ?? null, parentBudgetId ?? null, includeArchived, limit],
    }))
  }

  async family (id: string): Promise<Family> {
    if (!isUuid(id)) return { above: null, siblings: [], below: [] }
    const line = await reached(selectBudgets(this.#database, { text: ANCESTORS, values: [id] }))
    const nearest = line.slice(1).find(({ archivedAt }) => archivedAt === null)
    const [above = null] = nearest === undefined
      ? []
      : await reached(withinReachOf(this.#database, [nearest], this.#reach))
    const rightBelow = async (of: string) =>
      await reached(selectBudgets(this.#database, { name: 'right_below', text: RIGHT_BELOW, values: [of] }))
    return { above, siblings: above === null ? [] : await rightBelow(above.id), below: await rightBelow(id) }
  }

  async page (query: BudgetQuery): Promise<BudgetPage> {
    const { limit } = query
    const found = await reached(selectBudgets(this.#database, pageQuery(query)))
    const budgets = await reached(withinReachOf(this.#database, found.slice(0, limit), query.reach))
    const last = budgets.at(-1)
    return {
      budgets,
      nextCursor: found.length > limit && last !== undefined ? nextCursor(query, last) : null,
      total: query.total ? await this.#total(query) : null,
    }
  }

  async #total (query: BudgetQuery): Promise<number> {
    const [row] = await reached(this.#database.query<{ total: string }>(totalQuery(query)))
    return idOf(row?.total ?? '0')
  }

  async insert (draft: BudgetDraft): Promise<Budget> {
    return await this.#change(async (tx, version) => {
      const next = await this.#place(tx, null, draft)
      await requireRate(tx, next.currency)
      const id = uuidv7()
      const at = new Date(this.#now())
      await tx.query({ text: INSERT, values: [id, ...definitionValues(next), at, version] })
      return await this.#stored(tx, id)
    })
  }

  async update (id: string, change: (current: Budget) => BudgetDraft): Promise<Budget> {
    return await this.#change(async (tx, version) => {
      const current = await this.#existing(tx, id)
      const draft = change(current)
      if (current.archivedAt !== null) throw new Conflict(`Budget ${id} is deleted`)
      const next = await this.#place(tx, current, draft)
      await requireUnused(tx, id, frozenChanges(current, next))
      if (next.currency !== current.currency) await requireRate(tx, next.currency)
      await tx.query({ text: UPDATE, values: [id, ...definitionValues(next), new Date(this.#now()), version] })
      await applyLimits(tx, await lockRunning(tx, [id]))
      return await this.#stored(tx, id)
    })
  }

  async archive (id: string, allow: Allow = () => undefined): Promise<Budget> {
    return await this.#change(async (tx, version) => {
      const current = await this.#existing(tx, id)
      allow(current)
      if (current.archivedAt !== null) return current
      await tx.query({ text: ARCHIVE, values: [id, new Date(this.#now()), version] })
      return await this.#stored(tx, id)
    })
  }

  async restore (id: string, allow: Allow = () => undefined): Promise<Budget> {
    return await this.#change(async (tx, version) => {
      const current = await this.#existing(tx, id)
      allow(current)
      if (current.archivedAt === null) return current
      const { parentBudgetId } = await there(tx, id)
      const parent = parentBudgetId === null ? null : await there(tx, parentBudgetId)
      if (parent !== null && parent.archivedAt !== null) {
        const which = current.parentBudgetId === null ? '' : `, budget ${parent.id},`
        throw new Conflict(`Its parent${which} is deleted: restore that one first`)
      }
      // what stands below may have moved meanwhile
      await this.#place(tx, current, current)
      await tx.query({ text: RESTORE, values: [id, new Date(this.#now()), version] })
      await applyLimits(tx, await lockRunning(tx, [id]))
      return await this.#stored(tx, id)
    })
  }

  /**
   * What is added to these budgets, or taken from them: `change` sees them locked with their running accounts, in the
   * order of the ids, and what may be spent on them follows when it is done. Their versions grow. `subject`: whose
   * account it is about, of a budget for each of many; empty: all.
   */
  async adjusting<T> (
    ids: readonly string[], change: (budgets: readonly Budget[]) => Promise<T>, subject = ''
  ): Promise<T> {
    return await this.#change(async (tx, version) => {
      const found = new Map<string, Budget>()
      for (const id of [...new Set(ids)].sort()) {
        const budget = await this.#existing(tx, id)
        if (budget.archivedAt !== null) throw new Conflict(`Budget ${id} is deleted`)
        found.set(id, budget)
      }
      const accounts = await lockRunning(tx, ids, subject)
      const result = await change(ids.map((id) => found.get(id) as Budget))
      await tx.query({ text: ADJUSTED, values: [ids, new Date(this.#now()), version] })
      await applyLimits(tx, accounts)
      return result
    })
  }

  /** Locked, as within reach. */
  async #existing (tx: Queryable, id: string): Promise<Budget> {
    const budget = isUuid(id) ? await locked(tx, id, this.#reach) : null
    if (budget === null) throw new NotFound(`There is no budget ${id}`)
    requireChangeable(budget, this.#reach)
    return budget
  }

  async #stored (tx: Queryable, id: string): Promise<Budget> {
    const budget = await seen(tx, id, this.#reach)
    if (budget === null) throw new Error(`Budget ${id} is not in the transaction that wrote it`)
    return budget
  }

  /** The draft where it is to stand: within reach, and, where what is above it is not, where it stands already. */
  async #place (tx: Queryable, current: Budget | null, draft: BudgetDraft): Promise<BudgetDraft> {
    const reach = this.#reach
    const kept = keptWithin(draft, reach)
    if (reach === null) return await inPlace(tx, current, kept)
    // for each of many within what is above it, which is in reach
    const isOther = !isForEach(kept) && isOthers(kept, current, reach)
    if (isOther && !await hasMember(tx, kept.scopeType, kept.scopeId, reach)) {
      throw outOfReach('scopeId', 'what you manage, or of a scope that a budget below it has already')
    }
    const above = current === null ? null : (await there(tx, current.id)).parentBudgetId
    if (above !== null && current?.parentBudgetId === null) {
      if (kept.parentBudgetId !== null) throw outOfReach('parentBudgetId', 'left as it is: a budget above what you manage is its parent')
      return await inPlace(tx, current, { ...kept, parentBudgetId: above })
    }
    const { parentBudgetId } = kept
    const known = parentBudgetId !== null && (await standings(tx, [parentBudgetId], reach)).size > 0
    return await inPlace(tx, current, kept, known)
  }

  async #change<T> (work: (tx: Queryable, version: number) => Promise<T>): Promise<T> {
    return await reached(this.#database.transaction(async (tx) => {
      const [row] = await tx.query<{ version: string }>({ text: COUNT_UP })
      if (row === undefined) throw new Error('The ledger has no version of budgets')
      return await work(tx, idOf(row.version))
    }))
  }
}

/** The draft where it is to stand, judged by budgets that nobody can change meanwhile. */
async function inPlace (tx: Queryable, current: Budget | null, draft: BudgetDraft, known = true): Promise<BudgetDraft> {
  const { parentBudgetId } = draft
  const ancestors = parentBudgetId !== null && isUuid(parentBudgetId) && known
    ? await selectBudgets(tx, { text: ANCESTORS, values: [parentBudgetId] })
    : []
  const [children, levelsBelow] = current === null ? [[], 0] : await whatIsBelow(tx, current.id)
  const next = placed(draft, { current, ancestors, children, levelsBelow })
  if (next.scopeType !== current?.scopeType || next.scopeId !== current.scopeId) await requireKey(tx, next)
  return next
}

async function whatIsBelow (tx: Queryable, id: string): Promise<[children: Budget[], levels: number]> {
  const children = await selectBudgets(tx, { text: LIST, values: [null, null, id, false, null] })
  const [below] = await tx.query<{ levels: number }>({ text: LEVELS_BELOW, values: [id] })
  return [children, below?.levels ?? 0]
}

/** The gateway makes the ids of keys, so a budget of one that is none would never apply. */
async function requireKey (tx: Queryable, next: BudgetDraft): Promise<void> {
  const { scopeType, scopeId, organizationId } = next
  if (scopeType !== 'key' || isForEach(next)) return
  const [key] = isUuid(scopeId)
    ? await tx.query<{ id: string, organization_id: string }>({ text: 'select id, organization_id from api_keys where id = $1', values: [scopeId] })
    : []
  // calls are matched by its text
  if (key?.id === scopeId && (organizationId === null || key.organization_id === organizationId)) return
  throw unprocessable('scopeId', `scopeId ${JSON.stringify(scopeId)} is the id of no key${organizationId === null ? '' : ` of ${organizationId}`}: ` +
    'GET /api/v1/keys lists them, each with its id')
}

/** null: there is none, or none within reach */
const BY_ID = `select ${COLUMNS} where b.id = any ($1::uuid[])`

async function seen (on: Queryable, id: string, reach: Reach | null): Promise<Budget | null> {
  const standing = await standings(on, [id], reach)
  const budget = standing.has(id.toLowerCase()) ? await oneBudget(on, id) : null
  return budget === null || standing.get(budget.id) === true ? budget : { ...budget, parentBudgetId: null }
}

async function locked (tx: Queryable, id: string, reach: Reach | null): Promise<Budget | null> {
  await tx.query({ text: 'select from budget_definitions where id = $1 for no key update', values: [id] })
  return await seen(tx, id, reach)
}

/** whatever the reach */
async function there (tx: Queryable, id: string): Promise<Budget> {
  const budget = await oneBudget(tx, id)
  if (budget === null) throw new Error(`Budget ${id} is not in the transaction that wrote it`)
  return budget
}

/** A budget for each of many is for those within the nearest above it that is for one, be that archived or not. */
const FOR_IDENTITY = `
  with recursive each_of as (
    select id, parent_budget_id as above, null::text as scope_type, null::text as scope_id
    from budget_definitions
    where archived_at is null and organization_id = $1 and is_for_each(scope_type, scope_id)
      and case scope_type when 'team' then $2::text when 'project' then $3 when 'user' then $4 else '' end is not null
    union all
    select e.id, p.parent_budget_id, p.scope_type, p.scope_id
    from each_of e join budget_definitions p on p.id = e.above
    where e.scope_type is null or is_for_each(e.scope_type, e.scope_id)
  ),
  applying as (
    (
      select id, parent_budget_id from budget_definitions
      where archived_at is null and (organization_id is null or organization_id = $1)
        and ((scope_type, scope_id) in (('organization', $1), ('team', $2), ('project', $3), ('user', $4), ('key', $5),
          ('session', $6), ('endUser', $7)) or (scope_type = 'tag' and scope_id = any ($8::text[])))
      union
      select b.id, b.parent_budget_id from each_of e join budget_definitions b on b.id = e.id
      where case
        when e.scope_type is null or is_for_each(e.scope_type, e.scope_id) then e.above is null
        when e.scope_type in ('session', 'endUser', 'tag') then true
        else (e.scope_type, e.scope_id) in (('organization', $1), ('team', $2), ('project', $3), ('user', $4), ('key', $5))
      end
    )
    union
    select p.id, p.parent_budget_id from applying a join budget_definitions p on p.id = a.parent_budget_id
  )
  select ${COLUMNS} where b.id in (select id from applying) order by b.id`

const NAMED = `
  select coalesce(bool_or(scope_type = 'session'), false) as session,
    coalesce(bool_or(scope_type = 'endUser'), false) as end_user,
    coalesce(array_agg(distinct split_part(scope_id, '=', 1)) filter (where scope_type = 'tag'), '{}') as tags
  from budget_definitions
  where archived_at is null and (organization_id is null or organization_id = $1)
    and scope_type in ('session', 'tag', 'endUser') and not is_for_each(scope_type, scope_id)`

const RIGHT_BELOW = `
  with recursive below as (
    select id, archived_at from budget_definitions where parent_budget_id = $1
    union all
    select c.id, c.archived_at from below b join budget_definitions c on c.parent_budget_id = b.id
    where b.archived_at is not null
  )
  select ${COLUMNS} where b.id in (select id from below where archived_at is null) order by b.id`

const LEVELS_BELOW = `
  with recursive tree as (
    select id, 0 as depth from budget_definitions where id = $1
    union all
    select c.id, t.depth + 1 from tree t join budget_definitions c on c.parent_budget_id = t.id
  )
  select max(depth) as levels from tree`

const LIST = `
  select ${COLUMNS}
  where ($1::text is null or b.scope_type = $1) and ($2::text is null or b.scope_id = $2)
    and ($3::uuid is null or b.parent_budget_id = $3) and ($4::boolean or b.archived_at is null)
  order by b.id limit $5`

interface VersionsRow { budgets: string, keys: string, prices: string, changed: string[] | null }

/** past so many at once it is as well to read all of them again */
const MOST_NAMED_KEYS = 1_000

/**
 * Rates count too: budgets are read with the one in force, and that one changes with time alone. Keys are looked
 * through only where one was changed; each change locks the counter's row, so that none is seen after a later one.
 */
const VERSIONS = `
  with counters as (
    select max(version) filter (where kind = 'budgets') as budgets, max(version) filter (where kind = 'keys') as keys
    from config_versions
  )
  select budgets + (select count(*) from exchange_rates where effective_at <= clock_timestamp()) as budgets,
    keys, (select count(*) from model_prices) as prices,
    case when keys >= $1::bigint
      then case when keys = $1 then '{}' else array(select k.id::text from api_keys k where k.version > $1 limit $2) end
    end as changed
  from counters`

const COUNT_UP = "update config_versions set version = version + 1 where kind = 'budgets' returning version"

const INSERT = `
  insert into budget_definitions (id, organization_id, name, description, scope_type, scope_id, amount_nano,
    enforced_limit_nano, currency, period, timezone, start_date, end_date, recurring, mode, paused, filters, alerts, tags,
    parent_budget_id, created_by, cap_to_fit, fail_open_nano, carry_over, rate_limits, overrides, created_at, updated_at,
    version)
  values ($1, $2, $3, $4, $5, $6, $7, enforced_limit($7, $17, 0), $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    $20, $21, $22, $23, $24, $25, $26, $26, $27)`

const UPDATE = `
  update budget_definitions set organization_id = $2, name = $3, description = $4, scope_type = $5, scope_id = $6,
    amount_nano = $7, enforced_limit_nano = enforced_limit($7, $17, 0), currency = $8, period = $9, timezone = $10,
    start_date = $11, end_date = $12, recurring = $13, mode = $14, paused = $15, filters = $16, alerts = $17, tags = $18,
    parent_budget_id = $19, created_by = $20, cap_to_fit = $21, fail_open_nano = $22, carry_over = $23,
    rate_limits = $24, overrides = $25, updated_at = $26, version = $27
  where id = $1`

const ADJUSTED = 'update budget_definitions set updated_at = $2, version = $3 where id = any ($1::uuid[])'

const RESTORE = 'update budget_definitions set archived_at = null, updated_at = $2, version = $3 where id = $1'

const ARCHIVE = 'update budget_definitions set archived_at = $2, updated_at = $2, version = $3 where id = $1'

function definitionValues (draft: BudgetDraft): unknown[] {
  return [
    draft.organizationId, draft.name, draft.description, draft.scopeType, draft.scopeId, draft.amountNano,
    draft.currency, draft.period, draft.timezone, new Date(draft.startDate),
    draft.endDate === null ? null : new Date(draft.endDate), draft.recurring, draft.mode, draft.paused,
    JSON.stringify(draft.filters), JSON.stringify(draft.alerts), JSON.stringify(draft.tags), draft.parentBudgetId,
    draft.createdBy, draft.capToFit === null ? null : JSON.stringify(draft.capToFit), draft.failOpenNano,
    draft.carryOver === null ? null : JSON.stringify(draft.carryOver),
    draft.rateLimits === null ? null : JSON.stringify(draft.rateLimits),
    JSON.stringify(draft.overrides),
  ]
}

const RATE = `
  select 1 from exchange_rates where currency = $1 and effective_at <= clock_timestamp() limit 1`

async function requireRate (tx: Queryable, currency: string): Promise<void> {
  if (currency === 'USD') return
  const rates = await tx.query({ text: RATE, values: [currency] })
  if (rates.length === 0) {
    throw unprocessable('currency', `currency ${currency} has no exchange rate, and prices are in USD: add one first with ` +
      'POST /api/v1/exchange-rates')
  }
}

const LOCK_ACCOUNTS = 'select id from budget_accounts where budget_id = $1 order by id for no key update'

/** A lease or a long hold is as good as a charge: something may be open on it, in the terms that it was held in. */
const CHARGED = `
  select 1 from budget_accounts a
  where a.budget_id = $1 and (exists (select from budget_status_cache c where c.account_id = a.id)
    or exists (select from leases l where l.account_id = a.id)
    or exists (select from long_hold_accounts h where h.account_id = a.id))
  limit 1`

/**
 * Before a change of what cannot change under calls. Looked at twice: unlocked, since a budget with a long history is
 * told so at once, and then with the accounts locked. An account alone freezes the currency: it is in that currency,
 * and a gateway that knows it may be about to hold a call on it.
 */
async function requireUnused (tx: Queryable, id: string, fields: string[]): Promise<void> {
  if (fields.length === 0) return
  const inUse = () => new BudgetInUse(
    `Calls were charged to this budget, so ${fields.join(', ')} cannot change: create another budget`)
  if ((await tx.query({ text: CHARGED, values: [id] })).length > 0) throw inUse()
  const accounts = await tx.query({ text: LOCK_ACCOUNTS, values: [id] })
  if (accounts.length > 0 && fields.includes('currency')) throw inUse()
  if ((await tx.query({ text: CHARGED, values: [id] })).length > 0) throw inUse()
}

/** Periods that are over keep the limit that they ended with; a single run has one account, whenever it ends now. */
const LOCK_RUNNING = `
  select a.id from budget_accounts a join budget_definitions b on b.id = a.budget_id
  where b.id = any ($1::uuid[]) and ($2::text = '' or a.subject = $2)
    and (a.period_end is null or a.period_end > clock_timestamp() or (b.period = 'custom' and not b.recurring))
  order by a.id for no key update of a`

/** Of budgets that are locked, so that none is made meanwhile. */
async function lockRunning (tx: Queryable, budgetIds: readonly string[], subject = ''): Promise<string[]> {
  return (await tx.query<{ id: string }>({ text: LOCK_RUNNING, values: [budgetIds, subject] })).map(({ id }) => id)
}

/** what may be spent on these accounts, locked, from now on */
async function applyLimits (tx: Queryable, accountIds: readonly string[]): Promise<void> {
  if (accountIds.length > 0) await tx.query({ text: 'select apply_limits($1::bigint[])', values: [accountIds] })
}
