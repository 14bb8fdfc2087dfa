import Fastify, {
  type FastifyBaseLogger, type FastifyInstance, type FastifyServerOptions, LogController,
} from 'fastify'
import { type AddressInfo } from 'node:net'
import { pino } from 'pino'
import { malformedRequests, relaycore, type RelaycoreOptions } from './app.ts'
import { type Config, rejectOwnAddress } from './config.ts'
import { Core } from './core.ts'
import { DependencyUnavailable } from './errors.ts'
import { firstStart, guide } from './first-start.ts'
import { logLines } from './log-lines.ts'
import { ownUrl } from './own-url.ts'
import { startDemoProvider } from './providers/demo/server.ts'
import { reached } from './stores/postgres/pool.ts'

/**
 * One gateway process: opens the business, listens, and stops in order on SIGTERM and SIGINT: no new calls, open ones
 * end, what is spent is recorded, all rights go back. A second signal ends it at once; the journal has what is open.
 */
export interface RunningServer {
  core: Core
  app: FastifyInstance
  /** e.g. http://127.0.0.1:8080 */
  url: string
  /** the same, where administration has no port of its own */
  adminUrl: string
  close (): Promise<void>
}

export interface StartOptions {
  config: Config
  /** what people read at a start */
  say: (message: string) => void
  onFatal: (error: Error) => void
}

/** of a request from its first byte on, or from the connection that brings none */
const HEADERS_MS = 20_000
const REQUEST_MS = 300_000
/** how often those two are looked at */
const LOOK_MS = 5_000
const KEEP_ALIVE_MS = 72_000
/** of a client that takes nothing of an answer which no exchange looks after */
const STALLED_MS = 120_000

export async function startServer ({ config, say, onFatal }: StartOptions): Promise<RunningServer> {
  await rejectOwnAddress(config)
  const log: FastifyBaseLogger = pino({ level: config.logLevel, base: null }, logLines())
  const core = await Core.open({ config, log, say, onFatal })
  const closers: (() => Promise<void>)[] = [() => core.close()]
  const close = once(async () => { for (const one of closers.reverse()) await one() })
  try {
    const demo = await startDemoProvider()
    closers.push(() => demo.close())
    const open = async (serve: RelaycoreOptions['serve'], at: Address): Promise<[FastifyInstance, string]> => {
      const app = createApp(log, core, config)
      closers.push(() => app.close())
      await app.register(relaycore, { core, demoUrl: demo.url, ...serve === undefined ? {} : { serve } })
      return [app, await listen(app, at)]
    }
    const { host, port, adminHost = host, adminPort } = config
    const calls = { host, port, names: ['HOST', 'PORT'] as const }
    const admin = { host: adminHost, port: adminPort ?? 0, names: ['RELAYCORE_ADMIN_HOST', 'RELAYCORE_ADMIN_PORT'] as const }
    // opened first, it is closed last: who stops a gateway can see it stop
    const [, ownAdminUrl] = adminPort === undefined ? [] : await open('admin', admin)
    const [app, url] = await open(adminPort === undefined ? undefined : 'calls', calls)
    const adminUrl = ownAdminUrl ?? url
    const first = await reached(firstStart(core, { url, adminUrl })).catch((err: unknown) => {
      // it serves already: where this was the first start, the next one is
      if (!(err instanceof DependencyUnavailable)) throw err
      log.warn({ err }, 'PostgreSQL did not say whether this is the first start, for which it makes a budget, a key and a token')
      return null
    })
    if (first !== null) say(`${guide(first, { url, adminUrl })}\nThis is also in ${first.file}. Keep it secret.`)
    else say(`RelayCore Budget Gateway listens on ${url}${adminUrl === url ? '' : `, its admin API on ${adminUrl}`}`)
    return { core, app, url, adminUrl, close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Address {
  host: string
  port: number
  /** of the settings that say so */
  names: readonly [host: string, port: string]
}

/** the URL it is reached at from this machine */
async function listen (app: FastifyInstance, at: Address): Promise<string> {
  try {
    await app.listen({ host: at.host, port: at.port })
  } catch (error) {
    throw plainError(error, at)
  }
  return ownUrl(at.host, (app.server.address() as AddressInfo).port)
}

function createApp (log: FastifyBaseLogger, core: Core, { trustProxy, maxConnections }: Config): FastifyInstance {
  const app = Fastify({
    loggerInstance: log,
    trustProxy: trustProxy ?? false,
    frameworkErrors: malformedRequests(core),
    childLoggerFactory: onePerSerializers(log),
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false, caseSensitive: true },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: LOOK_MS },
  })
  app.server.maxConnections = maxConnections
  app.server.on('drop', () => { core.metrics.overloads.inc({ limit: 'connections' }) })
  // Node sets it anew for each request; answers of providers never come here
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.raw.socket?.setTimeout(STALLED_MS)
    done()
  })
  // Fastify's own repeats the URL, which may hold a key
  app.setNotFoundHandler((_request, reply) => {
    void reply.code(404).send({ error: 'There is nothing here. Calls go to /v1 or below the name of a provider, administration to /api/v1.' })
  })
  return app
}

/** A request's own logger would only add a number that no line about the request's arrival explains. */
function onePerSerializers (log: FastifyBaseLogger): NonNullable<FastifyServerOptions['childLoggerFactory']> {
  const children = new Map<unknown, FastifyBaseLogger>([[undefined, log]])
  return (parent, _bindings, options) => {
    let child = children.get(options.serializers)
    if (child === undefined) children.set(options.serializers, child = parent.child({}, options))
    return child
  }
}

function plainError (error: unknown, { host, port, names: [hostName, portName] }: Address): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') {
    return new Error(`Port ${port} on ${host} is in use. Stop what listens there, or set ${portName} to another one.`, { cause: error })
  }
  if (code === 'EACCES') {
    return new Error(`Port ${port} on ${host} is not allowed for this user. Set ${portName} to one above 1023.`, { cause: error })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new Error(`${hostName} ${host} is not an address of this machine.`, { cause: error })
  }
  return error
}

function once (work: () => Promise<void>): () => Promise<void> {
  let under: Promise<void> | null = null
  return () => {
    under ??= work()
    return under
  }
}
