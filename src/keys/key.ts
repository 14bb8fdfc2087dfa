import { type Reach } from '../access/actor.ts'
import { type RateLimits } from '../limits/rate-limits.ts'
import { hashSecret, hintOf, makeSecret } from './secret.ts'

/** A gateway key: who its calls are for, and what its calls may say about that in headers. */
export interface GatewayKey {
  id: string
  /** the beginning of its secret, to tell it from others; the secret itself is kept nowhere */
  hint: string
  name: string
  organizationId: string
  teamId: string | null
  projectId: string | null
  userId: string | null
  /** identity headers that count when a call carries them */
  allowHeaders: IdentityHeader[]
  /** identity headers that a call must carry */
  requireHeaders: IdentityHeader[]
  /** whether the end user that a call's body names counts, or must be named */
  endUser: EndUserTerms
  /** null: every provider */
  allowedProviders: string[] | null
  /** exact names, or globs with *; null: every model */
  allowedModels: string[] | null
  /** of its calls; null: none */
  rateLimits: RateLimits | null
  /** ms since the epoch; from then on it is refused; null: never */
  expiresAt: number | null
  /** refused until it is enabled again */
  disabledAt: number | null
  createdAt: number
  updatedAt: number
  /** for good */
  revokedAt: number | null
  /** grows with every change of any key */
  version: number
}

/** The part of the name behind `x-relaycore-`. */
export type IdentityHeader = 'user' | 'team' | 'project' | 'session' | 'tags'

/** ignore: what the body says goes to the provider alone */
export type EndUserTerms = 'ignore' | 'allow' | 'require'

export const IDENTITY_HEADERS: readonly IdentityHeader[] = ['user', 'team', 'project', 'session', 'tags']

/** What an administrator may change of a key; whom it speaks for stays. */
export type KeyTerms =
  Pick<GatewayKey, 'name' | 'allowHeaders' | 'requireHeaders' | 'endUser' | 'allowedProviders' | 'allowedModels' | 'rateLimits' |
    'expiresAt'>

/** What an administrator says of a new key. */
export type KeyDraft =
  Pick<GatewayKey, 'name' | 'organizationId' | 'teamId' | 'projectId' | 'userId' | 'allowHeaders' | 'requireHeaders'> &
  Partial<KeyTerms>

export interface KeyQuery {
  organizationId?: string
  teamId?: string
  projectId?: string
  userId?: string
  includeRevoked: boolean
  /** null: everything */
  reach: Reach | null
  limit: number
  /** the nextCursor of the page before */
  cursor?: string
  /** whether to count them all */
  total: boolean
}

export interface KeyPage {
  keys: GatewayKey[]
  /** null: this is the last page */
  nextCursor: string | null
  total: number | null
}

/** Sees the key as it is, locked, before it changes; what it throws leaves all as it was. */
export type AllowKey = (current: GatewayKey) => void

/** A key as one of its secrets finds it. */
export interface KeyBySecret {
  key: GatewayKey
  /** ms since the epoch: a later secret has replaced this one, which works until then; null: it is the current one */
  validUntil: number | null
}

/**
 * Where keys live. Every change counts up the version of keys, by which other gateways learn of it.
 * DependencyUnavailable where the store cannot be reached; Conflict where a revoked key is to change.
 */
export interface KeyStore {
  insert (draft: KeyDraft, hash: Buffer, hint: string): Promise<GatewayKey>
  /** the oldest first; InvalidField for a cursor of another list */
  page (query: KeyQuery): Promise<KeyPage>
  /** null: there is none within reach */
  get (id: string, reach?: Reach | null): Promise<GatewayKey | null>
  /** `change` sees the key as it is, locked; null: there is no such key */
  update (id: string, change: (current: GatewayKey) => KeyTerms & { disabled: boolean }): Promise<GatewayKey | null>
  /** a new secret; the one before works for so many seconds more; null: there is no such key */
  rotate (id: string, hash: Buffer, hint: string, overlapSeconds: number, allow?: AllowKey): Promise<GatewayKey | null>
  /** for good, and once; null: there is no such key */
  revoke (id: string, allow?: AllowKey): Promise<GatewayKey | null>
  /** for each of the hashes; revoked ones too, and by secrets that were replaced */
  byHashes (hashes: readonly Buffer[]): Promise<(KeyBySecret | null)[]>
}

/** One more key. `secret` is in this answer and nowhere else ever after. */
export async function createKey (store: Pick<KeyStore, 'insert'>, draft: KeyDraft): Promise<{ key: GatewayKey, secret: string }> {
  const secret = makeSecret('rk')
  const key = await store.insert(draft, hashSecret(secret), hintOf(secret))
  return { key, secret }
}

/** A new secret for a key, shown here only; null: there is no such key. */
export async function rotateKey (
  store: Pick<KeyStore, 'rotate'>, id: string, overlapSeconds: number, allow?: AllowKey
): Promise<{ key: GatewayKey, secret: string } | null> {
  const secret = makeSecret('rk')
  const key = await store.rotate(id, hashSecret(secret), hintOf(secret), overlapSeconds, allow)
  return key === null ? null : { key, secret }
}
