import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type IncomingHttpHeaders, type IncomingMessage, ServerResponse } from 'node:http'
import { type Socket } from 'node:net'
import { type Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { type Refusal } from '../../src/errors.ts'
import { type BillableEndpoint, isRefusal, type Talk } from '../../src/providers/provider.ts'
import { answering, wayTo, type Way } from './forwarding.ts'
import { clientHeaders, upstreamHeaders } from './headers.ts'
import { type Inbound, isGone, type Plane } from './plane.ts'
import { invalid, refuse } from './refusals.ts'
import { RealtimeSession } from './realtime-session.ts'
import { type SessionOptions, type SocketSession } from './socket-session.ts'
import { StreamSession } from './stream-session.ts'

/**
 * WebSockets of clients: the request for one goes the way of all requests, so its path and its key are checked and
 * refused alike, and becomes a session between the client and its provider. A provider that does not take it answers
 * the request itself.
 */
export class Sockets {
  readonly #sessions = new Set<SocketSession>()
  readonly #idleMs: number
  #timer: NodeJS.Timeout | null = null
  readonly #server: WebSocketServer
  /** connections that want to become WebSockets, by their requests */
  readonly #upgrades = new WeakMap<IncomingMessage, { socket: Duplex, head: Buffer, response: ServerResponse }>()

  constructor (messageBytes: number, idleMs: number) {
    this.#idleMs = idleMs
    this.#server = new WebSocketServer({
      noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: messageBytes,
    })
  }

  /** Requests for WebSockets are no events of Node's for ordinary requests: they are given to the app here. */
  listen (app: FastifyInstance, isOurs: (url: string) => boolean): void {
    const upgraded = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      // somebody else in the same app may take it
      if (!isOurs(request.url ?? '') && app.server.listenerCount('upgrade') > 1) return
      socket.on('error', () => { socket.destroy() })
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      response.assignSocket(socket as Socket)
      response.once('finish', () => { (socket as Socket).destroySoon() })
      this.#upgrades.set(request, { socket, head, response })
      app.routing(request, response)
    }
    app.server.on('upgrade', upgraded)
    app.addHook('onClose', () => { app.server.off('upgrade', upgraded) })
  }

  has (request: IncomingMessage): boolean { return this.#upgrades.has(request) }

  /** the client's end, from then on a WebSocket; false: it asked for none that can be, and has been told so */
  accept (request: IncomingMessage, then: (client: WebSocket) => void): boolean {
    const upgrade = this.#upgrades.get(request)
    if (upgrade === undefined) throw new Error('a request became a WebSocket that did not ask for one')
    const { socket, head, response } = upgrade
    response.detachSocket(socket as Socket)
    let taken = false
    this.#server.handleUpgrade(request, socket, head, (client) => {
      taken = true
      then(client)
    })
    return taken
  }

  /** from now on it is ended where it is idle for too long */
  add (session: SocketSession): void {
    this.#sessions.add(session)
    if (this.#idleMs === Infinity) return
    const pace = Math.max(FASTEST_PACE_MS, Math.min(SLOWEST_PACE_MS, this.#idleMs / 4))
    this.#timer ??= setInterval(() => { this.#sweep() }, pace).unref()
  }

  delete (session: SocketSession): void {
    this.#sessions.delete(session)
    if (this.#sessions.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  /** Sessions that have no call end now, the others with their calls. */
  close (): void {
    for (const session of this.#sessions) session.closeWhenIdle()
  }

  #sweep (): void {
    const since = performance.now() - this.#idleMs
    for (const session of this.#sessions) session.closeIfIdleSince(since)
  }
}

const SLOWEST_PACE_MS = 1_000
const FASTEST_PACE_MS = 10

const KEY = /^[+/0-9A-Za-z]{22}==$/
const VERSIONS = new Set(['13', '8'])

/** What a request for a WebSocket says wrong of it, as its provider would never have to hear. */
export function handshakeRefusal ({ method, headers }: FastifyRequest): Refusal | null {
  const { upgrade, 'sec-websocket-key': key = '', 'sec-websocket-version': version = '' } = headers
  if (method !== 'GET') return invalid('A WebSocket is asked for by GET.')
  if (upgrade?.toLowerCase() !== 'websocket') return invalid('The header upgrade must be websocket alone.')
  if (!KEY.test(key)) return invalid('The header sec-websocket-key must be 16 bytes in base64.')
  return VERSIONS.has(version) ? null : invalid('The header sec-websocket-version must be 13.')
}

const CONNECT_MS = 30_000
const KEEPALIVE_MS = 30_000
/** of a provider's answer that is no WebSocket */
const MOST_ANSWER_BYTES = 65_536

/** Asks the provider first, so that what it says to the request is what the client hears. */
export function openSocket (plane: Plane, inbound: Inbound, request: FastifyRequest, reply: FastifyReply): void {
  const { provider } = inbound.route
  const open = opener(inbound, request)
  const way = isRefusal(open) ? open : wayTo(plane, provider.name, inbound)
  if (isRefusal(open) || isRefusal(way)) {
    refuse(plane.gate, provider, way as Refusal, request, reply)
    return
  }
  const opened = connect(way, inbound, request.headers).then((outcome) => {
    if (isGone(request, reply)) {
      if (outcome instanceof WebSocket) outcome.terminate()
    } else if (outcome instanceof WebSocket) {
      begin(plane, inbound, outcome, open, request, reply)
    } else if ('status' in outcome) {
      const { status, headers, body } = outcome
      reply.code(status).headers(clientHeaders(headers, {}, false)).send(body)
    } else {
      request.log.warn({ err: outcome }, 'a provider took no WebSocket')
      const message = 'The provider could not be reached over a WebSocket. Nothing was sent and nothing is charged.'
      refuse(plane.gate, provider, { code: 'upstream_unreachable', message, retryable: true }, request, reply)
    }
  })
  answering(plane, inbound, request, reply, opened, 'opening a WebSocket failed')
}

type Open = (options: SessionOptions) => SocketSession

/** The kind of session that the path is for. */
function opener ({ route: { endpoint, params }, search }: Inbound, { headers }: FastifyRequest): Open | Refusal {
  const { socket } = endpoint as BillableEndpoint
  if (socket === undefined) throw new Error(`${endpoint.name} has no calls over WebSockets`)
  if (socket.kind === 'stream') return (options) => new StreamSession(options, socket)
  const talk: Talk | Refusal = socket.begin({ params, search, headers })
  return isRefusal(talk) ? talk : (options) => new RealtimeSession(options, talk)
}

function begin (
  plane: Plane, inbound: Inbound, upstream: WebSocket, open: Open, request: FastifyRequest, reply: FastifyReply
): void {
  reply.hijack()
  const taken = plane.sockets.accept(request.raw, (client) => {
    request.raw.socket.setKeepAlive(true, KEEPALIVE_MS)
    const { route: { provider, endpoint, params }, key, search } = inbound
    const session = open({
      plane,
      provider,
      endpoint: endpoint as BillableEndpoint,
      target: { params, search, headers: request.headers },
      key,
      client,
      upstream,
      log: request.log,
    })
    plane.sockets.add(session)
    upstream.resume()
    // the gateway may have begun to stop while the provider was asked
    if (plane.exchanges.closing) session.closeWhenIdle()
  })
  if (!taken) upstream.terminate()
}

interface Answer { status: number, headers: IncomingHttpHeaders, body: Buffer }

/** the open WebSocket, the provider's answer where it wants none, or why there is neither */
async function connect (
  { upstream, credential }: Way, { route: { path }, search }: Inbound, headers: IncomingHttpHeaders
): Promise<WebSocket | Answer | Error> {
  const url = `${upstream.origin}${upstream.path(path)}${search}`
  const own = typeof credential === 'function' ? [] : credential
  const sent = upstreamHeaders(headers, own, null)
  if (typeof credential === 'function') sent.push(...await credential({ method: 'GET', url, headers: sent, body: null }))
  const socket = new WebSocket(url.replace(/^http/, 'ws'), {
    headers: named(sent),
    perMessageDeflate: false,
    handshakeTimeout: CONNECT_MS,
    followRedirects: false,
    rejectUnauthorized: true,
    ...upstream.ca === undefined ? {} : { ca: upstream.ca },
  })
  return await new Promise((resolve) => {
    socket.once('open', () => {
      // what comes with the very bytes that open it waits for the session
      socket.pause()
      resolve(socket)
    })
    socket.once('error', resolve)
    socket.once('unexpected-response', (_request, answer: IncomingMessage) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const end = (): void => {
        const { statusCode: status = 502, headers } = answer
        resolve({ status, headers, body: Buffer.concat(chunks) })
      }
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= MOST_ANSWER_BYTES) chunks.push(chunk)
      })
      answer.once('end', end).once('error', end)
    })
  })
}

/** but for those that say what WebSocket the client's own is */
function named (list: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string
    if (!name.startsWith('sec-websocket-')) headers[name] = list[i + 1] as string
  }
  return headers
}
