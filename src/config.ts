import { readFileSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { extname, resolve } from 'node:path'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse as parseYaml } from 'yaml'
import { ALGORITHMS, isSafeUrl } from './access/issuer.ts'
import { Hosts } from './database-url.ts'
import { parseRedisUrl, REDIS_FORMS, REDIS_SCHEME } from './redis-address.ts'

/**
 * Settings: environment variables over one optional JSON or YAML file over defaults, by one schema. What is unknown or
 * malformed stops the start with its name, what was expected and what came. Secrets are never in a message.
 */

interface About {
  /** name of the environment variable */
  env: string
  description: string
  /** in words, for a message about what came instead */
  expected: string
  secret?: boolean
  /** the provider's own name of it, read where `env` is not set */
  elseEnv?: string
}

const text = (about: About) => Type.Optional(Type.String({ minLength: 1, maxLength: 4_096, ...about }))
const url = (about: Omit<About, 'expected'>) => Type.Optional(Type.String({
  pattern: '^https?://[^\\s/?#]+[^\\s?#]*$', expected: 'an http or https URL without a query', ...about,
}))
const whole = (minimum: number, maximum: number, preset: number, about: Omit<About, 'expected'>) =>
  Type.Integer({ minimum, maximum, default: preset, expected: `a whole number from ${minimum} to ${maximum}`, ...about })
const choice = <const T extends string[]>(values: [...T], preset: T[number], about: Omit<About, 'expected'>) =>
  Type.Enum(values, { default: preset, expected: values.join(' or '), ...about })

const claim = (preset: string, env: string, says: string) => Type.String({
  default: preset, minLength: 1, maxLength: 256, env, description: `claim that says: ${says}`, expected: 'the name of a claim',
})

/** Providers with settings of their own; `elseEnv`: the name that its own SDK reads. */
const PROVIDERS = {
  openai: { title: 'OpenAI', elseEnv: 'OPENAI_API_KEY', base: '/v1' },
  anthropic: { title: 'Anthropic', elseEnv: 'ANTHROPIC_API_KEY', base: '/v1' },
  azure: { title: 'Azure OpenAI', elseEnv: 'AZURE_OPENAI_API_KEY', base: '/openai' },
  gemini: { title: 'the Gemini API', elseEnv: 'GEMINI_API_KEY', base: '' },
  vertex: { title: 'Vertex AI', elseEnv: 'CLOUDSDK_AUTH_ACCESS_TOKEN', base: '' },
  bedrock: { title: 'Amazon Bedrock', elseEnv: 'AWS_BEARER_TOKEN_BEDROCK', base: '' },
  mistral: { title: 'Mistral', elseEnv: 'MISTRAL_API_KEY', base: '/v1' },
  groq: { title: 'Groq', elseEnv: 'GROQ_API_KEY', base: '/openai/v1' },
  openrouter: { title: 'OpenRouter', elseEnv: 'OPENROUTER_API_KEY', base: '/api/v1' },
  deepseek: { title: 'DeepSeek', elseEnv: 'DEEPSEEK_API_KEY', base: '' },
  xai: { title: 'xAI', elseEnv: 'XAI_API_KEY', base: '/v1' },
  cohere: { title: 'Cohere', elseEnv: 'CO_API_KEY', base: '' },
  ollama: { title: 'Ollama', elseEnv: 'OLLAMA_API_KEY', base: '/v1' },
  vllm: { title: 'vLLM', elseEnv: 'VLLM_API_KEY', base: '/v1' },
} as const

export type ProviderName = keyof typeof PROVIDERS

type SettingOf<Name extends ProviderName, What extends string> = `${Name}${What}`
type TOptionalString = ReturnType<typeof text>

const providerSettings = Object.fromEntries(Object.entries(PROVIDERS).flatMap(([name, { title, elseEnv, base }]) => [
  [`${name}BaseUrl`, url({
    env: `RELAYCORE_${name.toUpperCase()}_BASE_URL`,
    description: `address of ${title}, if not its own${base === '' ? '' : `; with or without ${base}`}`,
  })],
  [`${name}ApiKey`, text({
    env: `RELAYCORE_${name.toUpperCase()}_API_KEY`, elseEnv, description: `else ${elseEnv}`, expected: 'a key', secret: true,
  })],
])) as { [Name in ProviderName as SettingOf<Name, 'BaseUrl'> | SettingOf<Name, 'ApiKey'>]: TOptionalString }

