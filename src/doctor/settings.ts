import { ok, problem, warning, type Finding } from './finding.ts'

export interface SettingsFacts {
  host: string
  port: number
  adminHost: string | null
  adminPort: number | null
  metricsToken: boolean
  behindProxy: boolean
  hasRedis: boolean
  /** gateways that answer, as far as is known */
  gateways: number
  /** reached: null: not tried; '': it answers; else why not */
  providers: { name: string, configured: boolean, reached: string | null }[]
  /** how each port is: ours answers, free, or why it cannot be listened on */
  ports: { port: number, is: 'ours' | 'free' | string }[]
  /** ready: null; else why calls are refused */
  notReady: string | null
  oldPrices: number
  missingPrices: string[]
}

const LOOPBACK = /^(127\.|::1$|localhost$)/

export function judgeSettings (facts: SettingsFacts): Finding[] {
  const { host, adminHost, adminPort, metricsToken, behindProxy, hasRedis, gateways, providers, ports } = facts
  const about = 'settings'
  const found = [ok(about, 'they can be read')]
  const isOpen = !LOOPBACK.test(host)
  if (isOpen && !behindProxy) {
    found.push(warning(about, `HOST is ${host}: gateway keys come over the network as they are`,
      'put a reverse proxy with TLS in front, and set RELAYCORE_TRUST_PROXY to its address'))
  }
  if (isOpen && adminPort === null) {
    found.push(warning(about, 'the admin API is on the port that clients use', 'give it one of its own: RELAYCORE_ADMIN_PORT, with RELAYCORE_ADMIN_HOST'))
  }
  if (!metricsToken && !LOOPBACK.test(adminPort === null ? host : adminHost ?? host)) {
    found.push(warning(about, '/metrics is open to everybody, with names of budgets', 'set RELAYCORE_METRICS_TOKEN'))
  }
  if (!hasRedis && gateways > 1) {
    found.push(warning('Redis', `${gateways} gateways answer, and this one has no REDIS_URL`, 'set it on all of them: else they know nothing of each other but what PostgreSQL says'))
  }
  for (const { port, is } of ports) {
    if (is === 'ours') found.push(ok('port', `a gateway answers on ${port}`))
    else if (is === 'free') found.push(ok('port', `${port} is free: no gateway runs here`))
    else found.push(problem('port', `${port}: ${is}`, 'set PORT (or RELAYCORE_ADMIN_PORT) to another one'))
  }
  if (facts.notReady !== null) found.push(problem('port', `the gateway refuses calls: ${facts.notReady}`, 'see its log'))
  return [...found, ...judgeProviders(providers), ...judgePrices(facts)]
}

function judgeProviders (providers: SettingsFacts['providers']): Finding[] {
  const about = 'providers'
  const set = providers.filter(({ configured }) => configured)
  const found = set.length > 0
    ? [ok(about, `credentials are set for ${set.map(({ name }) => name).join(', ')}`)]
    : [warning(about, 'no provider has a credential: the demo models alone work', 'set e.g. RELAYCORE_OPENAI_API_KEY')]
  for (const { name, reached } of set) {
    if (reached === null) continue
    found.push(reached === '' ? ok(about, `${name} can be reached`) : problem(about, `${name} cannot be reached: ${reached}`, 'look at its address, at DNS and at what the network lets through'))
  }
  return found
}

function judgePrices ({ oldPrices, missingPrices }: SettingsFacts): Finding[] {
  const about = 'prices'
  const found: Finding[] = []
  if (oldPrices > 0) {
    found.push(warning(about, `prices of ${oldPrices} providers were not looked at for 90 days`, '`relaycore prices check` says which; a newer version has newer ones'))
  } else found.push(ok(about, 'all were looked at within 90 days'))
  for (const says of missingPrices) found.push(warning(about, says, 'add a price, or correct the name in the settings'))
  return found
}
