import { hashSecret, hintOf, makeSecret } from './secret.ts'

/** A gateway key: who its calls are for, and what its calls may say about that in headers. */
export interface GatewayKey {
  id: string
  /** the beginning of the key, to tell it from others; the key itself is kept nowhere */
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
  /** ms since the epoch */
  createdAt: number
  revokedAt: number | null
}

/** The part of the name behind `x-relaycore-`. */
export type IdentityHeader = 'user' | 'team' | 'project' | 'session' | 'tags'

export const IDENTITY_HEADERS: readonly IdentityHeader[] = ['user', 'team', 'project', 'session', 'tags']

/** What an administrator says of a new key. */
export type KeyDraft = Omit<GatewayKey, 'id' | 'hint' | 'createdAt' | 'revokedAt'>

/**
 * Where keys live. Every change counts up the version of keys, by which other gateways learn of it.
 * DependencyUnavailable where the store cannot be reached.
 */
export interface KeyStore {
  insert (draft: KeyDraft, hash: Buffer, hint: string): Promise<GatewayKey>
  /** revoked ones too, the oldest first */
  list (): Promise<GatewayKey[]>
  get (id: string): Promise<GatewayKey | null>
  /** for good, and once; null: there is no such key */
  revoke (id: string): Promise<GatewayKey | null>
  /** revoked ones too */
  byHash (hash: Buffer): Promise<GatewayKey | null>
}

/** One more key. `secret` is in this answer and nowhere else ever after. */
export async function createKey (store: Pick<KeyStore, 'insert'>, draft: KeyDraft): Promise<{ key: GatewayKey, secret: string }> {
  const secret = makeSecret('rk')
  const key = await store.insert(draft, hashSecret(secret), hintOf(secret))
  return { key, secret }
}
