import { type IncomingHttpHeaders, type OutgoingHttpHeaders, validateHeaderName, validateHeaderValue } from 'node:http'

/**
 * Which headers cross the gateway. Upstream: all but those of the connection, those that carry a key, an identity
 * or the client's whereabouts, and those that the gateway sets itself. Downstream: all but those of the connection
 * and those that speak for the provider's host, which would have the client remember or follow them.
 */
const HOP_BY_HOP = [
  'connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings',
  'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'proxy-authentication-info',
]

const NOT_UPSTREAM = new Set([
  ...HOP_BY_HOP,
  // set anew for the provider
  'host', 'content-length', 'content-type', 'content-encoding', 'accept-encoding', 'expect',
  // credentials and identity
  'authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'cookie',
  // signatures of AWS's, which are for another host
  'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token',
  // where the client is, as told by the proxies before us
  'forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto', 'x-real-ip',
  // would have it billed to another project, or at another price
  'x-goog-user-project', 'x-vertex-ai-llm-request-type', 'x-vertex-ai-llm-shared-request-type',
  // would make the request another one than was checked
  'x-http-method', 'x-http-method-override', 'x-method-override', 'x-original-url', 'x-rewrite-url',
])

const NOT_DOWNSTREAM = new Set([
  ...HOP_BY_HOP,
  // one provider session behind many clients is nobody's cookie; `location` would lead a client, key in hand, past us
  'set-cookie', 'location', 'refresh', 'alt-svc', 'strict-transport-security', 'public-key-pins', 'clear-site-data',
  'content-security-policy', 'content-security-policy-report-only', 'service-worker-allowed', 'access-control-allow-origin',
  'access-control-allow-credentials', 'access-control-allow-headers', 'access-control-allow-methods', 'access-control-expose-headers',
])

const OUR_PREFIX = 'x-relaycore-'

/** Request headers as the flat [name, value, ...] list that undici takes without a copy. */
export function upstreamHeaders (
  headers: IncomingHttpHeaders, credential: readonly string[], contentType: string | null
): string[] {
  const named = connectionTokens(headers.connection)
  const out = [...credential, 'accept-encoding', 'identity']
  if (contentType !== null) out.push('content-type', contentType)
  for (const name in headers) {
    if (NOT_UPSTREAM.has(name) || name.startsWith(OUR_PREFIX) || name.startsWith(':')) continue
    if (named?.includes(name) === true) continue
    const value = headers[name]
    if (typeof value === 'string') out.push(name, value)
    else if (value !== undefined) out.push(name, value.join(', '))
  }
  return out
}

/** The answer's headers for the client, with the gateway's own last. `keepLength`: no byte will be taken out. */
export function clientHeaders (
  headers: IncomingHttpHeaders, own: OutgoingHttpHeaders, keepLength: boolean
): OutgoingHttpHeaders {
  const named = connectionTokens(headers.connection)
  const out: OutgoingHttpHeaders = {}
  for (const name in headers) {
    if (NOT_DOWNSTREAM.has(name) || name.startsWith(OUR_PREFIX)) continue
    if (named?.includes(name) === true || (!keepLength && name === 'content-length')) continue
    out[name] = headers[name]
  }
  out['x-content-type-options'] = 'nosniff'
  if (!DATA.test(headers['content-type'] ?? '')) out['content-security-policy'] = NO_PAGE
  for (const name in own) out[name] = own[name]
  return out
}

/** what no browser shows as a page */
const DATA = /^(application\/json|text\/event-stream)\s*(;|$)/i
/** A link with a key in it could bring anything that a provider keeps into a browser, as if it were the gateway's. */
const NO_PAGE = "sandbox; default-src 'none'; frame-ancestors 'none'"

/** Drops what Node refuses to write: one bad header of a provider must not cost the client the answer. */
export function writableHeaders (headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name, value]) => isWritable(name, value)))
}

function isWritable (name: string, value: OutgoingHttpHeaders[string]): boolean {
  try {
    validateHeaderName(name)
    for (const one of Array.isArray(value) ? value : [value]) validateHeaderValue(name, String(one))
    return true
  } catch {
    return false
  }
}

function connectionTokens (value: string | undefined): string[] | null {
  if (value === undefined || value === 'keep-alive' || value === 'close') return null
  return value.toLowerCase().split(',').map((token) => token.trim())
}
