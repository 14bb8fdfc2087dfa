import { type IncomingHttpHeaders } from 'node:http'
import { type Refusal } from '../../src/errors.ts'
import { hasPlaceholder, type PathTemplate, pathTemplate } from '../../src/providers/paths.ts'
import { type Endpoint, NO_PARAMS, type Provider } from '../../src/providers/provider.ts'

/**
 * The only way from a request to an endpoint: the raw path, compared as it came. Nothing is normalised, so `..`, `%2e`,
 * `//`, other cases and trailing slashes are simply other paths, and other paths are refused. A placeholder takes no
 * more than the name of a model can be.
 */
export interface Route {
  /** with the dialect of the endpoint */
  provider: Provider
  endpoint: Endpoint
  /** what the placeholders of the endpoint's path stand for, decoded */
  params: Readonly<Record<string, string>>
  /** as it came, below what the gateway itself is mounted at */
  path: string
}

export type Dialect = (headers: IncomingHttpHeaders, path: string) => Provider

/** no longer ones are shown whole */
const ALLOWABLE = /^[A-Za-z0-9._~:/-]{1,200}$/

interface Known { provider: Provider, endpoint: Endpoint }

/** The paths below one prefix, of one provider or, at the root, of several. */
export class RouteTable {
  readonly prefix: string
  readonly #dialect: Dialect
  readonly #exact = new Map<string, Route[]>()
  readonly #templates: { template: PathTemplate, known: Known }[] = []
  readonly #available: string

  /** `prefix`: what stands before the providers' own paths */
  constructor (prefix: string, providers: Provider[], dialect: Dialect) {
    this.prefix = prefix
    this.#dialect = dialect
    const lines = new Set<string>()
    for (const provider of providers) {
      for (const endpoint of provider.endpoints) {
        const known = { provider: spoken(provider, endpoint), endpoint }
        const { method, path } = endpoint
        if (hasPlaceholder(path)) this.#templates.push({ template: pathTemplate(path), known })
        else this.#exact.set(path, [...this.#exact.get(path) ?? [], { ...known, params: NO_PARAMS, path }])
        lines.add(`${isTalk(endpoint) ? 'WebSocket' : method} ${prefix}${path.replace('+}', '}')}`)
      }
    }
    this.#available = [...lines].join(', ')
  }

  /** in whose way a request is answered that matches nothing here, or several */
  dialect (headers: IncomingHttpHeaders, path: string): Provider {
    const routes = this.#routes(path)
    const chosen = this.#dialect(headers, path)
    const named = routes.find(({ provider }) => provider.name === chosen.name)
    return (named ?? routes[0])?.provider ?? chosen
  }

  find (method: string, path: string, headers: IncomingHttpHeaders): Route | null {
    const wanted = method === 'HEAD' ? 'GET' : method
    const routes = this.#routes(path).filter(({ endpoint }) => endpoint.method === wanted && !isTalk(endpoint))
    return this.#choose(routes, path, headers)
  }

  /** of calls over a WebSocket; null: the path has none */
  socket (path: string, headers: IncomingHttpHeaders): Route | null {
    const has = ({ endpoint }: Route): boolean => endpoint.kind === 'billable' && endpoint.socket !== undefined
    const routes = this.#routes(path).filter(has)
    return this.#choose(routes, path, headers)
  }

  #choose (routes: Route[], path: string, headers: IncomingHttpHeaders): Route | null {
    const provider = routes.length > 1 ? this.dialect(headers, path).name : null
    for (const route of routes) if (provider === null || route.provider.name === provider) return route
    return null
  }

  /** the methods that a path has, for the Allow header; empty: the path does not exist here */
  methods (path: string): string[] {
    const http = this.#routes(path).filter(({ endpoint }) => !isTalk(endpoint))
    const methods = new Set<string>(http.map(({ endpoint }) => endpoint.method))
    return methods.has('GET') ? [...methods, 'HEAD', 'OPTIONS'] : methods.size > 0 ? [...methods, 'OPTIONS'] : []
  }

  refusal (method: string, path: string): Refusal {
    const known = this.methods(path.startsWith(this.prefix) ? path.slice(this.prefix.length) : '').length > 0
    const shown = path.length > 200 ? `${path.slice(0, 200)}...` : path
    return {
      code: 'path_not_allowed',
      message: `${method} ${shown} is not available through this gateway` +
        (known ? '. ' : `, because what it costs is not known here.${this.#howToAllow(method, path)} `) + `Available: ${this.#available}.`,
      retryable: false,
    }
  }

  /** what an operator can do; at the root nothing can be allowed */
  #howToAllow (method: string, path: string): string {
    if (this.prefix === '' || !path.startsWith(`${this.prefix}/`) || !ALLOWABLE.test(path)) return ''
    return ` If it costs nothing, its operator can allow it: RELAYCORE_ALLOW_UNMETERED="${method} ${path}".`
  }

  #routes (path: string): Route[] {
    const exact = this.#exact.get(path)
    if (exact !== undefined) return exact
    const routes: Route[] = []
    for (const { template, known } of this.#templates) {
      const params = template.match(path)
      if (params !== null) routes.push({ ...known, params, path })
    }
    return routes
  }
}

/** which nothing but a WebSocket reaches */
function isTalk (endpoint: Endpoint): boolean { return endpoint.kind === 'billable' && endpoint.socket?.kind === 'talk' }

/** the provider, as the clients of this endpoint are talked to */
function spoken (provider: Provider, { dialect }: Endpoint): Provider {
  return dialect === undefined || dialect === provider.dialect ? provider : { ...provider, dialect }
}
