import { v7 as uuidv7 } from 'uuid'
import { type Reach } from '../../access/actor.ts'
import { othersOf, outOfReach, requireOwnHeaders } from '../../access/reach.ts'
import { Conflict } from '../../errors.ts'
import {
  type AllowKey, type EndUserTerms, type GatewayKey, type IdentityHeader, type KeyBySecret, type KeyDraft, type KeyPage,
  type KeyQuery, type KeyStore, type KeyTerms,
} from '../../keys/key.ts'
import { hasMember } from './budget-reach.ts'
import { Conditions, orderBy, type Order } from './conditions.ts'
import { cursorOf, positionOf } from './cursor.ts'
import { idOf, isUuid, reached, type Query, type Queryable, type Transactional } from './pool.ts'

/**
 * Keys in PostgreSQL. Each change is one transaction with the version of keys, which it locks first.
 * With a reach it is the store of somebody who reaches no more: what is out of it is not there, and cannot be made.
 */
export class PostgresKeyStore implements KeyStore {
  readonly #database: Transactional
  readonly #reach: Reach | null

  constructor (database: Transactional, reach: Reach | null = null) {
    this.#database = database
    this.#reach = reach
  }

  async insert (draft: KeyDraft, hash: Buffer, hint: string): Promise<GatewayKey> {
    const { name, organizationId, teamId, projectId, userId } = draft
    return await this.#change(async (tx, version) => {
      await this.#requireOwn(tx, draft)
      const id = uuidv7()
      const values = [id, version, hash, hint, organizationId, teamId, projectId, userId]
      await tx.query({ text: INSERT, values: [...values, name, ...termValues({ ...OPEN, ...draft })] })
      return await stored(tx, id)
    })
  }

  async page (query: KeyQuery): Promise<KeyPage> {
    const { limit, cursor, total, ...list } = query
    const conditions = conditionsOf(query)
    const count = { text: `${COUNT} where ${conditions.text}`, values: [...conditions.values] }
    conditions.after(BY_AGE, cursor === undefined ? null : positionOf(list, cursor))
    const text = `select ${COLUMNS} where ${conditions.text} ${orderBy(BY_AGE)} limit ${conditions.value(limit + 1)}`
    const found = await reached(select(this.#database, { text, values: conditions.values }))
    const keys = found.slice(0, limit)
    const last = keys.at(-1)
    return {
      keys,
      nextCursor: found.length > limit && last !== undefined
        ? cursorOf(list, { value: new Date(last.createdAt).toISOString(), id: last.id })
        : null,
      total: total ? await this.#count(count) : null,
    }
  }

  async get (id: string, reach: Reach | null = this.#reach): Promise<GatewayKey | null> {
    return isUuid(id) ? await reached(one(this.#database, id, reach)) : null
  }

  async update (
    id: string, change: (current: GatewayKey) => KeyTerms & { disabled: boolean }
  ): Promise<GatewayKey | null> {
    return await this.#changed(id, async (tx, current, version) => {
      const next = change(current)
      requireLasting(current)
      requireOwnHeaders(next, current, this.#reach)
      await tx.query({ text: UPDATE, values: [id, version, next.name, ...termValues(next), next.disabled] })
    })
  }

  async rotate (
    id: string, hash: Buffer, hint: string, overlapSeconds: number, allow: AllowKey = () => undefined
  ): Promise<GatewayKey | null> {
    return await this.#changed(id, async (tx, current, version) => {
      allow(current)
      requireLasting(current)
      await tx.query({ text: REPLACE, values: [id, overlapSeconds] })
      await tx.query({ text: ROTATE, values: [id, version, hash, hint] })
    })
  }

  async revoke (id: string, allow: AllowKey = () => undefined): Promise<GatewayKey | null> {
    return await this.#changed(id, async (tx, current, version) => {
      allow(current)
      if (current.revokedAt === null) await tx.query({ text: REVOKE, values: [id, version] })
    })
  }

  async byHashes (hashes: readonly Buffer[]): Promise<(KeyBySecret | null)[]> {
    const rows = await reached(this.#database.query<KeyRow & { asked: Buffer, valid_until: Date | null }>({
      name: 'keys_by_hash', text: BY_HASHES, values: [hashes],
    }))
    const found = new Map(rows.map((row) => [row.asked.toString('latin1'), {
      key: keyOf(row), validUntil: row.valid_until?.getTime() ?? null,
    }]))
    return hashes.map((hash) => found.get(hash.toString('latin1')) ?? null)
  }

  async #requireOwn (tx: Queryable, draft: KeyDraft): Promise<void> {
    const others = othersOf(draft, this.#reach)
    requireOwnHeaders(draft, null, this.#reach)
    if (this.#reach === null) return
    for (const { field, scopeType, scopeId } of others) {
      if (!await hasMember(tx, scopeType, scopeId, this.#reach)) {
        throw outOfReach(field, 'absent, or of a scope that a budget within what you manage has already')
      }
    }
  }

  async #count (query: Query): Promise<number> {
    const [row] = await reached(this.#database.query<{ total: string }>(query))
    return idOf(row?.total ?? '0')
  }

  /** null: there is no such key */
  async #changed (
    id: string, work: (tx: Queryable, current: GatewayKey, version: number) => Promise<void>
  ): Promise<GatewayKey | null> {
    if (!isUuid(id)) return null
    return await this.#change(async (tx, version) => {
      const current = await one(tx, id, this.#reach)
      if (current === null) return null
      await work(tx, current, version)
      return await stored(tx, id)
    })
  }

  async #change<T> (work: (tx: Queryable, version: number) => Promise<T>): Promise<T> {
    return await reached(this.#database.transaction(async (tx) => {
      const [row] = await tx.query<{ version: string }>({ text: COUNT_UP })
      if (row === undefined) throw new Error('The ledger has no version of keys')
      return await work(tx, idOf(row.version))
    }))
  }
}

