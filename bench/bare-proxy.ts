import httpProxy from '@fastify/http-proxy'
import Fastify from 'fastify'
import { type AddressInfo } from 'node:net'
import { serve, type Used } from './control.ts'

/** What the gateway is compared with: `@fastify/http-proxy` as its README shows it, and nothing else. */
const app = Fastify({ bodyLimit: 32 * 1024 * 1024 })
await app.register(httpProxy, { upstream: process.argv[2] ?? '', prefix: '/v1', rewritePrefix: '/v1' })
await app.listen({ host: '127.0.0.1', port: 0 })
const { port } = app.server.address() as AddressInfo

serve({ url: `http://127.0.0.1:${port}` }, async (): Promise<Used> => {
  const { user, system } = process.cpuUsage()
  return { cpuMicros: user + system, queries: 0, posts: 0, redis: 0 }
}, () => app.close())
