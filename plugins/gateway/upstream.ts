import { validateHeaderValue } from 'node:http'
import { Pool } from 'undici'
import { type Provider } from '../../src/providers/provider.ts'

/** Where the calls of one dialect, or of the demo models, go. */
export interface UpstreamOptions {
  /** with or without a trailing /v1, and with a path before it where there is one */
  url: string
  /** null: none is configured */
  apiKey: string | null
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
  /** what stands before `/v1/...`, without a trailing slash */
  basePath: string
  /** null: configured without a credential, so its calls are refused */
  credential: readonly string[] | null
  settingName: string | null
}

export type UsableUpstream = Upstream & { credential: readonly string[] }

export function isUsable (upstream: Upstream): upstream is UsableUpstream {
  return upstream.credential !== null
}

/** what every provider's paths begin with, below its base path */
export const ROOT_PREFIX = '/v1'

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
  const basePath = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')
  return { name, pool, basePath, credential: credential(options, provider), settingName: options.settingName }
}

function credential (options: UpstreamOptions, provider: Provider | undefined): string[] | null {
  if (options.settingName === null) return []
  if (options.apiKey === null || provider === undefined) return null
  const headers = Object.entries(provider.credential(options.apiKey))
  // found here, at the start, not with the first call; the error names the header and never its value
  for (const [name, value] of headers) validateHeaderValue(name, value)
  return headers.flat()
}
