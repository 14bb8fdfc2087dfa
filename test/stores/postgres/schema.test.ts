/**
 * sql/schema.sql is what the migrations make. After a change of them this test writes it:
 * WRITE_SCHEMA=1 node out/test/stores/postgres/schema.test.js
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import pg from 'pg'
import { sqlDirectory } from '../../../src/stores/postgres/migrate.ts'
import { aDatabase } from './database.ts'
import { schemaText } from './schema-text.ts'

t.test('a fresh database has the schema of sql/schema.sql', async (t) => {
  const client = new pg.Client(await aDatabase(t))
  await client.connect()
  t.teardown(() => client.end())
  const file = join(sqlDirectory(), 'schema.sql')

  const made = await schemaText(client)
  if (process.env['WRITE_SCHEMA'] === '1') await writeFile(file, made)

  t.equal(made, await readFile(file, 'utf8'))
})
