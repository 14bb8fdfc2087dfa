import { type AdminToken } from './admin-tokens.ts'
import { type GatewayKey } from './key.ts'

/** Keys and tokens as the admin API shows them: times in RFC 3339 UTC, secrets nowhere. */
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

export function renderToken ({ reach, expiresAt, createdAt, revokedAt, ...rest }: AdminToken) {
  const time = (at: number | null) => at === null ? null : new Date(at).toISOString()
  const of = (type: string) => reach?.scope?.type === type ? reach.scope.id : null
  return {
    ...rest,
    reach: reach === null ? null : { organizationId: reach.organizationId, teamId: of('team'), projectId: of('project') },
    expiresAt: time(expiresAt),
    createdAt: new Date(createdAt).toISOString(),
    revokedAt: time(revokedAt),
  }
}
