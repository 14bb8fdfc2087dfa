import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type Authorship, type Changes, type Stores } from '../../src/access/changes.ts'
import { idempotencyKey, once } from '../../src/access/idempotency.ts'

/** What a change answers with, once it is committed. */
export interface Outcome {
  status: number
  headers?: Record<string, string>
  body: unknown
}

export type Mutate =
  (request: FastifyRequest, reply: FastifyReply, work: (stores: Stores) => Promise<Outcome>) => Promise<FastifyReply>

/** The one way in which a route changes something: once, where the request carries an Idempotency-Key. */
export function mutateBy (changes: Changes): Mutate {
  return async (request, reply, work) => {
    const key = idempotencyKey(request.headers['idempotency-key'])
    const { answer, replayed } = await changes.run(authorship(request), async (stores) => key === null
      ? { answer: await work(stores), replayed: false }
      : await once(stores.idempotency, repeatable(request, key), async () => await work(stores)))
    if (replayed) reply.header('idempotency-replayed', 'true')
    return await reply.code(answer.status).headers(answer.headers ?? {}).send(answer.body)
  }
}

function authorship ({ actor, id, ip }: FastifyRequest): Authorship {
  return { actor, requestId: id, from: ip }
}

/** what was answered to somebody who reached further is not answered again */
function repeatable ({ actor: { id, role, reach }, method, url, body }: FastifyRequest, key: string) {
  const actorId = reach === null ? id : JSON.stringify([id, role, reach])
  return { actorId, key, route: `${method} ${url}`, body }
}
