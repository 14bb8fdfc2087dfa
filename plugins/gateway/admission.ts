import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type Identity } from '../../src/budget/budget.ts'
import { type Refusal } from '../../src/errors.ts'
import { type CallGate } from '../../src/gateway/call.ts'
import { isForm } from '../../src/providers/form.ts'
import { isRefusal, type Provider } from '../../src/providers/provider.ts'
import { clientKey, splitTarget } from './client-key.ts'
import { callPlace, socketPlace } from './place.ts'
import { type Inbound, type Plane } from './plane.ts'
import { internalError, refuse, shuttingDown, unsupportedType } from './refusals.ts'
import { type Route, type RouteTable } from './routes.ts'
import { handshakeRefusal } from './sockets.ts'

type Admission = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/** Decides by the head of the request alone whether its body is worth reading. Synchronous for a key in memory. */
export function admission (plane: Plane, table: RouteTable): Admission {
  return (request, reply, done) => {
    const { headers } = request
    const target = splitTarget(request.raw.url ?? '')
    const path = target.path.startsWith(table.prefix) ? target.path.slice(table.prefix.length) : null
    const upgrades = isUpgrade(request)
    let route: Route | null = null
    if (path !== null) route = upgrades ? table.socket(path, headers) : table.find(request.method, path, headers)
    const provider = route?.provider ?? table.dialect(headers, path ?? '')

    const noSocket = upgrades && (route === null || !plane.sockets.has(request.raw))
    const turnedAway = noSocket ? WEBSOCKET : earlyRefusal(plane, request)
    if (turnedAway !== null) {
      if (turnedAway.code === 'websocket_unsupported') reply.headers({ connection: 'close', upgrade: 'HTTP/1.1' })
      refuse(plane.gate, provider, turnedAway, request, reply)
      return
    }
    if (route === null) {
      refusePath(plane, table, request, reply)
      return
    }
    const wrong = upgrades ? handshakeRefusal(request) : typeRefusal(route, headers['content-type'])
    if (wrong !== null) {
      refuse(plane.gate, provider, wrong, request, reply)
      return
    }
    const key = clientKey(headers, target.keys)
    if (typeof key === 'object') {
      refuse(plane.gate, provider, key, request, reply)
      return
    }
    const settle = (identity: Identity | Refusal): void => {
      if (isRefusal(identity)) {
        refuse(plane.gate, provider, identity, request, reply)
        return
      }
      request.inbound = { route, identity, key, search: target.search, place: null }
      const full = takePlace(plane, request.inbound, upgrades, request, reply)
      if (full === null) done()
      else refuse(plane.gate, provider, full, request, reply)
    }
    identify(plane, provider, key, request, reply, settle)
  }
}

/** The last before the body is read: what is refused for other reasons takes no place. */
function takePlace (
  { load, bodyBytes }: Plane, inbound: Inbound, isSocket: boolean, request: FastifyRequest, reply: FastifyReply
): Refusal | null {
  const place = isSocket ? socketPlace(load, request.raw.socket) : callPlace(load, bodyBytes, request, reply)
  if (place !== null && isRefusal(place)) return place
  inbound.place = place
  return null
}

function identify (
  plane: Plane, provider: Provider, key: string | undefined, request: FastifyRequest, reply: FastifyReply,
  then: (identity: Identity | Refusal) => void
): void {
  const failed = (error: unknown): void => {
    request.log.error({ err: error }, 'identifying a request failed')
    refuse(plane.gate, provider, internalError(), request, reply)
  }
  let identity: ReturnType<CallGate['identify']>
  try {
    identity = plane.gate.identify(key, request.headers)
  } catch (error) {
    failed(error)
    return
  }
  // a key in memory costs no turn of the event loop
  if (identity instanceof Promise) identity.then(then, failed)
  else then(identity)
}

function isUpgrade ({ headers: { upgrade } }: FastifyRequest): boolean {
  return upgrade !== undefined && /\bwebsocket\b/i.test(upgrade)
}

const WEBSOCKET: Refusal = {
  code: 'websocket_unsupported',
  message: 'This path is not available over WebSockets. Use HTTP.',
  retryable: false,
}

/** What is wrong with a request whatever its path and key are. */
function earlyRefusal (plane: Plane, request: FastifyRequest): Refusal | null {
  const { headers } = request
  if (plane.exchanges.closing) return shuttingDown()
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity') {
    return unsupportedType(`The body is encoded with ${encoding.slice(0, 50)}. Send it without content-encoding.`)
  }
  const type = headers['content-type']
  const charset = type === undefined ? null : /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type)
  if (charset !== null && !/^(utf-?8|us-ascii)$/i.test(charset[1] ?? '')) {
    return unsupportedType(`The body is in ${(charset[1] ?? '').slice(0, 50)}. Send it in UTF-8.`)
  }
  return null
}

/** A body that is read as another type than it has would be another request than the provider gets. */
function typeRefusal ({ endpoint }: Route, contentType: string | undefined): Refusal | null {
  const uploads = endpoint.kind === 'free' && endpoint.served === 'file' && endpoint.method === 'POST'
  const takes = endpoint.kind === 'billable' ? endpoint.takes : uploads ? 'form' : undefined
  if (takes === undefined) return isForm(contentType) ? unsupportedType('The body must be application/json.') : null
  return takes === 'either' || isForm(contentType) ? null : unsupportedType('The body must be multipart/form-data.')
}

export function refusePath (plane: Plane, table: RouteTable, request: FastifyRequest, reply: FastifyReply): void {
  const { path: full } = splitTarget(request.raw.url ?? '')
  const path = full.startsWith(table.prefix) ? full.slice(table.prefix.length) : ''
  const methods = table.methods(path)
  if (methods.length > 0) reply.header('allow', methods.join(', '))
  if (methods.length > 0 && request.method === 'OPTIONS') {
    reply.code(204).send()
    return
  }
  const provider = table.dialect(request.headers, path)
  refuse(plane.gate, provider, table.refusal(request.method, full), request, reply)
}
