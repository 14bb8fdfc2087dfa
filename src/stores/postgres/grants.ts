import pg from 'pg'
import { connectTo } from './hosts.ts'

/**
 * What a gateway needs of PostgreSQL at run time, and nothing else: no schema changes, nothing of the audit log but
 * reading it and append_audit(), no record of spending changed or removed. So even who takes over a gateway's
 * connection cannot rewrite what it did. Partitions of the coming months are made by a function with the rights of the
 * owner.
 */
type Right = 'select' | 'insert' | 'update' | 'delete'

/** every table of the schema; partitions go by their parents */
export const RIGHTS: Record<string, readonly Right[]> = {
  admin_tokens: ['select', 'insert', 'update'],
  api_key_former_secrets: ['select', 'insert'],
  api_keys: ['select', 'insert', 'update'],
  approval_requests: ['select', 'insert', 'update'],
  audit_head: ['select'],
  audit_log: ['select'],
  auditor: ['select', 'update'],
  budget_accounts: ['select', 'insert', 'update'],
  budget_adjustments: ['select', 'insert', 'update'],
  budget_alert_history: ['select', 'insert', 'update'],
  budget_definitions: ['select', 'insert', 'update'],
  budget_status_cache: ['select', 'insert', 'update'],
  budget_usage_records: ['select', 'insert'],
  config_versions: ['select', 'update'],
  deployment: ['select'],
  detached_months: ['select'],
  detached_usage: ['select'],
  drifts: ['select', 'insert', 'update'],
  exchange_rates: ['select', 'insert'],
  gateways: ['select', 'insert', 'update'],
  idempotency_keys: ['select', 'insert', 'update', 'delete'],
  leases: ['select', 'insert', 'update'],
  long_hold_accounts: ['select', 'insert', 'update'],
  long_holds: ['select', 'insert', 'update'],
  model_prices: ['select', 'insert'],
  provider_files: ['select', 'insert'],
  relaycore_migrations: ['select'],
  restores: ['select'],
  usage_by_day: ['select', 'insert', 'update'],
  usage_by_hour: ['select', 'insert', 'update'],
  usage_events: ['select', 'insert'],
  usage_ids: ['select', 'insert'],
}

/** what not everybody may call */
export const FUNCTIONS = 'append_audit(json), ensure_partitions(integer), heal_derived(bigint)'

export class GrantError extends Error {}

/** As the owner of a schema that is up to date. Whatever else the role had on these tables ends. */
export async function grantGateway (connectionString: string, role: string): Promise<void> {
  const client = await connectTo(connectionString, 'relaycore grant')
  try {
    await client.query('begin')
    await requireRestrictable(client, role)
    for (const text of statements(role, await schemaOf(client))) await client.query(text)
    await client.query('commit')
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error
    throw new GrantError(`Only the owner of the tables can grant: ${error.message}`, { cause: error })
  } finally {
    await client.end().catch(() => undefined)
  }
}

function statements (role: string, schema: string): string[] {
  const [to, within] = [pg.escapeIdentifier(role), pg.escapeIdentifier(schema)]
  return [
    `grant usage on schema ${within} to ${to}`,
    `revoke all on ${Object.keys(RIGHTS).join(', ')} from ${to}`,
    ...Object.entries(RIGHTS).map(([table, rights]) => `grant ${rights.join(', ')} on ${table} to ${to}`),
    `grant execute on function ${FUNCTIONS} to ${to}`,
  ]
}

async function requireRestrictable (client: pg.Client, role: string): Promise<void> {
  const { rows: [found] } = await client.query<{ super: boolean, owner: boolean }>(RESTRICTABLE, [role])
  if (found === undefined) throw new GrantError(`There is no role "${role}": create role ${pg.escapeIdentifier(role)} login`)
  if (found.super) throw new GrantError(`Role "${role}" is a superuser, whom no grant restricts`)
  if (found.owner) throw new GrantError(`Role "${role}" owns the tables, or may act for who does: take another one`)
}

const RESTRICTABLE = `
  select r.rolsuper as super, pg_has_role(r.oid, c.relowner, 'member') as owner
  from pg_roles r cross join pg_class c where r.rolname = $1 and c.oid = 'audit_log'::regclass`

async function schemaOf (client: pg.Client): Promise<string> {
  const { rows: [found] } = await client.query<{ name: string }>('select current_schema() as name')
  return found?.name ?? 'public'
}
