import { type IncomingHttpHeaders } from 'node:http'
import { type Refusal } from '../../src/errors.ts'
import { type BillableEndpoint, type FreeEndpoint, type Provider } from '../../src/providers/provider.ts'

/**
 * The only way from a request to an endpoint: the raw path, compared as it came. Nothing is decoded or normalised, so
 * `..`, `%2e`, `//`, other cases and trailing slashes are simply other paths, and other paths are refused.
 */
export interface Route {
  provider: Provider
  endpoint: BillableEndpoint | FreeEndpoint
  /** the model asked for by GET /models/:id */
  modelId?: string
}

export type Dialect = (headers: IncomingHttpHeaders) => Provider

/** The paths of one prefix, of one provider or, at the root, of all. */
export class RouteTable {
  readonly #prefix: string
  readonly #dialect: Dialect
  readonly #endpoints = new Map<string, Route[]>()
  readonly #available: string

  constructor (prefix: string, providers: Provider[], dialect: Dialect) {
    this.#prefix = prefix
    this.#dialect = dialect
    const lines = new Set<string>()
    for (const provider of providers) {
      for (const endpoint of provider.endpoints) {
        const path = basePath(endpoint)
        const routes = this.#endpoints.get(path) ?? []
        if (!routes.some((route) => route.provider === provider && route.endpoint.method === endpoint.method)) {
          routes.push({ provider, endpoint })
        }
        this.#endpoints.set(path, routes)
        lines.add(`${endpoint.method} ${prefix}${path}`)
      }
    }
    this.#available = [...lines].join(', ')
  }

  /** whose error shape a request gets that matches nothing here */
  dialect (headers: IncomingHttpHeaders, path: string): Provider {
    const routes = this.#endpoints.get(path)
    const chosen = this.#dialect(headers)
    if (routes === undefined || routes.some((route) => route.provider === chosen)) return chosen
    return routes[0]?.provider ?? chosen
  }

  find (method: string, path: string, headers: IncomingHttpHeaders): Route | null {
    const routes = this.#endpoints.get(path)
    if (routes === undefined) return this.#findModel(method, path, headers)
    return pick(routes, method, routes.length === 1 ? null : this.dialect(headers, path))
  }

  /** the methods that a path has, for the Allow header; empty: the path does not exist here */
  methods (path: string): string[] {
    const routes = this.#endpoints.get(path) ?? (modelOf(path) === null ? undefined : this.#endpoints.get(MODELS))
    const methods = new Set(routes?.map((route) => route.endpoint.method))
    return methods.has('GET') ? [...methods, 'HEAD', 'OPTIONS'] : methods.size > 0 ? [...methods, 'OPTIONS'] : []
  }

  refusal (method: string, path: string): Refusal {
    const known = this.methods(path).length > 0
    const shown = path.length > 200 ? `${path.slice(0, 200)}...` : path
    return {
      code: 'path_not_allowed',
      message: `${method} ${shown} is not available through this gateway` +
        (known ? '. ' : ', because what it costs is not known here. ') + `Available: ${this.#available}.`,
      retryable: false,
    }
  }

  #findModel (method: string, path: string, headers: IncomingHttpHeaders): Route | null {
    const modelId = modelOf(path)
    if (modelId === null) return null
    const route = pick(this.#endpoints.get(MODELS) ?? [], method, this.dialect(headers, MODELS))
    if (route?.endpoint.kind !== 'free' || route.endpoint.served !== 'models') return null
    return { ...route, modelId }
  }

  get prefix (): string { return this.#prefix }
}

const MODELS = '/models'

function pick (routes: Route[], method: string, provider: Provider | null): Route | null {
  const wanted = method === 'HEAD' ? 'GET' : method
  for (const route of routes) {
    if (route.endpoint.method === wanted && (provider === null || route.provider === provider)) return route
  }
  return null
}

/** `/models/:id` and `/models` are one endpoint here, whichever way a provider lists them */
function basePath (endpoint: BillableEndpoint | FreeEndpoint): string {
  const models = endpoint.kind === 'free' && endpoint.served === 'models'
  return models ? endpoint.path.replace(/\/[:*{][^/]*$/, '') : endpoint.path
}

/** Models are answered from the catalog and their name goes nowhere else, so it alone may be percent-encoded. */
function modelOf (path: string): string | null {
  if (!path.startsWith(`${MODELS}/`) || path.length === MODELS.length + 1) return null
  try {
    return decodeURIComponent(path.slice(MODELS.length + 1))
  } catch {
    return null
  }
}
