import { type AuditorBooks, type Look } from '../../auditor/auditor.ts'
import { type Drift, type DriftKind } from '../../auditor/drift.ts'
import { bigintOf, idOf, sqlStateOf, type Queryable, type Transactional } from './pool.ts'
import { jsonOf } from './usage-rows.ts'

export interface LookBounds {
  /** accounts in use that are judged by their figures, and accounts that are read by their records */
  accounts: number
  /** records that are read, but for the last account */
  records: number
  /** ms, but for the last statement */
  time: number
}

const SERIALIZATION_FAILURE = '40001'

const BOUNDS: LookBounds = { accounts: 500, records: 50_000, time: 5_000 }

/**
 * The auditor's view of PostgreSQL. A look is one transaction of one snapshot, under a lock that ends with it, so that
 * a pooler between us and the server does no harm. Of two that begin at once, one finds the other's turn or fails to
 * write its own: that is no error.
 */
export class PostgresAuditorBooks implements AuditorBooks {
  readonly #database: Transactional
  readonly #bounds: LookBounds

  constructor (database: Transactional, bounds: Partial<LookBounds> = {}) {
    this.#database = database
    this.#bounds = { ...BOUNDS, ...bounds }
  }

  async look (everyMs: number): Promise<Look | null> {
    try {
      return await this.#look(everyMs)
    } catch (error) {
      if (sqlStateOf(error) === SERIALIZATION_FAILURE) return null
      throw error
    }
  }

  async #look (everyMs: number): Promise<Look | null> {
    return await this.#database.transaction(async (tx) => {
      await tx.query({ text: 'set transaction isolation level repeatable read' })
      const [turn] = await tx.query<TurnRow>({ text: TURN, values: [everyMs / 1000] })
      if (turn === undefined) return null
      const suspects = await this.#suspects(tx, turn)
      const next = await this.#next(tx, turn)
      const first = suspects.accounts.map((id) => ({ id, charges: 0 }))
      const { drifts, read } = await this.#drifts(tx,
        [...first, ...next.accounts.filter(({ id }) => !suspects.accounts.includes(id))])
      const found = await note(tx, drifts, read)
      // what there was no time for is looked at next time
      const unread = next.accounts.findIndex(({ id }) => !read.includes(id))
      const last = unread === -1 ? next.accounts.at(-1) : next.accounts[unread - 1]
      const readUpTo = last?.id ?? turn.turn_after
      const ended = next.last && unread === -1
      await tx.query({ text: MOVE, values: [suspects.after, ended ? 0 : readUpTo, ended] })
      return { accounts: read.length, drifts, found }
    })
  }

  async open (): Promise<Map<DriftKind, number>> {
    const rows = await this.#database.query<{ kind: DriftKind, count: number }>({ text: OPEN })
    return new Map(rows.map(({ kind, count }) => [kind, count]))
  }

  /** accounts in use whose figures do not fit, and those that are known to be wrong */
  async #suspects (tx: Queryable, turn: TurnRow): Promise<{ accounts: string[], after: string }> {
    const most = this.#bounds.accounts
    const leased = await accountsOf(tx, LEASED, [turn.in_use_after, most])
    const charged = await accountsOf(tx, CHARGED, [turn.looked_at, this.#bounds.records])
    const accounts = await accountsOf(tx, SUSPECTS, [[...new Set([...leased, ...charged])]])
    return { accounts, after: leased.length < most ? '0' : leased.at(-1) ?? '0' }
  }

  async #next (tx: Queryable, turn: TurnRow): Promise<{ accounts: CountedAccount[], last: boolean }> {
    const most = this.#bounds.accounts
    const rows = await tx.query<CountedAccount>({ text: NEXT, values: [turn.turn_after, most] })
    let records = 0
    const accounts = rows.filter(({ charges }) => {
      const fits = records < this.#bounds.records
      records += Number(charges)
      return fits
    })
    return { accounts, last: rows.length < most && accounts.length === rows.length }
  }

  /** of the accounts in order, for as long as there is time */
  async #drifts (tx: Queryable, accounts: CountedAccount[]): Promise<{ drifts: Drift[], read: string[] }> {
    const deadline = performance.now() + this.#bounds.time
    const drifts: Drift[] = []
    const read: string[] = []
    for (const part of parts(accounts)) {
      if (read.length > 0 && performance.now() > deadline) break
      drifts.push(...await driftsOf(tx, part))
      read.push(...part)
    }
    return { drifts, read }
  }
}

/** what is wrong on these accounts */
export async function driftsOf (database: Queryable, accountIds: readonly (number | string)[]): Promise<Drift[]> {
  return (await database.query<DriftRow>({ name: 'drifts_of', text: DRIFTS, values: [accountIds] })).map(driftOf)
}

/** what looks have found and nobody has put right */
export async function knownDrifts (database: Queryable): Promise<Drift[]> {
  return (await database.query<DriftRow>({ text: KNOWN })).map(driftOf)
}

export async function allAccounts (database: Queryable): Promise<number[]> {
  return (await database.query<{ id: string }>({ text: 'select id from budget_accounts order by id' })).map(({ id }) => idOf(id))
}

