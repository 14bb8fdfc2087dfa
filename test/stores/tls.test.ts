import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parseRedisUrl } from '../../src/redis-address.ts'
import { Database } from '../../src/stores/postgres/pool.ts'
import { postgresUrl, redisUrl } from '../services/index.ts'

/** What stands before both servers and speaks TLS with a certificate that no public authority has signed. */
const CA = join(import.meta.dirname, '../../../test/fixtures/tls/self-signed-cert.pem')
const [key, cert] = ['key', 'cert'].map((name) => readFileSync(CA.replace('cert.pem', `${name}.pem`)))
/** of the request for TLS that precedes PostgreSQL's protocol, https://www.postgresql.org/docs/current/protocol-message-formats.html */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/** what the doctor hears of the Redis that its argument names */
const PROGRAM = `
  const { diagnoseRedis } = await import(${JSON.stringify(new URL('../../src/stores/redis/diagnosis.js', import.meta.url))})
  console.log(JSON.stringify(await diagnoseRedis(process.argv[1])))`

interface Front { port: number, encrypted: number }

/** `greet`: what is said before TLS begins */
async function aFront (t: Test, target: string | number, greet: (socket: Socket) => Promise<void>): Promise<Front> {
  const sockets = new Set<Socket>()
  const front = { port: 0, encrypted: 0 }
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    void greet(socket).then(() => {
      const secure = new TLSSocket(socket, { isServer: true, key, cert })
      const behind = typeof target === 'string' ? connect(target) : connect(target, '127.0.0.1')
      sockets.add(behind)
      behind.on('error', () => { secure.destroy() })
      secure.on('error', () => { behind.destroy() })
      secure.on('secure', () => { front.encrypted++ })
      secure.pipe(behind).pipe(secure)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  front.port = (server.address() as AddressInfo).port
  return front
}

async function askedForTls (socket: Socket): Promise<void> {
  const [first] = await once(socket, 'data') as [Buffer]
  if (!first.equals(SSL_REQUEST)) throw new Error('it began without TLS')
  socket.write('S')
}

t.test('PostgreSQL over TLS: only a certificate that was vouched for is taken, and nothing is said in the open', async (t) => {
  const { username, password, pathname, hostname, port } = new URL(await postgresUrl((stop) => { t.teardown(stop) }))
  const host = decodeURIComponent(hostname)
  const front = await aFront(t, host.startsWith('/') ? join(host, '.s.PGSQL.5432') : Number(port), askedForTls)
  const database = (query: string) => {
    const connectionString = `postgres://${username}:${password}@127.0.0.1:${front.port}${pathname}?${query}`
    const made = new Database({ connectionString, max: 1 })
    t.teardown(() => made.close())
    return made
  }
  await t.rejects(database('sslmode=verify-full').query({ text: 'select 1' }), { message: /self-signed certificate/ })
  front.encrypted = 0
  t.same(await database(`sslmode=verify-full&sslrootcert=${encodeURIComponent(CA)}`).query({ text: 'select 1 as one' }), [{ one: 1 }])
  t.equal(front.encrypted, 1)
})

t.test('Redis over TLS: only a certificate that was vouched for is taken', async (t) => {
  const given = await redisUrl((stop) => { t.teardown(stop) })
  const target = given.startsWith('/') ? given : parseRedisUrl(given).hosts[0]?.port ?? 0
  const front = await aFront(t, target, async () => {})
  // the authorities of a process are those that it began with
  const diagnose = async (env: Record<string, string>): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM, `rediss://127.0.0.1:${front.port}`],
      { env: { ...process.env, ...env } })
    return JSON.parse(stdout)
  }
  t.match(await diagnose({ NODE_EXTRA_CA_CERTS: '' }), /self-signed certificate/)
  t.match(await diagnose({ NODE_EXTRA_CA_CERTS: CA }), { name: /Redis|Valkey/, role: 'master' })
})