const PROVIDER_NAME = '^[a-z][a-z0-9-]{0,39}$'
const UNMETERED = '^(GET|POST|PUT|PATCH|DELETE) /[a-z][a-z0-9-]*/[A-Za-z0-9._~:/-]+$'

const modelName = () => Type.String({ minLength: 1, maxLength: 200 })

/** One provider, of those that have settings of their own or any other. Secrets are named, not written. */
const Entry = Type.Object({
  url: Type.Optional(Type.String({ pattern: '^https?://[^\\s/?#]+[^\\s?#]*$' })),
  dialect: Type.Optional(Type.Enum(['openai', 'anthropic'])),
  /** name of the environment variable that holds its key */
  apiKeyEnv: Type.Optional(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' })),
  onDisconnect: Type.Optional(Type.Enum(['drain', 'abort'])),
  /** of Amazon Bedrock; the location of Vertex AI */
  region: Type.Optional(Type.String({ pattern: '^[a-z0-9-]{1,32}$' })),
  /** of Vertex AI */
  project: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9:.-]{0,99}$' })),
  /** what its names of models (deployments) are in the catalog */
  models: Type.Optional(Type.Record(modelName(), modelName())),
  /** the catalog's provider whose prices it has */
  pricesOf: Type.Optional(Type.String({ pattern: PROVIDER_NAME })),
  /** what becomes of calls of models that have no price */
  unknownModels: Type.Optional(Type.String({ pattern: '^(block|allowUnpriced|priceAs:[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199})$' })),
}, { additionalProperties: false })

const PROXIES = 'a list with commas of IP addresses and networks, e.g. 10.0.0.0/8,::1'