function requireLasting ({ id, revokedAt }: GatewayKey): void {
  if (revokedAt !== null) throw new Conflict(`Key ${id} was revoked, for good: make another one`)
}

/** what a draft may leave out */
const OPEN = {
  endUser: 'ignore' as const, allowedProviders: null, allowedModels: null, rateLimits: null, expiresAt: null,
}

function termValues (terms: Omit<KeyTerms, 'name'>): unknown[] {
  const { allowHeaders, requireHeaders, allowedProviders, allowedModels, rateLimits, expiresAt, endUser } = terms
  const end = expiresAt === null ? null : new Date(expiresAt)
  const rates = rateLimits === null ? null : JSON.stringify(rateLimits)
  return [allowHeaders, requireHeaders, allowedProviders, allowedModels, end, rates, endUser]
}

function conditionsOf (query: KeyQuery): Conditions {
  const { organizationId, teamId, projectId, userId, includeRevoked, reach } = query
  const conditions = new Conditions()
  if (!includeRevoked) conditions.and('b.revoked_at is null')
  conditions.same('b.organization_id', organizationId)
  conditions.same('b.team_id', teamId)
  conditions.same('b.project_id', projectId)
  conditions.same('b.user_id', userId)
  keyWithinReach(conditions, reach)
  return conditions
}

/** a key is where its calls are */
function keyWithinReach (conditions: Conditions, reach: Reach | null): void {
  conditions.same('b.organization_id', reach?.organizationId)
  if (reach?.scope != null) conditions.same(`b.${reach.scope.type}_id`, reach.scope.id)
}

const BY_AGE: Order = { column: 'b.created_at', type: 'timestamptz', descending: false }

const COLUMNS = `b.id, b.hint, b.name, b.organization_id, b.team_id, b.project_id, b.user_id, b.allow_headers,
  b.require_headers, b.end_user, b.allowed_providers, b.allowed_models, b.expires_at, b.rate_limits, b.disabled_at,
  b.created_at, b.updated_at,
  b.revoked_at, b.version from api_keys b`

const COUNT = 'select count(*) as total from api_keys b'

const COUNT_UP = "update config_versions set version = version + 1 where kind = 'keys' returning version"

const INSERT = `
  insert into api_keys (id, version, hash, hint, organization_id, team_id, project_id, user_id, name, allow_headers,
    require_headers, allowed_providers, allowed_models, expires_at, rate_limits, end_user)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`

const UPDATE = `
  update api_keys set version = $2, updated_at = clock_timestamp(), name = $3, allow_headers = $4, require_headers = $5,
    allowed_providers = $6, allowed_models = $7, expires_at = $8, rate_limits = $9, end_user = $10,
    disabled_at = case when $11 then coalesce(disabled_at, clock_timestamp()) end
  where id = $1`

const REVOKE = `
  update api_keys set version = $2, updated_at = clock_timestamp(), revoked_at = clock_timestamp() where id = $1`

const REPLACE = `
  insert into api_key_former_secrets (hash, key_id, valid_until)
  select hash, id, clock_timestamp() + make_interval(secs => $2) from api_keys where id = $1`

const ROTATE = 'update api_keys set version = $2, updated_at = clock_timestamp(), hash = $3, hint = $4 where id = $1'

const BY_HASHES = `
  select b.hash as asked, null::timestamptz as valid_until, ${COLUMNS} where b.hash = any ($1::bytea[])
  union all
  select f.hash, f.valid_until, ${COLUMNS} join api_key_former_secrets f on f.key_id = b.id where f.hash = any ($1::bytea[])`

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
  end_user: EndUserTerms
  allowed_providers: string[] | null
  allowed_models: string[] | null
  rate_limits: GatewayKey['rateLimits']
  expires_at: Date | null
  disabled_at: Date | null
  created_at: Date
  updated_at: Date
  revoked_at: Date | null
  version: string
}

async function one (on: Queryable, id: string, reach: Reach | null = null): Promise<GatewayKey | null> {
  const conditions = new Conditions()
  conditions.same('b.id', id)
  keyWithinReach(conditions, reach)
  const [key] = await select(on, { text: `select ${COLUMNS} where ${conditions.text}`, values: conditions.values })
  return key ?? null
}

async function stored (tx: Queryable, id: string): Promise<GatewayKey> {
  const key = await one(tx, id)
  if (key === null) throw new Error(`Key ${id} is not in the transaction that wrote it`)
  return key
}

async function select (on: Queryable, query: Query): Promise<GatewayKey[]> {
  const rows = await on.query<KeyRow>(query)
  return rows.map(keyOf)
}

function keyOf (row: KeyRow): GatewayKey {
  return {
    id: row.id,
    hint: row.hint,
    name: row.name,
    organizationId: row.organization_id,
    teamId: row.team_id,
    projectId: row.project_id,
    userId: row.user_id,
    allowHeaders: row.allow_headers,
    requireHeaders: row.require_headers,
    endUser: row.end_user,
    allowedProviders: row.allowed_providers,
    allowedModels: row.allowed_models,
    rateLimits: row.rate_limits,
    expiresAt: row.expires_at?.getTime() ?? null,
    disabledAt: row.disabled_at?.getTime() ?? null,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    revokedAt: row.revoked_at?.getTime() ?? null,
    version: idOf(row.version),
  }
}
