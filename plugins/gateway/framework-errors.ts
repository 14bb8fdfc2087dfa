import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type CallGate } from '../../src/gateway/call.ts'
import { type Provider } from '../../src/providers/provider.ts'
import { splitTarget } from './client-key.ts'
import { rootDialect, rootPrefixes } from './gateway.ts'
import { refusalOf, refuse } from './refusals.ts'

export interface FrameworkErrorOptions {
  gate: CallGate
  providers: Provider[]
  /** the prefix below which the gateway plugin is registered */
  mount?: string
}

/**
 * Fastify refuses a malformed URL before any plugin hears of it. Given as the server option `frameworkErrors`, this
 * puts that refusal in the dialect of the path; elsewhere it stays what Fastify makes of it.
 */
export function frameworkErrors (
  { gate, providers, mount = '' }: FrameworkErrorOptions
): (error: Error & { statusCode?: number }, request: FastifyRequest, reply: FastifyReply) => void {
  const root = rootDialect(providers)
  const roots = rootPrefixes(providers)
  return (error, request, reply) => {
    const { path } = splitTarget(request.raw.url ?? '')
    const own = providers.find(({ name }) => path.startsWith(`${mount}/${name}/`))
    const atRoot = roots.some((prefix) => path.startsWith(`${mount}${prefix}/`))
    const provider = own ?? (atRoot ? root(request.headers, path.slice(mount.length)) : null)
    if (provider === null) reply.code(error.statusCode ?? 400).send(error)
    else refuse(gate, provider, refusalOf(error, 0), request, reply)
  }
}