export const Settings = Type.Object({
  host: Type.String({
    default: '127.0.0.1', minLength: 1, env: 'HOST', description: 'address to listen on', expected: 'a host name or address',
  }),
  port: whole(0, 65_535, 8080, { env: 'PORT', description: 'port to listen on' }),
  dataDir: Type.String({
    default: './data',
    minLength: 1,
    env: 'RELAYCORE_DATA_DIR',
    description: 'folder of the journal, of the embedded database and of first-start.txt',
    expected: 'a folder',
  }),
  databaseUrl: Type.Optional(Type.String({
    pattern: '^postgres(ql)?://',
    env: 'DATABASE_URL',
    description: 'PostgreSQL 14 or later, several hosts with commas; without it an embedded one runs in the data folder',
    expected: 'a postgres:// URL',
    secret: true,
  })),
  redisUrl: Type.Optional(Type.String({
    pattern: REDIS_SCHEME,
    env: 'REDIS_URL',
    description: 'Redis or Valkey for the status that several gateways share: one server, Sentinel or Cluster',
    expected: REDIS_FORMS,
    secret: true,
  })),
  adminToken: Type.Optional(Type.String({
    minLength: 16,
    maxLength: 256,
    env: 'RELAYCORE_ADMIN_TOKEN',
    description: 'a token for the admin API, beside those in the database',
    expected: 'at least 16 characters',
    secret: true,
  })),
  adminHost: Type.Optional(Type.String({
    minLength: 1, env: 'RELAYCORE_ADMIN_HOST', description: 'address of the admin port; else HOST', expected: 'a host name or address',
  })),
  adminPort: Type.Optional(Type.Integer({
    minimum: 0,
    maximum: 65_535,
    env: 'RELAYCORE_ADMIN_PORT',
    description: 'a port of its own for the admin API, /docs and /metrics, which are then on no other',
    expected: 'a whole number from 0 to 65535',
  })),
  trustProxy: text({
    env: 'RELAYCORE_TRUST_PROXY',
    description: 'addresses and networks, with commas, of reverse proxies whose x-forwarded-for says who asks; without it who connects asks',
    expected: PROXIES,
  }),
  oidcIssuer: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 2_048,
    env: 'RELAYCORE_OIDC_ISSUER',
    description: 'OpenID Connect issuer whose tokens (JWT) the admin API takes too, as their iss names it',
    expected: 'an https URL (http on this machine only)',
  })),
  oidcAudience: text({
    env: 'RELAYCORE_OIDC_AUDIENCE', description: 'the aud that these tokens must have', expected: 'a name',
  }),
  oidcJwksUrl: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 2_048,
    env: 'RELAYCORE_OIDC_JWKS_URL',
    description: "where the issuer's keys are; without it its discovery says so",
    expected: 'an https URL (http on this machine only)',
  })),
  oidcRoleClaim: claim('relaycore_role', 'RELAYCORE_OIDC_ROLE_CLAIM', 'administrator, manager or viewer'),
  oidcOrganizationClaim: claim('relaycore_organization', 'RELAYCORE_OIDC_ORGANIZATION_CLAIM', 'whose manager or viewer'),
  oidcTeamClaim: claim('relaycore_team', 'RELAYCORE_OIDC_TEAM_CLAIM', 'of which team alone'),
  oidcProjectClaim: claim('relaycore_project', 'RELAYCORE_OIDC_PROJECT_CLAIM', 'of which project alone'),
  oidcAlgorithms: Type.String({
    default: 'RS256,PS256,ES256,EdDSA',
    pattern: `^(${ALGORITHMS.join('|')})(,(${ALGORITHMS.join('|')}))*$`,
    env: 'RELAYCORE_OIDC_ALGORITHMS',
    description: 'signatures that are taken, with commas',
    expected: `a list with commas of ${ALGORITHMS.join(', ')}`,
  }),
  oidcClockToleranceS: whole(0, 300, 30, {
    env: 'RELAYCORE_OIDC_CLOCK_TOLERANCE_S', description: "by how much the issuer's clock may differ, seconds",
  }),
  metricsToken: Type.Optional(Type.String({
    minLength: 16,
    maxLength: 256,
    env: 'RELAYCORE_METRICS_TOKEN',
    description: 'bearer token that /metrics demands; without it /metrics is open',
    expected: 'at least 16 characters',
    secret: true,
  })),
  ...providerSettings,
  providers: Type.Optional(Type.Record(Type.String({ pattern: PROVIDER_NAME }), Entry, {
    additionalProperties: false,
    env: 'RELAYCORE_PROVIDERS',
    description: 'by name, JSON: more of a provider named here, or servers that speak OpenAI\'s or Anthropic\'s dialect',
    expected: 'an object of providers by name, each with some of url, dialect, apiKeyEnv, onDisconnect, region, project, models, pricesOf, unknownModels',
  })),
  providerKeys: text({
    env: 'RELAYCORE_PROVIDER_KEYS',
    description: 'a file of providers\' keys, for all and for single organizations; a change of it acts within a second',
    expected: 'a path',
  }),
  allowUnmetered: Type.Optional(Type.Array(Type.String({ pattern: UNMETERED }), {
    maxItems: 100,
    env: 'RELAYCORE_ALLOW_UNMETERED',
    description: 'exact paths that are passed on without a hold or a record, with commas, e.g. POST /openai/v1/files: only what you know to be free',
    expected: 'a list with commas of a method and a path below a provider, e.g. POST /openai/v1/files',
  })),
  prices: text({
    env: 'RELAYCORE_PRICES',
    description: 'a file of prices, laid over the built-in catalog: in our format, LiteLLM\'s or that of models.dev',
    expected: 'a path',
  }),
  unbudgeted: choice(['refuse', 'allow'], 'refuse', {
    env: 'RELAYCORE_UNBUDGETED', description: 'calls to which no budget applies: refuse them, or forward and record them',
  }),
  ratesUrl: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 2_048,
    env: 'RELAYCORE_RATES_URL',
    description: "exchange rates are read from it each six hours: the European Central Bank's eurofxref-daily.xml or a copy of it",
    expected: 'an https URL (http on this machine only)',
  })),
  ratesMaxAgeHours: whole(0, 100_000, 0, {
    env: 'RELAYCORE_RATES_MAX_AGE_HOURS',
    description: 'calls on a budget whose exchange rate is older are refused; 0: the last one counts, however old it is',
  }),
  onDisconnect: choice(['drain', 'abort'], 'drain', {
    env: 'RELAYCORE_ON_DISCONNECT',
    description: 'when a client leaves: read the answer to its end and charge it exactly, or cancel and charge an estimate',
  }),
  drainMs: whole(0, 3_600_000, 120_000, {
    env: 'RELAYCORE_DRAIN_MS', description: 'longest time an answer is read on after its client left, ms',
  }),
  drainBytes: whole(0, 2 ** 31, 16_777_216, {
    env: 'RELAYCORE_DRAIN_BYTES', description: 'most bytes an answer is read on after its client left',
  }),
  drainCalls: whole(0, 100_000, 256, {
    env: 'RELAYCORE_DRAIN_CALLS', description: 'most answers that are read on at once',
  }),
  bodyLimit: whole(1_024, 2 ** 30, 33_554_432, { env: 'RELAYCORE_BODY_LIMIT', description: 'largest request body, bytes' }),
  maxCalls: whole(1, 1_000_000, 4_096, {
    env: 'RELAYCORE_MAX_CALLS', description: 'most calls under way at once; past them a retryable 503',
  }),
  maxBodyBytes: whole(1_024, 2 ** 40, 268_435_456, {
    env: 'RELAYCORE_MAX_BODY_BYTES', description: 'most bytes of the bodies of all calls under way; past them a retryable 503',
  }),
  maxWaiting: whole(1, 1_000_000, 1_024, {
    env: 'RELAYCORE_MAX_WAITING', description: 'most calls that wait for PostgreSQL to grant them money, and as many keys that it is asked about at once; past them a retryable 503',
  }),
  maxSockets: whole(0, 1_000_000, 1_024, {
    env: 'RELAYCORE_MAX_WEBSOCKETS', description: 'most WebSockets of clients at once; past them a retryable 503',
  }),
  socketIdleMs: whole(0, 86_400_000, 900_000, {
    env: 'RELAYCORE_WEBSOCKET_IDLE_MS',
    description: 'how long a WebSocket stays open without a message of its client\'s and without an answer under way, ms; 0: for ever',
  }),
  maxConnections: whole(1, 1_000_000, 20_000, {
    env: 'RELAYCORE_MAX_CONNECTIONS', description: 'most connections at once to a port; past them they are closed',
  }),
  headersTimeoutMs: whole(1_000, 86_400_000, 600_000, {
    env: 'RELAYCORE_UPSTREAM_HEADERS_MS', description: 'how long a provider may take to begin its answer, ms',
  }),
  bodyTimeoutMs: whole(1_000, 86_400_000, 120_000, {
    env: 'RELAYCORE_UPSTREAM_SILENCE_MS', description: 'how long a provider may be silent within its answer, ms',
  }),
  journalSyncMs: whole(1, 60_000, 50, {
    env: 'RELAYCORE_JOURNAL_SYNC_MS', description: 'how long the journal may wait for the disk, ms',
  }),
  journalCopyBytes: whole(0, 2 ** 30, 16_777_216, {
    env: 'RELAYCORE_JOURNAL_COPY_BYTES',
    description: 'with Redis: most bytes of ended calls copied there until PostgreSQL has them, for another gateway to record if this host is lost; 0: none',
  }),
  carryMs: whole(0, 3_600_000, 30_000, {
    env: 'RELAYCORE_CARRY_MS',
    description: 'how much a gateway leases of a budget ahead of its calls, as time of spending at the present rate, ms: so long they go on while PostgreSQL does not answer; 0: nothing ahead',
  }),
  outageMs: whole(0, 31_536_000_000, 300_000, {
    env: 'RELAYCORE_OUTAGE_MS',
    description: 'how long calls go on from what was leased before, while PostgreSQL does not answer, ms, at most; 0: for as long as it lasts',
  }),
  journalMaxBytes: whole(4_194_304, 2 ** 50, 1_073_741_824, {
    env: 'RELAYCORE_JOURNAL_MAX_BYTES',
    description: 'from this many bytes of the journal on no call is forwarded, until PostgreSQL has recorded what waits in it',
  }),
  writeOffMs: whole(0, 31_536_000_000, 86_400_000, {
    env: 'RELAYCORE_WRITE_OFF_MS',
    description: 'how long a gateway may be silent before what it leased is counted as spent, ms; 0: for ever',
  }),
  auditorMs: whole(0, 86_400_000, 60_000, {
    env: 'RELAYCORE_AUDITOR_MS', description: 'how often the ledger is compared with itself, by one gateway for all, ms; 0: never',
  }),
  shutdownMs: whole(0, 3_600_000, 30_000, {
    env: 'RELAYCORE_SHUTDOWN_MS', description: 'how long a stop waits for open calls, ms',
  }),
  logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info', {
    env: 'RELAYCORE_LOG_LEVEL', description: 'least level that is logged',
  }),
}, { additionalProperties: false })

