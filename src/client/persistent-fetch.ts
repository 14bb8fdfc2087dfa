import { ApiError, retryAfterOf } from './api-error.ts'

export interface PersistentFetchOptions {
  /** an admin token, or how to get one: asked before each attempt, so that it may expire */
  token: string | (() => string | Promise<string>)
  /** attempts after the first, where trying again can help; 3 if not given */
  retries?: number
  /** of one attempt, ms; 30,000 if not given */
  timeoutMs?: number
  /** instead of the global one */
  fetch?: (request: Request) => Promise<Response>
}

const BACKOFF_MS = 250
/** who is told to wait longer is told so, rather than kept waiting */
const LONGEST_WAIT_MS = 30_000

/**
 * A fetch that carries the token, throws what is no success as an ApiError, and tries again where no answer came or
 * 429 or 503 did. Changes carry an Idempotency-Key, the same in every attempt, so that they happen once. The request's
 * own signal ends all of it, waiting included.
 */
export function persistentFetch (options: PersistentFetchOptions): (request: Request) => Promise<Response> {
  const { token, retries = 3, timeoutMs = 30_000, fetch = (request: Request) => globalThis.fetch(request) } = options
  return async (request) => {
    const { signal } = request
    if (request.method !== 'GET' && !request.headers.has('idempotency-key')) {
      request.headers.set('idempotency-key', randomKey())
    }
    for (let attempt = 0; ; attempt++) {
      request.headers.set('authorization', `Bearer ${typeof token === 'string' ? token : await token()}`)
      const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const result = await attempted(fetch, new Request(request.clone(), { signal: within }))
      if (result instanceof Response && result.ok) return result
      const waitMs = attempt < retries && !signal.aborted ? waitBefore(attempt, result) : null
      if (waitMs === null) throw result instanceof Response ? await ApiError.of(result) : result.error
      if (result instanceof Response) await result.body?.cancel()
      await pause(waitMs, signal)
    }
  }
}

async function attempted (
  fetch: (request: Request) => Promise<Response>, request: Request
): Promise<Response | { error: unknown }> {
  try {
    return await fetch(request)
  } catch (error) {
    return { error }
  }
}

/** ms; null: trying again does not help */
function waitBefore (attempt: number, result: Response | { error: unknown }): number | null {
  const backoff = BACKOFF_MS * 2 ** attempt * (0.5 + Math.random())
  if (!(result instanceof Response)) return backoff
  if (result.status !== 429 && result.status !== 503) return null
  const told = (retryAfterOf(result.headers) ?? 0) * 1_000
  return told > LONGEST_WAIT_MS ? null : Math.max(told, backoff)
}

async function pause (ms: number, signal: AbortSignal): Promise<void> {
  // who has left already is not told so again
  signal.throwIfAborted()
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
  signal.throwIfAborted()
}

/** 128 random bits; crypto.randomUUID is for pages over TLS alone */
function randomKey (): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
