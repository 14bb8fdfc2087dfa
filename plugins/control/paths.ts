import { type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify'
import { MethodNotAllowed, RouteNotFound } from '../../src/errors.ts'
import { answerProblem } from './problem.ts'

/** The paths that the API has, to tell a path that it has not from a method that the path has not. */
export class Paths {
  readonly #methods = new Map<string, Set<string>>()
  readonly #errorsPage: string

  constructor (errorsPage: string) { this.#errorsPage = errorsPage }

  add ({ url, method }: RouteOptions): void {
    const pattern = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+')
    const methods = this.#methods.get(pattern) ?? new Set()
    this.#methods.set(pattern, methods)
    for (const one of [method].flat()) methods.add(one)
  }

  answer (request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const path = request.url.split('?')[0] ?? ''
    const patterns = [...this.#methods].filter(([pattern]) => new RegExp(`^${pattern}$`).test(path))
    const allowed = [...new Set(patterns.flatMap(([, methods]) => [...methods]))].sort().join(', ')
    if (allowed === '') return answerProblem(new RouteNotFound(`There is no ${path}`), request, reply, this.#errorsPage)
    reply.header('allow', allowed)
    return answerProblem(new MethodNotAllowed(`${path} has no ${request.method}, only ${allowed}`), request, reply, this.#errorsPage)
  }
}
