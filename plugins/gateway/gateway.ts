import httpProxy from '@fastify/http-proxy'
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type CallGate, type JobDesk } from '../../src/gateway/call.ts'
import { parseBody, type ParsedBody } from '../../src/providers/body.ts'
import { Load } from '../../src/load.ts'
import { type Provider } from '../../src/providers/provider.ts'
import { admission, refusePath } from './admission.ts'
import { splitTarget } from './client-key.ts'
import { type DrainLimits, Exchanges } from './exchanges.ts'
import { handle } from './forwarding.ts'
import { JobAsker } from './job-asker.ts'
import { counted } from './place.ts'
import { isGone, type Plane } from './plane.ts'
import { refusalOf, refuse } from './refusals.ts'
import { type Dialect, RouteTable } from './routes.ts'
import { Sockets } from './sockets.ts'
import { openUpstream, type Upstream, type UpstreamLimits, type UpstreamOptions } from './upstream.ts'

/**
 * The data plane: takes AI clients' requests under `/<provider>/v1` and `/v1`, and passes on those whose path is
 * known, whose key is good and that the gate lets through. `@fastify/http-proxy` owns routes and prefixes; paths are
 * compared raw and whole, before its own check could see them; the call itself is an Exchange. Everything else is
 * refused in the dialect of the path, before its body is read. Nothing of it leaks into the app around it: parser,
 * hooks and error shapes are this plugin's own.
 */
export interface GatewayOptions {
  gate: CallGate
  /** absent: there are no calls that go on behind their answers */
  jobs?: JobDesk
  /** their names are the path prefixes, and keys of `upstreams` */
  providers: Provider[]
  /** by provider name, and `demo` for the models `demo-*` where there is one */
  upstreams: Record<string, UpstreamOptions>
  limits?: Partial<GatewayLimits>
  drain?: Partial<DrainLimits>
  /** by upstream name, what happens to a call whose client leaves; default drain */
  onDisconnect?: Record<string, 'drain' | 'abort'>
  /** given where somebody else wants to see or close what is under way */
  exchanges?: Exchanges
  /** how much is taken on at once; given where somebody else wants to see it */
  load?: Load
  /** how long closing waits for open calls before it cuts them */
  closeTimeoutMs?: number
  /** reads a body's JSON, or says why it cannot be let through; default `parseBody` */
  parse?: (bytes: Buffer) => ParsedBody
}

export interface GatewayLimits extends UpstreamLimits {
  bodyBytes: number
  /** how long a call may wait for a connection to its provider */
  queueMs: number
  /** how long a client may take nothing of its answer before it counts as gone */
  stalledClientMs: number
  /** how long a WebSocket stays open without a message of its client's and without a call under way */
  socketIdleMs: number
}

export const DEFAULT_LIMITS: GatewayLimits = {
  bodyBytes: 32 * 1024 * 1024,
  connections: 512,
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 600_000,
  bodyTimeoutMs: 120_000,
  keepAliveMs: 15_000,
  queueMs: 30_000,
  stalledClientMs: 120_000,
  socketIdleMs: 900_000,
}

export const DEFAULT_DRAIN: DrainLimits = { ms: 120_000, bytes: 16 * 1024 * 1024, calls: 256 }

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']
const DEFAULT_CLOSE_MS = 30_000

export default async function gateway (app: FastifyInstance, options: GatewayOptions): Promise<void> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const upstreams = openUpstreams(options, limits)
  const jobs = options.jobs ?? NO_JOBS
  const asker = new JobAsker({ jobs, providers: options.providers, upstreams, log: app.log })
  jobs.askedBy((job) => asker.ask(job))
  const plane: Plane = {
    gate: options.gate,
    jobs,
    asker,
    upstreams,
    exchanges: options.exchanges ?? newExchanges(options),
    load: options.load ?? new Load(),
    onDisconnect: options.onDisconnect ?? {},
    bodyBytes: limits.bodyBytes,
    sockets: new Sockets(limits.bodyBytes, limits.socketIdleMs),
    silenceMs: limits.bodyTimeoutMs,
    parse: options.parse ?? parseBody,
  }
  app.decorateRequest('inbound', null)
  for (const provider of options.providers) {
    await registerPrefix(app, plane, `/${provider.name}`, '', [provider], () => provider)
  }
  const atRoot = options.providers.filter((provider) => provider.atRoot)
  for (const root of rootPrefixes(atRoot)) await registerPrefix(app, plane, '', root, atRoot, rootDialect(atRoot))

  const prefixes = [...options.providers.map(({ name }) => `${app.prefix}/${name}/`), ...rootPrefixes(atRoot).map((root) => `${app.prefix}${root}/`)]
  plane.sockets.listen(app, (url) => prefixes.some((prefix) => url.startsWith(prefix)))

  app.addHook('preClose', async () => {
    asker.stop()
    plane.sockets.close()
    const cut = await plane.exchanges.close(options.closeTimeoutMs ?? DEFAULT_CLOSE_MS)
    if (cut > 0) app.log.warn({ cut }, 'open calls were cut because the gateway stops')
  })
  app.addHook('onClose', async () => {
    await Promise.all([...plane.upstreams.values()].map(({ pool }) => pool.destroy()))
  })
}

