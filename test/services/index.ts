import { resolve } from 'node:path'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'

/**
 * What the tests of this process run on: the services that `npm test` started once for all, or, where one test file is
 * run by itself, private ones of its own.
 */
export const POSTGRES_ENV = 'RELAYCORE_TEST_PG'
export const REDIS_ENV = 'RELAYCORE_TEST_REDIS'
/** name of a migrated database on the PostgreSQL of `npm test` */
export const TEMPLATE_ENV = 'RELAYCORE_TEST_TEMPLATE'
/** the program as it is shipped, which `npm test` made once for all */
export const PROGRAM_ENV = 'RELAYCORE_TEST_PROGRAM'
/** all test files of an `npm test`, and the folder that says which of them a process of it has taken */
export const FILES_ENV = 'RELAYCORE_TEST_FILES'
export const TAKEN_ENV = 'RELAYCORE_TEST_TAKEN'
/** for how long that process takes files, ms */
export const UNTIL_ENV = 'RELAYCORE_TEST_UNTIL'

type AtEnd = (stop: () => Promise<void>) => void

/** what a gateway's process runs; where one test file is run by itself, the program as it is compiled */
export const PROGRAM = process.env[PROGRAM_ENV] ?? resolve(import.meta.dirname, '../../src/cli.js')

let postgres: Promise<string> | undefined
let redis: Promise<string> | undefined

export async function postgresUrl (atEnd: AtEnd): Promise<string> {
  const given = process.env[POSTGRES_ENV]
  if (given !== undefined) return given
  postgres ??= startPostgres().then(({ url, stop }) => {
    atEnd(stop)
    return url
  })
  return await postgres
}

/** path of a Unix socket, or a URL */
export async function redisUrl (atEnd: AtEnd): Promise<string> {
  const given = process.env[REDIS_ENV]
  if (given !== undefined) return given
  redis ??= startRedis().then(({ socket, stop }) => {
    atEnd(stop)
    return socket
  })
  return await redis
}
