import { validateHeaderValue } from 'node:http'
import { Pool } from 'undici'
import { type Provider, type Sign } from '../../src/providers/provider.ts'

/** Where the calls of one dialect, or of the demo models, go. */
export interface UpstreamOptions {
  /** with or without what its clients' base URLs end in (`/v1`), and with a path before it where there is one */
  url: string
  /** true: its path, where it has one, stands in place of what base URLs end in, as clients take it */
  asWritten?: boolean
  /** null: none is configured */
  apiKey: string | null
  /** an organization's key, which may change at any time; null: `apiKey` counts, or the signature */
  keyOf?: (organizationId: string) => string | null
  /** where no key is sent but each request is signed */
  sign?: Sign | undefined
  /** the setting that would hold the credential; null: this upstream needs none */
  settingName: string | null
  /** certificates in PEM that are trusted instead of the system's */
  ca?: string | undefined
}

export interface UpstreamLimits {
  /** per upstream; further calls wait for one to become free */
  connections: number
  connectTimeoutMs: number
  /** from the request to the first header of the answer */
  headersTimeoutMs: number
  /** between two pieces of the answer */
  bodyTimeoutMs: number
  /** an idle connection is closed before the provider does it: a call sent into a closing one may have been billed */
  keepAliveMs: number
}

export interface Upstream {
  name: string
  pool: Pool
  origin: string
  /** certificates in PEM that are trusted instead of the system's */
  ca: string | undefined
  /** of a provider's path, the one that is asked for at this upstream */
  path (path: string): string
  /** of an organization's calls; null: there is none, so they are refused */
  credential (organizationId: string): Credential | null
  settingName: string | null
}

/** headers, [name, value, ...], or what signs each request */
export type Credential = readonly string[] | Sign

/** Opens the pool of connections to one upstream. TLS is always verified. */
export function openUpstream (
  name: string, options: UpstreamOptions, provider: Provider | undefined, limits: UpstreamLimits
): Upstream {
  const url = new URL(options.url)
  const pool = new Pool(url.origin, {
    connections: limits.connections,
    // a stream must not wait behind another, nor a failed call take its neighbours with it
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: limits.keepAliveMs,
    keepAliveMaxTimeout: limits.keepAliveMs,
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
    connect: {
      timeout: limits.connectTimeoutMs,
      rejectUnauthorized: true,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    },
  })
  return {
    name,
    pool,
    origin: url.origin,
    ca: options.ca,
    path: pathsAt(url, provider?.base ?? '/v1', options.asWritten ?? false),
    credential: credentials(options, provider),
    settingName: options.settingName,
  }
}

function pathsAt ({ pathname }: URL, base: string, asWritten: boolean): Upstream['path'] {
  const own = pathname.replace(/(?<!\/)\/+$/, '')
  if (asWritten && own !== '') {
    return (path) => path.startsWith(`${base}/`) ? `${own}${path.slice(base.length)}` : `${own}${path}`
  }
  const before = own.endsWith(base) ? own.slice(0, own.length - base.length) : own
  return (path) => `${before}${path}`
}

function credentials (options: UpstreamOptions, provider: Provider | undefined): Upstream['credential'] {
  const { sign, apiKey, settingName, keyOf } = options
  const headersOf = (key: string | null): string[] | null => {
    if (key === null || provider === undefined) return null
    const headers = Object.entries(provider.credential(key))
    // of the settings' keys it is found at the start, not with the first call; the error never has the value
    for (const [name, value] of headers) validateHeaderValue(name, value)
    return headers.flat()
  }
  const forAll = sign ?? (settingName === null && apiKey === null ? [] : headersOf(apiKey))
  return keyOf === undefined ? () => forAll : (organizationId) => headersOf(keyOf(organizationId)) ?? forAll
}
