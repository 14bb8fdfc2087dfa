import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type Identity } from '../../src/budget/budget.ts'
import { type CallGate, type JobDesk } from '../../src/gateway/call.ts'
import { type ParsedBody } from '../../src/providers/body.ts'
import { type Load } from '../../src/load.ts'
import { type Exchanges } from './exchanges.ts'
import { type JobAsker } from './job-asker.ts'
import { type Place } from './place.ts'
import { type Route } from './routes.ts'
import { type Sockets } from './sockets.ts'
import { type Upstream } from './upstream.ts'

/** What all prefixes share. */
export interface Plane {
  gate: CallGate
  jobs: JobDesk
  asker: JobAsker
  upstreams: Map<string, Upstream>
  exchanges: Exchanges
  load: Load
  onDisconnect: Record<string, 'drain' | 'abort'>
  bodyBytes: number
  sockets: Sockets
  /** how long a provider may be silent within an answer */
  silenceMs: number
  parse: (bytes: Buffer) => ParsedBody
}

/** What the hooks have found out about a request by the time it is handled. */
export interface Inbound {
  route: Route
  identity: Identity
  /** by which each call over a WebSocket is identified anew */
  key: string | undefined
  search: string
  /** what it takes up of what this gateway takes on; null: a WebSocket, which has a place of its own */
  place: Place | null
}

declare module 'fastify' {
  interface FastifyRequest { inbound: Inbound | null }
}

/** True for a client that left, also while its pipelined response waits for its turn. */
export function isGone (request: FastifyRequest, reply: FastifyReply): boolean {
  return reply.raw.destroyed || request.raw.socket.destroyed
}
