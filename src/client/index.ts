import createFetchClient, { type Client, type ClientPathsWithMethod, type MaybeOptionalInit, type MethodResponse } from 'openapi-fetch'
import { type paths } from './api.ts'
import { persistentFetch, type PersistentFetchOptions } from './persistent-fetch.ts'

export { ApiError, type ErrorCode } from './api-error.ts'
export { type components, type operations, type paths } from './api.ts'

/**
 * A typed client of the admin API, for Node 20 and later and for browsers. Its types are generated from the API's own
 * description, so a wrong path, field or answer does not compile. Every answer that is no success is thrown as an
 * ApiError; what passes (no answer, 429, 503) is tried again, which is safe: every change carries an Idempotency-Key.
 */
export interface ClientOptions extends PersistentFetchOptions {
  /** of the gateway, e.g. http://127.0.0.1:8080 */
  baseUrl: string
}

export interface RelaycoreClient {
  GET: Call<'get'>
  POST: Call<'post'>
  PUT: Call<'put'>
  PATCH: Call<'patch'>
  DELETE: Call<'delete'>
  /** The pages of a list, one after the other, each as GET answers it; `limit` is their size. */
  pages: <P extends PagedPath>(path: P, ...init: InitParam<Init<'get', P>>) => AsyncGenerator<Data<'get', P>, void, undefined>
}

type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete'
type Api = Client<paths, 'application/json'>
type Init<V extends Verb, P extends ClientPathsWithMethod<Api, V>> = MaybeOptionalInit<paths[P], V>
type InitParam<I> = undefined extends I ? [init?: I] : [init: I]

/** What a route answers where it succeeds, e.g. `Data<'get', '/budgets/{id}/status'>`. */
export type Data<V extends Verb, P extends ClientPathsWithMethod<Api, V>> = MethodResponse<Api, V, P>

/** `response` has the headers, e.g. `etag`; its body has been read. */
export interface Answer<V extends Verb, P extends ClientPathsWithMethod<Api, V>> {
  data: Data<V, P>
  response: Response
}

type Call<V extends Verb> =
  <P extends ClientPathsWithMethod<Api, V>>(path: P, ...init: InitParam<Init<V, P>>) => Promise<Answer<V, P>>

type PagedPath = {
  [P in ClientPathsWithMethod<Api, 'get'>]: Data<'get', P> extends { nextCursor: string | null } ? P : never
}[ClientPathsWithMethod<Api, 'get'>]

export type Budget = Data<'get', '/budgets/{id}'>
export type BudgetStatus = Data<'get', '/budgets/{id}/status'>
export type UsageRecord = Data<'get', '/budgets/{id}/usage'>['usage'][number]
export type GatewayKey = Data<'get', '/keys/{id}'>

const BASE = '/api/v1'

export function createClient ({ baseUrl, ...options }: ClientOptions): RelaycoreClient {
  const inner = createFetchClient<paths, 'application/json'>({
    baseUrl: baseUrl.replace(/(?<!\/)\/+$/, '').replace(/\/api\/v1$/, '') + BASE,
    fetch: persistentFetch(options),
  })
  // the types of a call are those of Call, and what it does is the same for all
  const untyped = inner as unknown as Record<Uppercase<Verb>, (path: string, init?: Untyped) => Promise<UntypedAnswer>>
  const call = (verb: Uppercase<Verb>) => async (path: string, init?: Untyped) => {
    const { data, response } = await untyped[verb](path, init)
    return { data, response }
  }
  const client = {
    GET: call('GET'),
    POST: call('POST'),
    PUT: call('PUT'),
    PATCH: call('PATCH'),
    DELETE: call('DELETE'),
    pages: async function * (path: string, init: Untyped = {}) {
      let cursor = init.params?.query?.['cursor']
      do {
        const query = { ...init.params?.query, ...cursor === undefined ? {} : { cursor } }
        const { data } = await client.GET(path, { ...init, params: { ...init.params, query } })
        yield data
        cursor = data?.nextCursor ?? null
      } while (cursor !== null)
    },
  }
  return client as unknown as RelaycoreClient
}

interface Untyped { params?: { query?: Record<string, unknown> } }

interface UntypedAnswer { data?: { nextCursor?: string | null }, response: Response }
