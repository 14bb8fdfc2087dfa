import { type Config, ConfigError, type ProviderName } from '../config.ts'
import { type Naming, type UnknownModels } from '../pricing/named-prices.ts'
import { anthropicCompatible, openaiCompatible, usualPaths } from './compatible.ts'
import { providers } from './index.ts'
import { type Endpoint, type Provider, type Sign } from './provider.ts'

/** A provider as its operator set it up. */
export interface ConfiguredProvider {
  provider: Provider
  /** null: no address is known */
  url: string | null
  /** its path, where it has one, stands in place of what clients' base URLs end in */
  asWritten: boolean
  apiKey: string | null
  sign?: Sign
  /** what has to be set where it has no address or no credential; null: nothing has to */
  settingName: string | null
  onDisconnect: 'drain' | 'abort'
}

/** All that the gateway knows by itself, then those that only the configuration knows. Throws, naming the setting. */
export function configuredProviders (config: Config, env: NodeJS.ProcessEnv = process.env): ConfiguredProvider[] {
  const entries = config.providers ?? {}
  const known = providers.map((provider): ConfiguredProvider => {
    const name = provider.name as ProviderName
    const entry = entries[name] ?? {}
    if (entry.dialect !== undefined) throw new ConfigError(`providers.${name}.dialect cannot be set: it is known`)
    const set = config[`${name}BaseUrl`] ?? entry.url ?? provider.url
    const apiKey = config[`${name}ApiKey`] ?? keyOf(name, entry.apiKeyEnv, env)
    const own = provider.fromEnv?.(env, { region: entry.region, project: entry.project, url: set })
    if (own === undefined && entry.region !== undefined) throw new ConfigError(`providers.${name}.region means nothing there`)
    if (own?.endpoints === undefined && entry.project !== undefined) {
      throw new ConfigError(`providers.${name}.project means nothing there`)
    }
    const url = set ?? own?.url ?? null
    const setting = url === null ? 'BASE_URL' : 'API_KEY'
    return {
      provider: withUnmetered({ ...provider, endpoints: own?.endpoints ?? provider.endpoints }, config),
      url,
      asWritten: false,
      apiKey,
      ...apiKey === null && url !== null && own?.sign != null ? { sign: own.sign } : {},
      settingName: provider.needsKey || url === null ? own?.missing ?? `RELAYCORE_${name.toUpperCase()}_${setting}` : null,
      onDisconnect: entry.onDisconnect ?? config.onDisconnect,
    }
  })
  const names = new Set(providers.map(({ name }) => name))
  const unknown = Object.entries(entries).filter(([name]) => !names.has(name))
  const others = unknown.map(([name, entry]): ConfiguredProvider => {
    if (RESERVED.includes(name)) throw new ConfigError(`providers.${name}: the name is taken; choose another one`)
    if (entry.url === undefined) {
      throw new ConfigError(`providers.${name}.url must be set: the gateway does not know where ${name} is`)
    }
    const options = { name, title: name, url: entry.url, base: '/v1', needsKey: false }
    const provider = entry.dialect === 'anthropic' ? anthropicCompatible(options) : openaiCompatible({ ...options, more: usualPaths('/v1') })
    return {
      provider: withUnmetered(provider, config),
      url: entry.url,
      asWritten: true,
      apiKey: keyOf(name, entry.apiKeyEnv, env),
      settingName: null,
      onDisconnect: entry.onDisconnect ?? config.onDisconnect,
    }
  })
  const all = [...known, ...others]
  const prefixes = all.map(({ provider: { name } }) => `/${name}/`)
  for (const path of config.allowUnmetered ?? []) {
    if (prefixes.some((prefix) => path.split(' ')[1]?.startsWith(prefix) === true)) continue
    throw new ConfigError(`allowUnmetered: ${path} is below no provider: ${prefixes.join(', ')}`)
  }
  return all
}

/** What the names of each provider's models are, as its operator says and as it is known. */
export function namingsOf (config: Config): Record<string, Naming> {
  const entries = config.providers ?? {}
  const namings: Record<string, Naming> = {}
  for (const { name, pricesOf, deployments, catalogName } of providers) {
    namings[name] = { pricesOf, deployments, catalogName }
  }
  for (const [name, { models, pricesOf, unknownModels }] of Object.entries(entries)) {
    const naming = { models, unknownModels: unknownModels as UnknownModels | undefined }
    namings[name] = { ...namings[name], ...naming, ...pricesOf === undefined ? {} : { pricesOf: [pricesOf] } }
  }
  return namings
}

/** prefixes that the gateway itself has */
const RESERVED = ['api', 'docs', 'metrics', 'healthz', 'readyz', 'v1', 'v1beta', 'demo']

function keyOf (name: string, variable: string | undefined, env: NodeJS.ProcessEnv): string | null {
  if (variable === undefined) return null
  const key = env[variable]
  if (key === undefined || key === '') throw new ConfigError(`providers.${name}.apiKeyEnv names ${variable}, which is not set`)
  return key
}

/** with the paths that the operator says cost nothing */
function withUnmetered (provider: Provider, { allowUnmetered = [] }: Config): Provider {
  const allowed: Endpoint[] = []
  for (const line of allowUnmetered) {
    const [method = '', full = ''] = line.split(' ')
    if (!full.startsWith(`/${provider.name}/`)) continue
    const path = full.slice(provider.name.length + 1)
    const there = provider.endpoints.some((endpoint) => endpoint.path === path && endpoint.method === method)
    if (there) throw new ConfigError(`allowUnmetered: ${line} is known, and cannot be allowed unmetered`)
    allowed.push({ kind: 'free', name: 'unmetered', method: method as 'POST', path, served: 'forward' })
  }
  return allowed.length === 0 ? provider : { ...provider, endpoints: [...provider.endpoints, ...allowed] }
}
