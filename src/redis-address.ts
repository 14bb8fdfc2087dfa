/**
 * Where Redis or Valkey is, as one URL says it:
 * - `redis://user:password@host:6379/0`: one server, or whatever stands for one under a fixed address;
 * - `redis+sentinel://user:password@host:26379,host:26379/NAME/0`: the primary that these sentinels call NAME;
 * - `redis+cluster://user:password@host:6379,host:6379`: a cluster that has these nodes among others.
 * `rediss` instead of `redis`: over TLS, all of it. `valkey` and `valkeys` mean the same.
 */
export interface RedisAddress {
  topology: 'server' | 'sentinel' | 'cluster'
  /** of the server, the sentinels, or the nodes that are asked for the others */
  hosts: { host: string, port: number }[]
  tls: boolean
  username?: string
  password?: string
  database: number
  /** what sentinels call the primary; else empty */
  name: string
  /** of the sentinels themselves */
  sentinelUsername?: string
  sentinelPassword?: string
}

export const REDIS_SCHEME = '^(redis|valkey)s?(\\+(sentinel|cluster))?://'
export const REDIS_FORMS = 'a URL: redis://host:6379, redis+sentinel://host:26379,host:26379/NAME or ' +
  'redis+cluster://host:6379,host:6379; rediss for TLS'

const MALFORMED = `must be ${REDIS_FORMS}; in names and passwords, @ is written %40, / %2F, % %25`
const URL_PARTS = new RegExp('^(?:redis|valkey)(s?)(?:\\+(sentinel|cluster))?://' +
  '(?:([^@/?]*)@)?([^@/?]*)(?:/([^?]*))?(?:\\?(.*))?$')
const PORTS = { server: 6_379, sentinel: 26_379, cluster: 6_379 }

/** Throws what is wrong and how it should be, for after the setting's name; never a password. */
export function parseRedisUrl (url: string): RedisAddress {
  const parts = URL_PARTS.exec(url)
  if (parts === null) throw new Error(MALFORMED)
  const [, secure, kind, who, hosts = '', path = '', query] = parts
  const topology = kind === 'sentinel' || kind === 'cluster' ? kind : 'server'
  const [username, password] = (who ?? '').split(/:(.*)/s, 2).map(decoded)
  const address: RedisAddress = {
    topology,
    hosts: hosts.split(',').map((one) => hostOf(one, PORTS[topology])),
    tls: secure === 's',
    ...username === undefined || username === '' ? {} : { username },
    ...password === undefined ? {} : { password },
    ...pathOf(path, topology),
    ...queryOf(query, topology),
  }
  if (topology === 'server' && address.hosts.length > 1) {
    throw new Error('names several servers: redis+cluster:// if they are a cluster, redis+sentinel:// if they are sentinels')
  }
  return address
}

function hostOf (text: string, elsePort: number): { host: string, port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? elsePort : Number(digits)
  if (host === undefined || port < 1 || port > 65_535) {
    // not shown: it may be part of a password that was written as it is
    throw new Error(MALFORMED)
  }
  return { host, port }
}

function pathOf (path: string, topology: RedisAddress['topology']): { name: string, database: number } {
  const parts = path === '' ? [] : path.split('/')
  const name = topology === 'sentinel' ? decoded(parts.shift() ?? '') : ''
  if (topology === 'sentinel' && name === '') {
    throw new Error('must say what the sentinels call the primary: redis+sentinel://host:26379,host:26379/NAME')
  }
  const [database = '0', ...more] = parts
  if (!/^\d{1,4}$/.test(database) || more.length > 0) {
    throw new Error('must end with the number of a database, or nothing, after its last slash')
  }
  if (topology === 'cluster' && database !== '0') throw new Error('must name no database: a cluster has one only')
  return { name, database: Number(database) }
}

function queryOf (query: string | undefined, topology: RedisAddress['topology']): Partial<RedisAddress> {
  const found: Partial<RedisAddress> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    if (topology !== 'sentinel' || (name !== 'sentinelUsername' && name !== 'sentinelPassword')) {
      throw new Error(`has ${JSON.stringify(name).slice(0, 40)} after its question mark; only redis+sentinel:// has anything ` +
        'there: sentinelUsername, sentinelPassword')
    }
    found[name] = value
  }
  return found
}

function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('has a percent sign that is not followed by two hex digits: it is written %25')
  }
}
