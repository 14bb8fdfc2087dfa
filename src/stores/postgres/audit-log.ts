import { v7 as uuidv7 } from 'uuid'
import {
  canonical, within, type AuditDraft, type AuditEntry, type AuditLog, type AuditPage, type AuditQuery,
} from '../../access/audit.ts'
import { GENESIS, verify, type Link, type Verified } from '../../access/audit-chain.ts'
import { type Authorship } from '../../access/changes.ts'
import { Conditions } from './conditions.ts'
import { cursorOf, positionOf } from './cursor.ts'
import { idOf, isUuid, reached, type Query, type Queryable, type Transactional } from './pool.ts'

/** The audit log in PostgreSQL. */
export class PostgresAuditLog implements AuditLog {
  readonly #database: Transactional

  constructor (database: Transactional) { this.#database = database }

  async page (query: AuditQuery): Promise<AuditPage> {
    const { limit, cursor, ...list } = query
    const conditions = conditionsOf(query)
    if (cursor !== undefined) conditions.and(`a.seq < (${SEQ_OF} ${conditions.value(positionOf(list, cursor).id)})`)
    const text = `${SELECT} where ${conditions.text} order by a.seq desc limit ${conditions.value(limit + 1)}`
    const found = await reached(select(this.#database, { text, values: conditions.values }))
    const entries = found.slice(0, limit).map((entry) => within(entry, query.reach))
    const last = entries.at(-1)
    return {
      entries,
      // by the id: the number would tell how much there is beyond a reach
      nextCursor: found.length > limit && last !== undefined ? cursorOf(list, { value: '', id: last.id }) : null,
    }
  }

  async get (id: string, query: Pick<AuditQuery, 'reach' | 'withoutTypes'>): Promise<AuditEntry | null> {
    if (!isUuid(id)) return null
    const conditions = new Conditions()
    conditions.same('a.id', id)
    restrict(conditions, query)
    const [entry] = await reached(select(this.#database, {
      text: `${SELECT} where ${conditions.text}`, values: conditions.values,
    }))
    return entry === undefined ? null : within(entry, query.reach)
  }

  /** All of it, or what is behind the anchor, as it is at one instant. */
  async verify (expected: Link[] = [], anchor: Link = GENESIS): Promise<Verified> {
    return await reached(this.#database.transaction(async (tx) => {
      await tx.query({ text: 'set transaction isolation level repeatable read, read only' })
      const [row] = await tx.query<{ seq: string, hash: Buffer }>({ text: 'select seq, hash from audit_head' })
      if (row === undefined) throw new Error('The audit log has no head')
      const head = { seq: idOf(row.seq), hash: row.hash }
      return await verify(entriesBehind(tx, anchor.seq), { anchor, expected, head })
    }))
  }
}

/** In the change's own transaction, as its last statement: from here on others wait for the commit. */
export async function append (tx: Queryable, by: Authorship, drafts: readonly AuditDraft[]): Promise<Link[]> {
  if (drafts.length === 0) return []
  const entries = JSON.stringify(drafts.map((draft) => rowOf(by, draft)))
  const rows = await tx.query<{ seq: string, hash: Buffer }>({
    text: 'select seq, hash from append_audit($1)', values: [entries],
  })
  return rows.map(({ seq, hash }) => ({ seq: idOf(seq), hash }))
}

function rowOf ({ actor, requestId, from }: Authorship, draft: AuditDraft) {
  const { before, after } = draft
  return {
    id: uuidv7(),
    actor_id: actor.id,
    actor_name: actor.name,
    actor_role: actor.role,
    request_id: requestId,
    from_address: from,
    action: draft.action,
    object_type: draft.objectType,
    object_id: draft.objectId,
    organization_id: draft.organizationId,
    scopes: draft.scopes,
    scopes_above: draft.scopesAbove,
    before: before === null ? null : canonical(before),
    after: after === null ? null : canonical(after),
  }
}

const PAGE = 1_000

async function * entriesBehind (tx: Queryable, seq: number): AsyncGenerator<AuditEntry> {
  let last = seq
  for (;;) {
    const entries = await select(tx, { text: `${SELECT} where a.seq > $1 order by a.seq limit ${PAGE}`, values: [last] })
    yield * entries
    const end = entries.at(-1)
    if (end === undefined) return
    last = end.seq
  }
}

function conditionsOf (query: AuditQuery): Conditions {
  const { actor, action, objectType, objectId, from, to } = query
  const conditions = new Conditions()
  conditions.same('a.actor_id', actor)
  conditions.same('a.action', action)
  conditions.same('a.object_type', objectType)
  conditions.same('a.object_id', objectId)
  if (from !== undefined) conditions.and(`a.at >= ${conditions.value(new Date(from))}`)
  if (to !== undefined) conditions.and(`a.at < ${conditions.value(new Date(to))}`)
  restrict(conditions, query)
  return conditions
}

function restrict (conditions: Conditions, { reach, withoutTypes = [] }: Pick<AuditQuery, 'reach' | 'withoutTypes'>): void {
  if (withoutTypes.length > 0) conditions.and(`a.object_type <> all (${conditions.value(withoutTypes)}::text[])`)
  if (reach === null) return
  conditions.same('a.organization_id', reach.organizationId)
  if (reach.scope === null) return
  const { type, id } = reach.scope
  conditions.and(`a.scopes @> ${conditions.value([`${type}:${id}`])}::text[]`)
}

const SEQ_OF = 'select c.seq from audit_log c where c.id ='

const SELECT = `
  select a.seq, a.id, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, a.actor_id,
    a.actor_name, a.actor_role, a.request_id, a.from_address, a.action, a.object_type, a.object_id, a.organization_id, a.scopes, a.scopes_above, a.before::text as before, a.after::text as after, a.hash
  from audit_log a`

interface AuditRow {
  seq: string
  id: string
  at: string
  actor_id: string
  actor_name: string
  actor_role: string
  request_id: string | null
  from_address: string | null
  action: string
  object_type: string
  object_id: string
  organization_id: string | null
  scopes: string[]
  scopes_above: string[]
  before: string | null
  after: string | null
  hash: Buffer
}

async function select (on: Queryable, query: Query): Promise<AuditEntry[]> {
  return (await on.query<AuditRow>(query)).map((row) => ({
    // one that was tampered with may be no number of ours
    seq: Number(row.seq),
    id: row.id,
    at: row.at,
    actor: { id: row.actor_id, name: row.actor_name, role: row.actor_role },
    requestId: row.request_id,
    from: row.from_address,
    action: row.action,
    objectType: row.object_type,
    objectId: row.object_id,
    organizationId: row.organization_id,
    scopes: row.scopes,
    scopesAbove: row.scopes_above,
    before: row.before,
    after: row.after,
    hash: row.hash,
  }))
}
