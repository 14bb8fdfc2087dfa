import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the benches have a gateway do: five budgets on each call, on the embedded default. */
export const ADMIN_TOKEN = 'bench-admin-token-of-this-run'
const ORGANIZATION = 'bench'

/** A data folder for one run, and how to remove it. */
export function dataFolder (): { dataDir: string, remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-bench-'))
  // as root the database runs as another user, who must pass through
  if (process.getuid?.() === 0) chmodSync(folder, 0o711)
  return { dataDir: join(folder, 'data'), remove: () => { rmSync(folder, { recursive: true, force: true }) } }
}

export function settings (dataDir: string, providerUrl: string): Record<string, string> {
  return {
    RELAYCORE_DATA_DIR: dataDir,
    RELAYCORE_ADMIN_TOKEN: ADMIN_TOKEN,
    RELAYCORE_OPENAI_BASE_URL: providerUrl,
    RELAYCORE_OPENAI_API_KEY: 'sk-bench',
    PORT: '0',
  }
}

/** five budgets that apply to every call, and a key whose calls they apply to */
export async function budgets (url: string): Promise<string> {
  const common = { organizationId: ORGANIZATION, amount: '1000000', currency: 'USD', period: 'monthly' }
  const scopes = [['organization', ORGANIZATION], ['team', 'team'], ['project', 'project'], ['user', 'user']]
  for (const [scopeType, scopeId] of scopes) {
    await post(url, '/budgets', { ...common, name: `bench ${scopeType}`, scopeType, scopeId })
  }
  await post(url, '/budgets', {
    ...common, name: 'bench daily', period: 'daily', scopeType: 'organization', scopeId: ORGANIZATION,
  })
  const { key } = await post<{ key: string }>(url, '/keys', {
    name: 'bench', organizationId: ORGANIZATION, teamId: 'team', projectId: 'project', userId: 'user',
  })
  return key
}

async function post<T> (url: string, path: string, body: object): Promise<T> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.status !== 201) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`)
  return await response.json() as T
}

/** about as many as an official SDK sends */
export function headers (key: string): Record<string, string> {
  return {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'OpenAI/JS 6.0.0',
    'x-stainless-lang': 'js',
    'x-stainless-os': 'Linux',
    'x-stainless-retry-count': '0',
    connection: 'keep-alive',
  }
}

export function median (list: number[]): number {
  const sorted = list.toSorted((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? NaN) + (sorted[sorted.length >> 1] ?? NaN)) / 2
}
