import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Test } from 'tap'
import { startProvider, type TestProvider } from '../provider/provider.ts'
import { PROGRAM } from '../services/index.ts'
import { aDatabase } from '../stores/postgres/database.ts'
import { freePort } from '../services/free-port.ts'

/** A gateway as users start it, and all places in which it could leave something behind. */
export interface GatewayProcess {
  url: string
  port: number
  databaseUrl: string
  provider: TestProvider
  admin (
    method: string, path: string, body?: object, headers?: Record<string, string>
  ): Promise<Record<string, unknown>>
  /** of standard output and error, so far */
  output (): string
  /** what its data folder holds, file by file */
  files (): [name: string, content: string][]
  /** by SIGTERM, until it has ended */
  stop (): Promise<void>
}

export const SECRETS = { admin: 'admin-canary-9f2c71', provider: 'provider-canary-4b1d08', metrics: 'metrics-canary-77aa30' }

export async function aGatewayProcess (t: Test, env: Record<string, string> = {}): Promise<GatewayProcess> {
  const provider = await startProvider()
  t.teardown(() => provider.close())
  const dataDir = mkdtempSync(join(tmpdir(), 'relaycore-security-'))
  t.teardown(() => { rmSync(dataDir, { recursive: true, force: true }) })
  const databaseUrl = await aDatabase(t)
  const port = await freePort()
  const child = spawn(process.execPath, [PROGRAM, 'start'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      RELAYCORE_DATA_DIR: dataDir,
      RELAYCORE_LOG_LEVEL: 'trace',
      RELAYCORE_ADMIN_TOKEN: SECRETS.admin,
      RELAYCORE_METRICS_TOKEN: SECRETS.metrics,
      RELAYCORE_OPENAI_API_KEY: SECRETS.provider,
      RELAYCORE_OPENAI_BASE_URL: provider.url,
      ...env,
    },
  })
  const output: string[] = []
  child.stderr.on('data', (data) => { output.push(String(data)) })
  const lines = createInterface({ input: child.stdout })
  const listening = new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      output.push(line)
      if (line.includes(`127.0.0.1:${port}`)) resolve()
    })
    child.once('exit', () => { reject(new Error(output.join('\n'))) })
  })
  let ended = false
  const stop = async (): Promise<void> => {
    if (ended) return
    ended = true
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  }
  t.teardown(stop)
  await listening
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    databaseUrl,
    provider,
    admin: async (method, path, body, headers = {}) => {
      const answer = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${SECRETS.admin}`, ...body === undefined ? {} : { 'content-type': 'application/json' }, ...headers },
        ...body === undefined ? {} : { body: JSON.stringify(body) },
      })
      const text = await answer.text()
      if (answer.status >= 300) throw new Error(text)
      return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
    },
    output: () => output.join('\n'),
    files: () => readdirSync(dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(dataDir.length + 1), readFileSync(file, 'latin1')]),
    stop,
  }
}
