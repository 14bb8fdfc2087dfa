import { type GatewayKey } from './key.ts'

/** The key as the admin API shows it: times in RFC 3339 UTC. */
export function renderKey (key: GatewayKey) {
  const time = (at: number | null) => at === null ? null : new Date(at).toISOString()
  return {
    ...key,
    disabled: key.disabledAt !== null,
    expiresAt: time(key.expiresAt),
    disabledAt: time(key.disabledAt),
    createdAt: new Date(key.createdAt).toISOString(),
    updatedAt: new Date(key.updatedAt).toISOString(),
    revokedAt: time(key.revokedAt),
  }
}