export type Config = Static<typeof Settings>

export class ConfigError extends Error {
  readonly code = 'config'
}

type Setting = TSchema & About & { type?: string, default?: unknown }

const SETTINGS = Object.entries(Settings.properties) as unknown as [keyof Config, Setting][]
const FILE = 'RELAYCORE_CONFIG'

export function loadConfig (env: NodeJS.ProcessEnv, file = env[FILE]): Config {
  const fromFile = file === undefined ? {} : readFile(file)
  rejectUnknown(env, fromFile, file)
  const config: Record<string, unknown> = {}
  for (const [name, setting] of SETTINGS) {
    const text = env[setting.env] || undefined
    const elsewhere = setting.elseEnv === undefined ? undefined : env[setting.elseEnv] || undefined
    const used = (text === undefined ? fromFile[name] : ofText(setting, text)) ?? elsewhere ?? setting.default
    if (used === undefined) continue
    const source = text === undefined ? `${name} (in ${file ?? 'the defaults'})` : setting.env
    if (!Value.Check(setting, used)) {
      throw new ConfigError(`${source} must be ${setting.expected}; got ${shown(setting, used)}`)
    }
    config[name] = used
  }
  requireSense(config as Config)
  return Object.freeze({ ...config as Config, dataDir: resolve((config as Config).dataDir) })
}

