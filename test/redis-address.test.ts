import t from 'tap'
import { loadConfig } from '../src/config.ts'
import { parseRedisUrl } from '../src/redis-address.ts'

t.test('one server, sentinels and a cluster, with and without TLS, as Redis or as Valkey', async (t) => {
  const plain = { tls: false, database: 0, name: '' }
  for (const [url, address] of [
    ['redis://cache', { ...plain, topology: 'server', hosts: [{ host: 'cache', port: 6_379 }] }],
    ['valkeys://me:s%40cret%2F:x@cache:7000/3', {
      topology: 'server', hosts: [{ host: 'cache', port: 7_000 }], tls: true, username: 'me', password: 's@cret/:x', database: 3, name: '',
    }],
    ['redis://:secret@[::1]:6380', { ...plain, topology: 'server', hosts: [{ host: '::1', port: 6_380 }], password: 'secret' }],
    ['redis+sentinel://:a@one,two:26380/my%20primary/2?sentinelUsername=s&sentinelPassword=t%26u', {
      ...plain,
      topology: 'sentinel',
      hosts: [{ host: 'one', port: 26_379 }, { host: 'two', port: 26_380 }],
      password: 'a',
      name: 'my primary',
      database: 2,
      sentinelUsername: 's',
      sentinelPassword: 't&u',
    }],
    ['rediss+cluster://u:p@a,b:7001,[fe80::1]:7002/', {
      topology: 'cluster',
      hosts: [{ host: 'a', port: 6_379 }, { host: 'b', port: 7_001 }, { host: 'fe80::1', port: 7_002 }],
      tls: true,
      username: 'u',
      password: 'p',
      database: 0,
      name: '',
    }],
  ] as const) t.strictSame(parseRedisUrl(url), address, url)
})

t.test('what is wrong is named with what would be right, and no password is shown', async (t) => {
  for (const [url, message] of [
    ['http://a', /^REDIS_URL must be a URL: redis:\/\/host:6379, redis\+sentinel:.*got something else \(not shown\)$/],
    ['redis+other://a', /^REDIS_URL must be a URL/],
    ['redis://', /^REDIS_URL must be a URL.*@ is written %40/],
    ['redis://me:sec/ret@a', /^REDIS_URL must be a URL.*@ is written %40/],
    ['redis://me:secret@a:70000', /^REDIS_URL must be a URL/],
    ['redis://:%zzsecret@a', /^REDIS_URL has a percent sign/],
    ['redis://a,b', /^REDIS_URL names several servers: redis\+cluster/],
    ['redis://a/b', /^REDIS_URL must end with the number of a database/],
    ['redis://a/1/2', /^REDIS_URL must end with the number of a database/],
    ['redis+cluster://a/1', /^REDIS_URL must name no database/],
    ['redis+sentinel://a:26379', /^REDIS_URL must say what the sentinels call the primary/],
    ['redis://a?sentinelPassword=secret', /^REDIS_URL has "sentinelPassword" after its question mark/],
  ] as const) {
    t.throws(() => loadConfig({ REDIS_URL: url }), { message }, url)
    t.throws(() => loadConfig({ REDIS_URL: url }), { message: /^(?!.*(secret|sec\/)).*$/ }, url)
  }
  t.equal(loadConfig({ REDIS_URL: 'redis+cluster://a,b' }).redisUrl, 'redis+cluster://a,b')
})
