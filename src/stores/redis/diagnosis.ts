import { type RedisFacts } from '../../doctor/redis.ts'
import { systemNow } from '../../clock.ts'
import { parseRedisUrl } from '../../redis-address.ts'
import { RedisConnection } from './connection.ts'

const DEADLINE_MS = 2_000

/** What a doctor wants to know of a Redis; a text: why it does not answer. */
export async function diagnoseRedis (url: string): Promise<RedisFacts | string> {
  const address = parseRedisUrl(url)
  let why = 'no answer in time'
  const connection = new RedisConnection({
    url, deadlineMs: DEADLINE_MS, onReady: () => undefined, onLost: (message) => { why = message },
  })
  try {
    await connection.connect()
    const before = systemNow()
    const replies = await connection.batch([['time'], ['info']])
    if (replies === null) return why
    const [[, time], [refused, info]] = replies as [[unknown, [string, string]], [Error | null, string]]
    if (refused !== null) return refused.message
    const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
    const [seconds = '0', micros = '0'] = time
    const valkey = field('valkey_version')
    return {
      name: valkey === '' ? 'Redis' : 'Valkey',
      version: valkey === '' ? field('redis_version') : valkey,
      role: field('role'),
      maxMemory: Number(field('maxmemory')),
      usedMemory: Number(field('used_memory')),
      policy: field('maxmemory_policy'),
      aheadMs: Number(seconds) * 1000 + Number(micros) / 1000 - (before + systemNow()) / 2,
      plain: !address.tls && address.hosts.some(({ host }) => !/^(localhost$|127\.|::1$)/.test(host)),
    }
  } finally {
    connection.close()
  }
}
