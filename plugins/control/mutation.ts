import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type Authorship, type Changes, type Stores } from '../../src/access/changes.ts'

/** What a change answers with, once it is committed. */
export interface Outcome {
  status: number
  headers?: Record<string, string>
  body: unknown
}

export type Mutate =
  (request: FastifyRequest, reply: FastifyReply, work: (stores: Stores) => Promise<Outcome>) => Promise<FastifyReply>

/** The one way in which a route changes something. */
export function mutateBy (changes: Changes): Mutate {
  return async (request, reply, work) => {
    const { status, headers, body } = await changes.run(authorship(request), work)
    return await reply.code(status).headers(headers ?? {}).send(body)
  }
}

function authorship ({ actor, id, ip }: FastifyRequest): Authorship {
  return { actor, requestId: id, from: ip }
}
