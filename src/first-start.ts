import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { defineBudget } from './budget/define.ts'
import { type Authorship } from './access/changes.ts'
import { AdminTokens } from './keys/admin-tokens.ts'
import { createKey } from './keys/key.ts'
import { type Core } from './core.ts'

/** where calls go, and where administration does */
export interface Addresses { url: string, adminUrl: string }

const ORGANIZATION = 'default'
const LOCK = "select pg_advisory_xact_lock(hashtext('relaycore first start'))"

export interface FirstStart {
  /** null: an administrator has one already */
  adminToken: string | null
  key: string
  file: string
}

const BY: Authorship = {
  actor: { id: 'first start', name: 'first start', role: 'system', reach: null }, requestId: null, from: hostname(),
}

const ANY = { includeRevoked: true, reach: null, limit: 1, total: false }

/**
 * On a ledger that nobody has used yet: an admin token, an organization budget of 100 USD a month, and a gateway key
 * for it. Of several gateways that start at once on one database, one does it. Null: it was done before.
 */
export async function firstStart (core: Core, at: Addresses): Promise<FirstStart | null> {
  return await core.database.transaction(async (tx) => {
    await tx.query({ text: LOCK })
    const used = (await core.budgets.list({ includeArchived: true, limit: 1 })).length > 0 ||
      (await core.keyStore.page(ANY)).keys.length > 0
    if (used) return null
    const administered = await core.adminTokens.any()
    const { adminToken, key } = await core.changes.run(BY, async ({ budgets, keys, tokens }) => {
      await budgets.insert(defineBudget({
        name: ORGANIZATION,
        scopeType: 'organization',
        scopeId: ORGANIZATION,
        amount: '100',
        currency: 'USD',
        period: 'monthly',
        createdBy: 'first start',
      }, Date.now()))
      const { secret } = await createKey(keys, {
        name: 'first start',
        organizationId: ORGANIZATION,
        teamId: null,
        projectId: null,
        userId: null,
        allowHeaders: ['user', 'team', 'project', 'session', 'tags'],
        requireHeaders: [],
      })
      const adminToken = administered ? null : await new AdminTokens({ store: tokens }).create('first start')
      return { adminToken, key: secret }
    })
    const file = join(core.config.dataDir, 'first-start.txt')
    writeFileSync(file, guide({ adminToken, key }, at), { mode: 0o600 })
    return { adminToken, key, file }
  })
}

/** what to paste; also in first-start.txt */
export function guide ({ adminToken, key }: Pick<FirstStart, 'adminToken' | 'key'>, { url, adminUrl }: Addresses): string {
  return `RelayCore Budget Gateway on ${url}${adminUrl === url ? '' : `, its admin API on ${adminUrl}`}

gateway key   ${key}
admin token   ${adminToken ?? 'as in RELAYCORE_ADMIN_TOKEN'}
budget        "default": 100 USD a month for organization "default"

Try it offline, with the built-in demo models:

  curl ${url}/v1/chat/completions \\
    -H 'authorization: Bearer ${key}' -H 'content-type: application/json' \\
    -d '{"model":"demo-small","max_tokens":50,"messages":[{"role":"user","content":"Hello"}]}'

  curl ${adminUrl}/api/v1/budgets -H 'authorization: Bearer ${adminToken ?? '<admin token>'}'

Point your SDK here (and set RELAYCORE_OPENAI_API_KEY or RELAYCORE_ANTHROPIC_API_KEY for the gateway):

  new OpenAI({ baseURL: '${url}/v1', apiKey: '${key}' })
  new Anthropic({ baseURL: '${url}', apiKey: '${key}' })
`
}
