import { type FastifyInstance, type FastifyPluginOptions } from 'fastify'

export interface HealthOptions extends FastifyPluginOptions {
  /** why calls would be refused now, null: they would not */
  notReady: () => string | null
}

/** `/healthz`: the process lives. `/readyz`: it can admit calls; 503 and the reason where not. */
export default async function health (app: FastifyInstance, { notReady }: HealthOptions): Promise<void> {
  app.get('/healthz', { logLevel: 'silent' }, async () => ({ status: 'ok' }))
  app.get('/readyz', { logLevel: 'silent' }, async (_request, reply) => {
    const reason = notReady()
    if (reason === null) return { status: 'ready' }
    return await reply.code(503).send({ status: 'not ready', reason })
  })
}
