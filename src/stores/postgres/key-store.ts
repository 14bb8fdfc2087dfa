import { v7 as uuidv7 } from 'uuid'
import { type AdminTokenStore } from '../../keys/admin-tokens.ts'
import { type GatewayKey, type IdentityHeader, type KeyDraft, type KeyStore } from '../../keys/key.ts'
import { isUuid, reached, type Database, type Query, type Queryable, type Transactional } from './pool.ts'

/** Keys in PostgreSQL. Each change is one transaction with the version of keys, which it locks first. */
export class PostgresKeyStore implements KeyStore {
  readonly #database: Transactional

  constructor (database: Transactional) {
    this.#database = database
  }

  async insert (draft: KeyDraft, hash: Buffer, hint: string): Promise<GatewayKey> {
    const { name, organizationId, teamId, projectId, userId, allowHeaders, requireHeaders } = draft
    const key = await this.#change({
      text: INSERT,
      values: [uuidv7(), hash, hint, name, organizationId, teamId, projectId, userId, allowHeaders, requireHeaders],
    })
    if (key === null) throw new Error('PostgreSQL returned no row for an insert')
    return key
  }

  async list (): Promise<GatewayKey[]> {
    return await reached(select(this.#database, { text: `select ${COLUMNS} from api_keys order by id` }))
  }

  async get (id: string): Promise<GatewayKey | null> {
    if (!isUuid(id)) return null
    return await reached(one(this.#database, { text: `select ${COLUMNS} from api_keys where id = $1`, values: [id] }))
  }

  async revoke (id: string): Promise<GatewayKey | null> {
    if (!isUuid(id)) return null
    return await this.#change({ text: REVOKE, values: [id] })
  }

  async byHash (hash: Buffer): Promise<GatewayKey | null> {
    return await reached(one(this.#database, {
      name: 'key_by_hash', text: `select ${COLUMNS} from api_keys where hash = $1`, values: [hash],
    }))
  }

  async #change (query: Query): Promise<GatewayKey | null> {
    return await reached(this.#database.transaction(async (tx) => {
      await tx.query({ text: "update config_versions set version = version + 1 where kind = 'keys'" })
      return await one(tx, query)
    }))
  }
}

/** Admin tokens in PostgreSQL. No version: gateways remember a token for a second at most. */
export class PostgresAdminTokenStore implements AdminTokenStore {
  readonly #database: Database

  constructor (database: Database) {
    this.#database = database
  }

  async insert (hash: Buffer): Promise<void> {
    await reached(this.#database.query({ text: 'insert into admin_tokens (hash) values ($1)', values: [hash] }))
  }

  async replaceAll (hash: Buffer): Promise<void> {
    await reached(this.#database.transaction(async (tx) => {
      // Two rotations at once: the second must see the first one's token, so that it ends it.
      await tx.query({ text: 'lock table admin_tokens in share row exclusive mode' })
      await tx.query({ text: 'update admin_tokens set revoked_at = clock_timestamp() where revoked_at is null' })
      await tx.query({ text: 'insert into admin_tokens (hash) values ($1)', values: [hash] })
    }))
  }

  async isValid (hash: Buffer): Promise<boolean> {
    const rows = await reached(this.#database.query({
      name: 'admin_token', text: 'select 1 from admin_tokens where hash = $1 and revoked_at is null', values: [hash],
    }))
    return rows.length > 0
  }

  async any (): Promise<boolean> {
    const rows = await reached(this.#database.query({
      text: 'select 1 from admin_tokens where revoked_at is null limit 1',
    }))
    return rows.length > 0
  }
}

const COLUMNS = 'id, hint, name, organization_id, team_id, project_id, user_id, allow_headers, require_headers, ' +
  'created_at, revoked_at'

const INSERT = `
  insert into api_keys (id, hash, hint, name, organization_id, team_id, project_id, user_id, allow_headers, require_headers)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  returning ${COLUMNS}`

const REVOKE = `
  update api_keys set revoked_at = coalesce(revoked_at, clock_timestamp()) where id = $1 returning ${COLUMNS}`

interface KeyRow {
  id: string
  hint: string
  name: string
  organization_id: string
  team_id: string | null
  project_id: string | null
  user_id: string | null
  allow_headers: IdentityHeader[]
  require_headers: IdentityHeader[]
  created_at: Date
  revoked_at: Date | null
}

async function one (on: Queryable, query: Query): Promise<GatewayKey | null> {
  const [key] = await select(on, query)
  return key ?? null
}

async function select (on: Queryable, query: Query): Promise<GatewayKey[]> {
  const rows = await on.query<KeyRow>(query)
  return rows.map((row) => ({
    id: row.id,
    hint: row.hint,
    name: row.name,
    organizationId: row.organization_id,
    teamId: row.team_id,
    projectId: row.project_id,
    userId: row.user_id,
    allowHeaders: row.allow_headers,
    requireHeaders: row.require_headers,
    createdAt: row.created_at.getTime(),
    revokedAt: row.revoked_at?.getTime() ?? null,
  }))
}