function driftOf ({ kind, account_id: id, object, kept, due }: DriftRow): Drift {
  return { kind, accountId: idOf(id), object, kept, due }
}

/** answers those that were not known */
async function note (tx: Queryable, drifts: readonly Drift[], read: readonly string[]): Promise<Drift[]> {
  const rows = drifts.map(({ accountId, ...rest }) => ({ ...rest, account_id: accountId }))
  await tx.query({ text: GONE, values: [read, jsonOf(rows)] })
  if (rows.length === 0) return []
  const fresh = await tx.query<Pick<DriftRow, 'account_id' | 'kind' | 'object'>>({ text: NOTE, values: [jsonOf(rows)] })
  const key = (kind: string, id: string | number, object: string) => `${kind} ${id} ${object}`
  const known = new Set(fresh.map(({ account_id: id, kind, object }) => key(kind, id, object)))
  return drifts.filter(({ kind, accountId, object }) => known.has(key(kind, accountId, object)))
}

/** small statements, each as long as it takes: a large account has one of its own */
function parts (accounts: readonly CountedAccount[]): string[][] {
  const found: string[][] = []
  let records = Infinity
  for (const { id, charges } of accounts) {
    if (records > 5_000 || (found.at(-1)?.length ?? 0) >= 50) {
      found.push([])
      records = 0
    }
    found.at(-1)?.push(id)
    records += Number(charges)
  }
  return found
}

async function accountsOf (tx: Queryable, text: string, values: unknown[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }>({ text, values })
  return rows.map(({ id }) => String(bigintOf(id)))
}

interface TurnRow { looked_at: string, in_use_after: string, turn_after: string }

interface CountedAccount { id: string, charges: string | number }

interface DriftRow { kind: DriftKind, account_id: string, object: string, kept: string, due: string }

const TURN = `
  select a.looked_at::text as looked_at, a.in_use_after, a.turn_after from auditor a
  where a.looked_at <= clock_timestamp() - make_interval(secs => $1::double precision * 0.9)
    and pg_try_advisory_xact_lock(hashtext('relaycore auditor'))`

const LEASED = `
  select l.account_id as id from leases l where l.state <> 'closed' and l.account_id > $1
  group by l.account_id order by l.account_id limit $2`

/** By the calls that opened since the last look, and a minute before; what came later of older ones the turn finds. */
const CHARGED = `
  select distinct r.account_id as id
  from (
    select r.account_id
    from (select greatest($1::timestamptz, clock_timestamp() - interval '1 day') - interval '1 minute' as at) since
    cross join lateral (select (lpad(to_hex((extract(epoch from since.at) * 1000)::bigint), 12, '0')
      || '00000000000000000000')::uuid as id, (since.at at time zone 'UTC')::date as day) first
    join budget_usage_records r on r.day >= first.day and r.event_id >= first.id
    limit $2
  ) r`

const SUSPECTS = `
  select s.id from suspect_accounts($1::bigint[]) s (id)
  union (select d.account_id from drifts d where d.gone_at is null group by d.account_id limit 100)
  order by 1`

const NEXT = `
  select a.id, coalesce(c.charges, 0) as charges
  from budget_accounts a left join budget_status_cache c on c.account_id = a.id
  where a.id > $1 order by a.id limit $2`

const DRIFTS = `
  select d.kind, d.account_id, d.object, d.kept, d.due
  from unnest($1::bigint[]) a (id) cross join lateral drifts_of(a.id) d
  order by d.account_id, d.kind, d.object`

const GONE = `
  update drifts d set gone_at = clock_timestamp()
  where d.gone_at is null and d.account_id = any ($1::bigint[]) and not exists (
    select from json_to_recordset($2::json) f (kind text, account_id bigint, object text)
    where (f.kind, f.account_id, f.object) = (d.kind, d.account_id, d.object))`

const NOTE = `
  with noted as (
    insert into drifts as d (kind, account_id, object, kept, due)
    select f.kind, f.account_id, f.object, f.kept, f.due
    from json_to_recordset($1::json) f (kind text, account_id bigint, object text, kept text, due text)
    on conflict (kind, account_id, object) where gone_at is null
    do update set kept = excluded.kept, due = excluded.due, seen_at = clock_timestamp()
    returning d.kind, d.account_id, d.object, d.xmax = 0 as fresh
  )
  select n.kind, n.account_id, n.object from noted n where n.fresh`

const MOVE = `
  update auditor a set looked_at = clock_timestamp(), in_use_after = $1, turn_after = $2,
    turn_began_at = case when $3 then clock_timestamp() else a.turn_began_at end,
    turn_ended_at = case when $3 then clock_timestamp() else a.turn_ended_at end`

const OPEN = 'select d.kind, count(*)::integer as count from drifts d where d.gone_at is null group by d.kind'

const KNOWN = `
  select d.kind, d.account_id, d.object, d.kept, d.due from drifts d where d.gone_at is null order by d.account_id, d.kind, d.object`