/** of settings by themselves as a schema cannot say it, and of those that only make sense together */
function requireSense (config: Config): void {
  if (config.databaseUrl !== undefined) {
    try {
      void new Hosts(config.databaseUrl)
    } catch (error) {
      throw new ConfigError(`DATABASE_URL cannot be used: ${(error as Error).message}`, { cause: error })
    }
  }
  const { oidcIssuer, oidcAudience, oidcJwksUrl, adminPort, adminHost, host, port, ratesUrl, trustProxy } = config
  if (config.redisUrl !== undefined) requireRedisUrl(config.redisUrl)
  if (trustProxy?.split(',').every(isNetwork) === false) {
    throw new ConfigError(`RELAYCORE_TRUST_PROXY must be ${PROXIES}; got ${JSON.stringify(trustProxy).slice(0, 100)}`)
  }
  const urls = [
    ['RELAYCORE_OIDC_ISSUER', oidcIssuer], ['RELAYCORE_OIDC_JWKS_URL', oidcJwksUrl], ['RELAYCORE_RATES_URL', ratesUrl],
  ] as const
  for (const [env, value] of urls) {
    if (value !== undefined && !isSafeUrl(value)) {
      throw new ConfigError(`${env} must be an https URL (http on this machine only); got ${JSON.stringify(value).slice(0, 100)}`)
    }
  }
  if (oidcIssuer !== undefined && oidcAudience === undefined) {
    throw new ConfigError('RELAYCORE_OIDC_AUDIENCE must be set with RELAYCORE_OIDC_ISSUER: else tokens for others would be good here')
  }
  if (oidcIssuer === undefined) {
    const alone = oidcAudience !== undefined ? 'RELAYCORE_OIDC_AUDIENCE' : oidcJwksUrl !== undefined ? 'RELAYCORE_OIDC_JWKS_URL' : null
    if (alone !== null) throw new ConfigError(`${alone} means nothing without RELAYCORE_OIDC_ISSUER: set both or neither`)
  }
  if (adminHost !== undefined && adminPort === undefined) {
    throw new ConfigError('RELAYCORE_ADMIN_HOST means nothing without RELAYCORE_ADMIN_PORT: set both or neither')
  }
  if (adminPort !== undefined && adminPort !== 0 && adminPort === port && (adminHost ?? host) === host) {
    throw new ConfigError(`RELAYCORE_ADMIN_PORT must differ from PORT; both are ${port}`)
  }
}

