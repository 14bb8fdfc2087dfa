/**
 * A database of its own for each test, on the server that TEST_DATABASE_URL names (its user must be allowed to create
 * databases and roles); without one, on a server of this process's own.
 */
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import root, { type Test } from 'tap'
import pg from 'pg'
import { launchPostgres } from '../../../src/stores/postgres/launcher.ts'
import { migrate } from '../../../src/stores/postgres/migrate.ts'

let server: Promise<string> | undefined
/** Made once per process; the others are copies of it. */
let template: Promise<string> | undefined

/** A connection string. */
export async function anEmptyDatabase (t: Test): Promise<string> {
  return await create(t, '')
}

export async function aDatabase (t: Test): Promise<string> {
  template ??= migrated()
  return await create(t, `template ${await template}`)
}

async function create (t: Test, how: string): Promise<string> {
  const name = aName()
  await onServer(`create database ${name} ${how}`)
  t.teardown(() => onServer(`drop database ${name} with (force)`))
  return await urlOf(name)
}

async function migrated (): Promise<string> {
  const name = aName()
  await onServer(`create database ${name}`)
  root.teardown(() => onServer(`drop database ${name} with (force)`))
  await migrate(await urlOf(name))
  return name
}

function aName (): string {
  return `t_${randomUUID().replaceAll('-', '')}`
}

async function urlOf (name: string): Promise<string> {
  const url = new URL(await serverUrl())
  url.pathname = `/${name}`
  return url.href
}

function serverUrl (): Promise<string> {
  const given = process.env['TEST_DATABASE_URL']
  server ??= given === undefined ? launched() : Promise.resolve(given)
  return server
}

async function launched (): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-test-'))
  // As root, the server runs as another user, who must get through to its own folder.
  chmodSync(folder, 0o711)
  const postgres = await launchPostgres({ folder: join(folder, 'postgres'), durability: 'off' })
  root.teardown(async () => {
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return postgres.url
}

async function onServer (sql: string): Promise<void> {
  const client = new pg.Client(await serverUrl())
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
