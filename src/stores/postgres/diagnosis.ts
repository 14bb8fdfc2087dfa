import pg from 'pg'
import { type GatewayInDoubt } from '../../account/lost-gateways.ts'
import { type DriftKind } from '../../auditor/drift.ts'
import { Hosts } from '../../database-url.ts'
import { type DatabaseFacts, type LedgerFacts } from '../../doctor/database.ts'
import { systemNow } from '../../clock.ts'
import { FUNCTIONS, RIGHTS } from './grants.ts'
import { connectTo, meet } from './hosts.ts'
import { schemaVersions } from './migrate.ts'

const STATEMENT_MS = 10_000

/** What a doctor wants to know of a database; nothing is changed. Rejects where it does not answer. */
export async function diagnosePostgres (url: string, silent: () => Promise<GatewayInDoubt[]>): Promise<DatabaseFacts> {
  const client = await connectTo(url, 'relaycore doctor')
  try {
    const { pooled } = await meet(client, new Hosts(url).pooled)
    const transactions = await holdTogether(client)
    await client.query('begin read only')
    await client.query(`set local statement_timeout = ${STATEMENT_MS}; set local jit = off`)
    const aheadMs = await clockAhead(client)
    const server = await one<ServerRow>(client, SERVER)
    const schema = await schemaVersions(client)
    return {
      version: server.version,
      schema,
      user: server.user,
      superuser: server.superuser,
      missing: schema.fits ? await missingRights(client) : [],
      aheadMs,
      settings: {
        fsync: server.fsync === 'on',
        fullPageWrites: server.full_page_writes === 'on',
        synchronousCommit: server.synchronous_commit,
        maxConnections: server.max_connections,
      },
      connections: server.connections,
      longest: server.longest_ms === null ? null : { ms: server.longest_ms, who: server.longest_who ?? 'somebody' },
      pooled,
      transactions,
      plain: server.elsewhere && server.encrypted === false,
      ledger: schema.fits ? await ledgerFacts(client, await silent()) : null,
    }
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** whether a transaction stays on one server: poolers can be told to give each statement another */
async function holdTogether (client: pg.Client): Promise<boolean> {
  try {
    await client.query('begin read only')
    await client.query('commit')
    return true
  } catch (error) {
    if (error instanceof pg.DatabaseError) return false
    throw error
  }
}

/** half of the way there and back is taken off */
async function clockAhead (client: pg.Client): Promise<number> {
  const before = systemNow()
  const { at } = await one<{ at: number }>(client, 'select extract(epoch from clock_timestamp())::double precision * 1000 as at')
  return at - (before + systemNow()) / 2
}

async function missingRights (client: pg.Client): Promise<string[]> {
  const wanted = Object.entries(RIGHTS).flatMap(([table, rights]) => rights.map((right) => ({ object: table, right })))
  const { rows } = await client.query<{ what: string }>(MISSING, [
    wanted.map(({ object }) => object), wanted.map(({ right }) => right), FUNCTIONS.split(/, (?=\w+\()/),
  ])
  return rows.map(({ what }) => what)
}

async function ledgerFacts (client: pg.Client, silent: GatewayInDoubt[]): Promise<LedgerFacts> {
  const row = await one<LedgerRow>(client, LEDGER)
  return {
    gateways: { live: row.live, oldestMs: row.oldest_ms, silent },
    uncertainLastDay: row.uncertain,
    callsLastDay: row.calls,
    overdueHolds: row.overdue,
    defaultRows: row.default_rows,
    monthsAhead: row.months,
    budgets: row.budgets,
    keys: row.keys,
    rates: row.rates.map(({ currency, age }) => ({ currency, ageMs: age })),
    drifts: row.drifts,
    lookedMs: row.looked_ms,
    turnMs: row.turn_ms,
  }
}

async function one<R extends pg.QueryResultRow> (client: pg.Client, text: string): Promise<R> {
  const { rows: [row] } = await client.query<R>(text)
  if (row === undefined) throw new Error('PostgreSQL returned no row')
  return row
}

interface ServerRow {
  version: number
  user: string
  superuser: boolean
  fsync: string
  full_page_writes: string
  synchronous_commit: string
  max_connections: number
  connections: number
  longest_ms: number | null
  longest_who: string | null
  encrypted: boolean | null
  elsewhere: boolean
}

interface LedgerRow {
  live: number
  oldest_ms: number | null
  calls: number
  uncertain: number
  overdue: number
  default_rows: LedgerFacts['defaultRows']
  months: number
  budgets: number
  keys: number
  rates: { currency: string, age: number | null }[]
  drifts: Partial<Record<DriftKind, number>>
  looked_ms: number | null
  turn_ms: number | null
}

const SERVER = `
  select current_setting('server_version_num')::integer as version, current_user as user,
    (select r.rolsuper from pg_roles r where r.rolname = current_user) as superuser,
    current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer as max_connections,
    (select count(*)::integer from pg_stat_activity a where a.backend_type = 'client backend') as connections,
    old.ms as longest_ms, old.who as longest_who,
    (select s.ssl from pg_stat_ssl s where s.pid = pg_backend_pid()) as encrypted,
    inet_client_addr() is distinct from inet_server_addr() as elsewhere
  from (select 1) x
  left join lateral (
    select extract(epoch from clock_timestamp() - a.xact_start)::double precision * 1000 as ms,
      coalesce(nullif(a.application_name, ''), a.usename::text) || ' (process ' || a.pid || ')' as who
    from pg_stat_activity a
    where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
      and a.xact_start is not null
    order by a.xact_start limit 1
  ) old on true`

const MISSING = `
  select w.what from (
    select r.privilege || ' on ' || r.name as what, has_table_privilege(to_regclass(r.name), r.privilege) as may
    from unnest($1::text[], $2::text[]) r (name, privilege)
    union all
    select 'execute ' || f.name, has_function_privilege(to_regprocedure(f.name), 'execute') from unnest($3::text[]) f (name)
  ) w
  where w.may is not true`

/** calls by their ids, which begin with the time */
const LEDGER = `
  select
    (select count(*)::integer from gateways g where responds(g)) as live,
    (select extract(epoch from clock_timestamp() - min(g.started_at))::double precision * 1000 from gateways g where responds(g))
      as oldest_ms,
    call.calls, call.uncertain,
    (select count(*)::integer from long_holds h where h.state = 'open' and h.expires_at < clock_timestamp() - interval '1 minute')
      as overdue,
    case
      when exists (select from usage_events_default e where e.outcome not in ('recorded', 'reversed')
          or e.day >= date_trunc('month', clock_timestamp() at time zone 'UTC'))
        or exists (select from budget_usage_records_default r where not exists (
          select from usage_events_default e where (e.day, e.id) = (r.day, r.event_id))) then 'calls'
      when exists (select from usage_events_default) then 'imported'
      else 'none'
    end as default_rows,
    (select count(*)::integer from generate_series(0, 2) m (n) where to_regclass('usage_events' || to_char(
      date_trunc('month', clock_timestamp() at time zone 'UTC') + make_interval(months => m.n), '_YYYY_MM')) is not null) as months,
    (select count(*)::integer from budget_definitions b where b.archived_at is null) as budgets,
    (select count(*)::integer from api_keys k where k.revoked_at is null) as keys,
    (select coalesce(json_agg(json_build_object('currency', c.currency, 'age', (
        select extract(epoch from clock_timestamp() - max(r.effective_at)) * 1000 from exchange_rates r
        where r.currency = c.currency and r.effective_at <= clock_timestamp())) order by c.currency), '[]')
      from (select distinct b.currency from budget_definitions b where b.archived_at is null and b.currency <> 'USD') c) as rates,
    (select coalesce(json_object_agg(d.kind, d.n), '{}') from (
      select d.kind, count(*)::integer as n from drifts d where d.gone_at is null group by d.kind) d) as drifts,
    case when isfinite(a.looked_at) then extract(epoch from clock_timestamp() - a.looked_at)::double precision * 1000 end as looked_ms,
    extract(epoch from clock_timestamp() - a.turn_ended_at)::double precision * 1000 as turn_ms
  from auditor a
  cross join lateral (
    select count(*)::integer as calls, (count(*) filter (where e.certainty = 'uncertain'))::integer as uncertain
    from usage_events e
    where e.day >= (clock_timestamp() at time zone 'UTC')::date - 1 and e.outcome <> 'recorded'
  ) call`
