/** A migrated database of its own for each test, on the server that TEST_DATABASE_URL names. */
import { randomUUID } from 'node:crypto'
import root, { type Test } from 'tap'
import pg from 'pg'
import { migrate } from '../../../src/stores/postgres/migrate.ts'

const SERVER = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'

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
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await onServer(`create database ${name} ${how}`)
  t.teardown(() => onServer(`drop database ${name} with (force)`))
  return urlOf(name)
}

async function migrated (): Promise<string> {
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await onServer(`create database ${name}`)
  root.teardown(() => onServer(`drop database ${name} with (force)`))
  await migrate(urlOf(name))
  return name
}

function urlOf (name: string): string {
  const url = new URL(SERVER)
  url.pathname = `/${name}`
  return url.href
}

async function onServer (sql: string): Promise<void> {
  const client = new pg.Client(SERVER)
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
