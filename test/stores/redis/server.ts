import { type RedisServer, startRedisServer } from '../../services/redis-server.ts'

export { type RedisServer } from '../../services/redis-server.ts'

interface Tearing { teardown (fn: () => unknown): void }

/** stopped when the test ends */
export async function aRedisServer (t: Tearing, args: string[] = []): Promise<RedisServer> {
  const server = await startRedisServer(args)
  t.teardown(() => server.stop())
  return server
}
