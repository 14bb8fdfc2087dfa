import Fastify, { type FastifyInstance } from 'fastify'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import root, { type Test } from 'tap'
import { malformedRequests, relaycore } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { Core } from '../../src/core.ts'
import { startDemoProvider } from '../../src/providers/demo/server.ts'
import { startProvider, type TestProvider } from '../provider/provider.ts'
import { aDatabase } from '../stores/postgres/database.ts'

export interface ChatAnswer { status: number, headers: Headers, text: string, json: Json }

export interface AdminAnswer { status: number, headers: Headers, body: Json }

/** what a test looks into, member by member */
export type Json = Record<string, unknown>

/** A whole gateway in this process, on a database of its own, in front of a provider that keeps its own books. */
export interface GatewayUnderTest {
  url: string
  core: Core
  app: FastifyInstance
  provider: TestProvider
  dataDir: string
  /** of the admin API: method and path */
  routes: string[]
  logs: string[]
  fatal: Error[]
  /** that of the budgets and keys made here */
  organizationId: string
  admin (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<AdminAnswer>
  budget (fields?: object): Promise<string>
  key (fields?: object): Promise<string>
  /** a chat completion without an SDK */
  chat (key: string, body: string | object, headers?: Record<string, string>): Promise<ChatAnswer>
  /** all usage events, once everything that ended is recorded */
  events (): Promise<Record<string, unknown>[]>
}

export const CHAT = { model: 'gpt-4o', max_tokens: 50, messages: [] }

export const ADMIN = 'an-admin-token-for-tests'

export async function aGateway (t: Test, env: Record<string, string> = {}): Promise<GatewayUnderTest> {
  const provider = await startProvider()
  t.teardown(() => provider.close())
  const demo = await startDemoProvider({ gapMs: 0 })
  t.teardown(() => demo.close())
  const dataDir = mkdtempSync(join(tmpdir(), 'relaycore-e2e-'))
  const config = loadConfig({
    RELAYCORE_DATA_DIR: dataDir,
    DATABASE_URL: await aDatabase(t),
    RELAYCORE_ADMIN_TOKEN: ADMIN,
    RELAYCORE_OPENAI_BASE_URL: provider.url,
    RELAYCORE_OPENAI_API_KEY: 'openai-secret',
    RELAYCORE_ANTHROPIC_BASE_URL: `${provider.url}/v1/`,
    RELAYCORE_ANTHROPIC_API_KEY: 'anthropic-secret',
    ...env,
  })
  const logs: string[] = []
  const fatal: Error[] = []
  const note = (details: object, message: string) => { logs.push(JSON.stringify({ message, ...details })) }
  const log = { info: note, warn: note, error: note, fatal: note }
  const core = await Core.open({ config, log, onFatal: (error) => { fatal.push(error) } })
  const app = Fastify({
    forceCloseConnections: true,
    return503OnClosing: false,
    frameworkErrors: malformedRequests(core),
    // what fails inside is told to the log alone
    logger: { level: 'error', stream: { write: (line) => { logs.push(line) } } },
  })
  t.teardown(async () => {
    await app.close()
    await core.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => {
    if (url.startsWith('/api/')) for (const one of [method].flat()) routes.push(`${one} ${url}`)
  })
  await app.register(relaycore, { core, demoUrl: demo.url })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`

  const admin: GatewayUnderTest['admin'] = async (method, path, body, headers = {}) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN}`, ...type, ...headers },
      ...body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) },
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Json }
  }
  const made = async (path: string, body: object): Promise<Json> => {
    const answer = await admin('POST', path, body)
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    return answer.body
  }
  return {
    url,
    core,
    app,
    provider,
    dataDir,
    routes,
    logs,
    fatal,
    organizationId: 'acme',
    admin,
    budget: async (fields = {}) => String((await made('/budgets', {
      name: 'b', scopeType: 'organization', scopeId: 'acme', amount: '10', currency: 'USD', period: 'monthly', ...fields,
    }))['id']),
    key: async (fields = {}) => String((await made('/keys', { name: 'k', organizationId: 'acme', ...fields }))['key']),
    chat: async (key, body, headers = {}) => {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify({ ...CHAT, ...body }),
      })
      const text = await response.text()
      const json = (text.startsWith('{') ? JSON.parse(text) : {}) as Json
      return { status: response.status, headers: response.headers, text, json }
    },
    events: async () => {
      const deadline = Date.now() + 10_000
      while (core.gate.openCalls > 0 || core.writer.backlog > 0) {
        if (Date.now() > deadline) throw new Error('calls stay open or unrecorded')
        await wait(10)
      }
      // the end of a call is added to the backlog once it is in the journal
      await wait(150)
      return await core.database.query({ text: 'select * from usage_events order by id' })
    },
  }
}

let shared: Promise<GatewayUnderTest> | undefined
let organizations = 0

/**
 * For tests that are about one organization: the gateway, its database and its provider are those of this process.
 * Budgets, keys and events are the organization's, what the provider does and has in its books begins anew. Whoever
 * asks about everything there is, or changes what is not an organization's, starts a gateway of their own.
 */
export async function anOrganization (): Promise<GatewayUnderTest> {
  shared ??= aGateway(root)
  const gateway = await shared
  const organizationId = `acme-${++organizations}`
  gateway.provider.behave = undefined
  gateway.provider.books.length = 0
  gateway.logs.length = 0
  return {
    ...gateway,
    organizationId,
    budget: async (fields = {}) => await gateway.budget({ scopeId: organizationId, ...fields }),
    key: async (fields = {}) => await gateway.key({ organizationId, ...fields }),
    events: async () => (await gateway.events()).filter((event) => event['organization_id'] === organizationId),
  }
}
