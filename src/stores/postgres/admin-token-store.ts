import { v7 as uuidv7 } from 'uuid'
import { type Reach } from '../../access/actor.ts'
import { requireNoFurther } from '../../access/reach.ts'
import { type AdminToken, type AdminTokenStore, type TokenDraft, type TokenPage, type TokenQuery } from '../../keys/admin-tokens.ts'
import { Conditions, orderBy, type Order } from './conditions.ts'
import { cursorOf, positionOf } from './cursor.ts'
import { isUuid, reached, type Query, type Transactional } from './pool.ts'

/**
 * Admin tokens in PostgreSQL. No version: gateways remember a token for less than a second.
 * With a reach it is the store of somebody who reaches no more: what is out of it is not there, and cannot be made.
 */
export class PostgresAdminTokenStore implements AdminTokenStore {
  readonly #database: Transactional
  readonly #reach: Reach | null

  constructor (database: Transactional, reach: Reach | null = null) {
    this.#database = database
    this.#reach = reach
  }

  async insert (draft: TokenDraft, hash: Buffer, hint: string): Promise<AdminToken> {
    requireNoFurther(draft, this.#reach)
    const [token] = await this.#select({ text: INSERT, values: draftValues(draft, hash, hint) })
    if (token === undefined) throw new Error('PostgreSQL returned no row for one that it took')
    return token
  }

  async replaceAdministrators (draft: TokenDraft, hash: Buffer, hint: string): Promise<void> {
    await reached(this.#database.transaction(async (tx) => {
      // Two rotations at once: the second must see the first one's token, so that it ends it.
      await tx.query({ text: 'lock table admin_tokens in share row exclusive mode' })
      await tx.query({ text: END_ADMINISTRATORS })
      await tx.query({ text: INSERT, values: draftValues(draft, hash, hint) })
    }))
  }

  async byHash (hash: Buffer): Promise<AdminToken | null> {
    const [token] = await this.#select({ name: 'admin_token', text: `${SELECT} where b.hash = $1 and b.revoked_at is null`, values: [hash] })
    return token ?? null
  }

  async any (): Promise<boolean> {
    return (await reached(this.#database.query({ text: ANY }))).length > 0
  }

  async page ({ limit, cursor, ...list }: TokenQuery): Promise<TokenPage> {
    const conditions = new Conditions()
    if (!list.includeRevoked) conditions.and('b.revoked_at is null')
    tokenWithinReach(conditions, list.reach)
    conditions.after(BY_AGE, cursor === undefined ? null : positionOf(list, cursor))
    const text = `${SELECT} where ${conditions.text} ${orderBy(BY_AGE)} limit ${conditions.value(limit + 1)}`
    const found = await this.#select({ text, values: conditions.values })
    const tokens = found.slice(0, limit)
    const last = tokens.at(-1)
    return {
      tokens,
      nextCursor: found.length > limit && last !== undefined
        ? cursorOf(list, { value: new Date(last.createdAt).toISOString(), id: last.id })
        : null,
    }
  }

  async get (id: string, reach: Reach | null = this.#reach): Promise<AdminToken | null> {
    if (!isUuid(id)) return null
    const conditions = new Conditions()
    conditions.same('b.id', id)
    tokenWithinReach(conditions, reach)
    const [token] = await this.#select({ text: `${SELECT} where ${conditions.text}`, values: conditions.values })
    return token ?? null
  }

  async revoke (id: string): Promise<AdminToken | null> {
    const token = await this.get(id)
    if (token === null) return null
    await reached(this.#database.query({ text: REVOKE, values: [id] }))
    return await this.get(id)
  }

  async #select (query: Query): Promise<AdminToken[]> {
    return (await reached(this.#database.query<TokenRow>(query))).map(tokenOf)
  }
}

function tokenWithinReach (conditions: Conditions, reach: Reach | null): void {
  conditions.same('b.organization_id', reach?.organizationId)
  if (reach?.scope == null) return
  conditions.same('b.scope_type', reach.scope.type)
  conditions.same('b.scope_id', reach.scope.id)
}

function draftValues ({ name, role, reach, expiresAt, createdBy }: TokenDraft, hash: Buffer, hint: string): unknown[] {
  const end = expiresAt === null ? null : new Date(expiresAt)
  const { organizationId = null, scope = null } = reach ?? {}
  return [uuidv7(), hash, hint, name, role, organizationId, scope?.type ?? null, scope?.id ?? null, end, createdBy]
}

const BY_AGE: Order = { column: 'b.created_at', type: 'timestamptz', descending: false }

const COLUMNS = `b.id, b.hint, b.name, b.role, b.organization_id, b.scope_type, b.scope_id, b.expires_at, b.created_at,
  b.created_by, b.revoked_at`

const SELECT = `select ${COLUMNS} from admin_tokens b`

const INSERT = `
  insert into admin_tokens as b (id, hash, hint, name, role, organization_id, scope_type, scope_id, expires_at, created_by)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${COLUMNS}`

const REVOKE = 'update admin_tokens set revoked_at = clock_timestamp() where id = $1 and revoked_at is null'

const END_ADMINISTRATORS = `
  update admin_tokens set revoked_at = clock_timestamp() where revoked_at is null and role = 'administrator'`

const ANY = `
  select 1 from admin_tokens
  where revoked_at is null and role = 'administrator' and (expires_at is null or expires_at > clock_timestamp()) limit 1`

interface TokenRow {
  id: string
  hint: string | null
  name: string
  role: AdminToken['role']
  organization_id: string | null
  scope_type: 'team' | 'project' | null
  scope_id: string | null
  expires_at: Date | null
  created_at: Date
  created_by: string | null
  revoked_at: Date | null
}

function tokenOf (row: TokenRow): AdminToken {
  const { scope_type: type, scope_id: id, organization_id: organizationId } = row
  const scope = type === null || id === null ? null : { type, id }
  return {
    id: row.id,
    hint: row.hint,
    name: row.name,
    role: row.role,
    reach: organizationId === null ? null : { organizationId, scope },
    expiresAt: row.expires_at?.getTime() ?? null,
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
    revokedAt: row.revoked_at?.getTime() ?? null,
  }
}
