import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { migrate } from '../src/stores/postgres/migrate.ts'
import { POSTGRES_ENV, PROGRAM_ENV, REDIS_ENV, TEMPLATE_ENV } from './services/index.ts'
import { startPostgres } from './services/postgres.ts'
import { startRedis } from './services/redis.ts'

/** `npm test`: starts a private PostgreSQL and a private Redis for the run, runs the tests on them, and stops them. */
const stops: (() => Promise<void>)[] = []

async function services (): Promise<Record<string, string>> {
  const env: Record<string, string> = {}
  if (process.env[POSTGRES_ENV] === undefined) {
    const postgres = await startPostgres()
    stops.push(postgres.stop)
    env[POSTGRES_ENV] = postgres.url
    env[TEMPLATE_ENV] = await makeTemplate(postgres.url)
  }
  if (process.env[REDIS_ENV] === undefined) {
    const redis = await startRedis()
    stops.push(redis.stop)
    env[REDIS_ENV] = redis.socket
  }
  env[PROGRAM_ENV] = await makeProgram()
  return env
}

/** what starts most often in the tests: as it is shipped it starts in less than half the time */
async function makeProgram (): Promise<string> {
  const out = dirname(import.meta.dirname)
  const { bundle } = await import(pathToFileURL(join(dirname(out), 'bundle.mjs')).href) as
    { bundle (folder: string): Promise<string> }
  return await bundle(out)
}

/** migrated once; a copy costs each test less than a migration */
async function makeTemplate (server: string): Promise<string> {
  const name = 'relaycore_template'
  const client = new pg.Client(server)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  await migrate(server.replace(/\/[^/?]*(\?|$)/, `/${name}$1`))
  return name
}

async function tests (env: Record<string, string>): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'all.js'), ...process.argv.slice(2)], {
    stdio: 'inherit', env: { ...process.env, ...env },
  })
  const pass = (signal: NodeJS.Signals) => { child.kill(signal) }
  process.on('SIGINT', pass).on('SIGTERM', pass)
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => { resolve(code ?? 1) })
  })
}

try {
  console.log('Starting a private PostgreSQL and a private Redis for the tests')
  process.exitCode = await tests(await services())
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  for (const stop of stops) await stop()
}
