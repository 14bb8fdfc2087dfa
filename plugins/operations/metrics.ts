import { timingSafeEqual, createHash } from 'node:crypto'
import { type FastifyInstance, type FastifyPluginOptions } from 'fastify'
import { type Metrics } from '../../src/metrics.ts'

export interface MetricsOptions extends FastifyPluginOptions {
  metrics: Metrics
  /** brings the gauges up to date, before each scrape */
  collect: () => void
  /** bearer token that a scrape must bring; absent: open */
  token?: string | undefined
}

/** `/metrics`, in Prometheus' text format. */
export default async function metrics (app: FastifyInstance, options: MetricsOptions): Promise<void> {
  const expected = options.token === undefined ? null : digest(`Bearer ${options.token}`)
  app.get('/metrics', { logLevel: 'silent' }, async (request, reply) => {
    const given = digest(request.headers.authorization ?? '')
    if (expected !== null && !timingSafeEqual(given, expected)) {
      return await reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'This needs the metrics token.' })
    }
    options.collect()
    reply.header('content-type', options.metrics.registry.contentType)
    return await options.metrics.registry.metrics()
  })
}

function digest (text: string): Buffer { return createHash('sha256').update(text).digest() }