/** The registry of what is under way, for whoever wants to hold it outside of the plugin. */
export function newExchanges (options: Pick<GatewayOptions, 'limits' | 'drain'>): Exchanges {
  const { queueMs, stalledClientMs } = { ...DEFAULT_LIMITS, ...options.limits }
  return new Exchanges({ queueMs, stalledClientMs, drain: { ...DEFAULT_DRAIN, ...options.drain } })
}

/** At the root the path says whose request it is, or else headers that only one family of clients sends. */
export function rootDialect (providers: Provider[]): Dialect {
  const atRoot = providers.filter((provider) => provider.atRoot)
  return (headers, path) => {
    const own = atRoot.filter(({ endpoints }) => endpoints.some((endpoint) => path.startsWith(`${firstSegment(endpoint.path)}/`)))
    const whose = own.length > 0 ? own : atRoot
    const found = whose.find(({ dialect }) => dialect.speaks(headers)) ?? whose[0]
    if (found === undefined) throw new Error('the gateway needs a provider at its root')
    return found
  }
}

/** what the paths of the providers at the root begin with: `/v1` */
export function rootPrefixes (providers: Provider[]): string[] {
  const paths = providers.filter(({ atRoot }) => atRoot).flatMap(({ endpoints }) => endpoints)
  return [...new Set(paths.map(({ path }) => firstSegment(path)))]
}

function firstSegment (path: string): string { return path.slice(0, path.indexOf('/', 1)) }

/** `prefix`: what stands before the providers' paths; `below`: what of these alone is served here */
async function registerPrefix (
  app: FastifyInstance, plane: Plane, prefix: string, below: string, providers: Provider[], dialect: Dialect
): Promise<void> {
  const register = async (scope: FastifyInstance): Promise<void> => {
    const mount = scope.prefix.slice(0, scope.prefix.length - below.length)
    const table = new RouteTable(mount, providers, dialect)
    scope.removeAllContentTypeParsers()
    // the bytes go upstream as they came; the handler parses them for the gate
    scope.addContentTypeParser(['application/json', 'multipart/form-data'], { parseAs: 'buffer', bodyLimit: plane.bodyBytes },
      (_request, bytes, done) => { done(null, bytes) })
    scope.addHook('onRequest', admission(plane, table))
    scope.addHook('preParsing', counted)
    scope.setErrorHandler((error, request, reply) => { answerError(plane, table, error, request, reply) })
    scope.setNotFoundHandler((request, reply) => { refusePath(plane, table, request, reply) })
    await scope.register(httpProxy, {
      // the paths behind it are checked below this prefix; each upstream has its own in front of it
      upstream: 'http://upstream.invalid',
      rewritePrefix: '/',
      proxyPayloads: false,
      disableRequestLogging: true,
      httpMethods: METHODS,
      // nothing goes upstream but by an Exchange
      undici: { request: () => { throw new Error('only an exchange may reach a provider') } },
      // takes over every request: http-proxy's own handler would make three URLs of it to find what is known already
      preHandler: (request, reply) => { handle(plane, request, reply) },
      handler: () => { throw new Error('a request was not taken over') },
    })
  }
  // in logs a URL ends before its query, which may hold a key
  const logSerializers = { req: loggedRequest }
  await app.register(register, { prefix: `${prefix}${below}`, logSerializers })
}

function answerError (
  plane: Plane, table: RouteTable, error: unknown, request: FastifyRequest, reply: FastifyReply
): void {
  if (isGone(request, reply)) return
  const refusal = refusalOf(error, plane.bodyBytes)
  if (refusal.code === 'internal_error') request.log.error({ err: error }, 'a request failed')
  const { path } = splitTarget(request.raw.url ?? '')
  const provider = request.inbound?.route.provider ?? table.dialect(request.headers, path.slice(table.prefix.length))
  refuse(plane.gate, provider, refusal, request, reply)
}

function openUpstreams (options: GatewayOptions, limits: GatewayLimits): Map<string, Upstream> {
  return new Map(Object.entries(options.upstreams).map(([name, upstream]) => {
    const provider = options.providers.find((one) => one.name === name)
    return [name, openUpstream(name, upstream, provider, limits)]
  }))
}

const NO_JOBS: JobDesk = {
  find: async () => ({ code: 'job_not_found', message: 'There are no jobs here.', retryable: false }),
  askedBy: () => {},
  fileRefusal: async () => ({ code: 'job_not_found', message: 'There are no files here.', retryable: false }),
  addFiles: async () => null,
  heard: async () => {},
  missed: async () => {},
}

function loggedRequest (request: FastifyRequest): string {
  return `${request.method} ${splitTarget(request.raw.url ?? '').path}`
}