function requireRedisUrl (url: string): void {
  try {
    parseRedisUrl(url)
  } catch (error) {
    throw new ConfigError(`REDIS_URL ${(error as Error).message}`, { cause: error })
  }
}

/** an address, or one with the length of its prefix */
function isNetwork (text: string): boolean {
  const [address = '', prefix, ...more] = text.trim().split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  if (bits < 0 || more.length > 0) return false
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits)
}

function readFile (path: string): Record<string, unknown> {
  let content: unknown
  try {
    const source = readFileSync(path, 'utf8')
    content = extname(path) === '.json' ? JSON.parse(source) : parseYaml(source)
  } catch (error) {
    throw new ConfigError(`The configuration file ${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  if (content === null || content === undefined) return {}
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new ConfigError(`The configuration file ${path} must be a map of settings`)
  }
  return content as Record<string, unknown>
}

function rejectUnknown (env: NodeJS.ProcessEnv, fromFile: Record<string, unknown>, file: string | undefined): void {
  const envNames = new Set(SETTINGS.map(([, setting]) => setting.env))
  for (const name of Object.keys(env)) {
    if (!name.startsWith('RELAYCORE_') || envNames.has(name) || name === FILE) continue
    throw new ConfigError(`${name} is no setting. \`relaycore --help\` names them all.`)
  }
  const names = new Set<string>(SETTINGS.map(([name]) => name))
  for (const name of Object.keys(fromFile)) {
    if (!names.has(name)) throw new ConfigError(`${name} (in ${file ?? ''}) is no setting. Settings: ${[...names].join(', ')}`)
  }
}

function ofText (setting: Setting, value: string): unknown {
  switch (setting.type) {
    case 'integer': return /^-?\d{1,15}$/.test(value) ? Number(value) : value
    case 'array': return value.split(',').map((one) => one.trim())
    case 'object':
      try {
        return JSON.parse(value)
      } catch {
        return value
      }
    default: return value
  }
}

function shown (setting: Setting, value: unknown): string {
  if (setting.secret === true) return 'something else (not shown)'
  return JSON.stringify(value)?.slice(0, 100) ?? String(value)
}

/** one line per setting, for --help */
export function describeSettings (): string {
  const rows = SETTINGS.map(([name, setting]) => {
    const preset = setting.default === undefined ? '' : ` (default ${String(setting.default)})`
    return [setting.env, name, `${setting.description}${preset}`]
  })
  rows.push([FILE, '', 'a .json or .yaml file with settings by their names in the second column'])
  const widths = [0, 1].map((i) => Math.max(...rows.map((row) => (row[i] as string).length)))
  return rows.map(([env = '', name = '', rest = '']) =>
    `  ${env.padEnd(widths[0] as number)}  ${name.padEnd(widths[1] as number)}  ${rest}`).join('\n')
}

/** Throws where a provider's address is the gateway's own: its calls would come back to it for ever. */
export async function rejectOwnAddress (config: Config): Promise<void> {
  const upstreams = [
    ...Object.keys(PROVIDERS).map((name) =>
      [`RELAYCORE_${name.toUpperCase()}_BASE_URL`, config[`${name as ProviderName}BaseUrl`]] as const),
    ...Object.entries(config.providers ?? {}).map(([name, { url }]) => [`providers.${name}.url`, url] as const),
  ]
  for (const [name, value] of upstreams) {
    if (value === undefined) continue
    const { hostname: host, port, protocol } = new URL(value)
    if (![config.port, config.adminPort].includes(Number(port || (protocol === 'https:' ? 443 : 80)))) continue
    if (await isOwnHost(host.replace(/^\[|\]$/g, ''))) {
      throw new ConfigError(`${name} is this gateway's own address (${value}). It must be the address of the provider.`)
    }
  }
}

async function isOwnHost (host: string): Promise<boolean> {
  if (host === 'localhost' || host === hostname()) return true
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => list ?? []).map(({ address }) => address))
  // a name that cannot be resolved now is somebody else's until it can
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.some(({ address }) => own.has(address) || /^(127\.|0\.0\.0\.0$|::1?$)/.test(address))
}
