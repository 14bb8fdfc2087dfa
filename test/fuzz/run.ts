import fc from 'fast-check'
import { Client } from 'undici'
import { aCall, type Call, segmentOf, shown } from './calls.ts'
import { type Operation, operationsOf } from './description.ts'
import { type Known, learn } from './values.ts'
import { type Answer, faultsOf } from './verdict.ts'

/** Who asks, and what its answers may never hold unless it said so itself. */
export interface Caller {
  name: string
  authorization: string | null
  secrets: readonly string[]
}

export interface Fuzz {
  /** of the gateway, e.g. http://127.0.0.1:8080 */
  url: string
  callers: readonly Caller[]
  known: Known
  /** for all routes together */
  ms: number
  seed?: number
}

export interface Fuzzed { requests: number, byStatus: Map<number, number> }

const ALIVE_MS = 10_000
const LEAST = 10
const MOST = 1_000_000

/** the routes that the gateway at `url` says it has */
export async function describedBy (url: string): Promise<Operation[]> {
  return operationsOf(await (await fetch(`${url}/api/v1/openapi.json`)).json())
}

/**
 * Requests to one route, made from its own description, for `ms`: every answer is one that it describes, in time, and
 * tells nothing that it must not; the gateway lives on. Throws with the seed and the smallest request that fails.
 */
export async function fuzzRoute (operation: Operation, { url, callers, known, ms, seed }: Fuzz): Promise<Fuzzed> {
  const client = new Client(url, { headersTimeout: 15_000, bodyTimeout: 15_000 })
  const result: Fuzzed = { requests: 0, byStatus: new Map() }
  const property = fc.asyncProperty(aCall(operation, known), fc.nat(), async (call, which) => {
    const caller = callers[which % callers.length] as Caller
    const answer = await ask(client, call, caller)
    result.requests++
    result.byStatus.set(answer.status, (result.byStatus.get(answer.status) ?? 0) + 1)
    const faults = faultsOf(operation, call, answer, caller.secrets)
    if (faults.length > 0) {
      const got = `${answer.status} ${answer.text.slice(0, 1_000)}`
      throw new Error(`${caller.name}: ${faults.join(', and ')}\n${shown(call)}\n\n${got}`)
    }
    if (answer.status >= 300 || !answer.text.startsWith('{')) return
    learn(known, segmentOf(operation.path), JSON.parse(answer.text))
  })
  const seeded = seed === undefined ? {} : { seed }
  try {
    // some on the slowest machine, and more while there is time
    await fc.assert(property, { numRuns: LEAST, ...seeded })
    const more = await fc.check(property, { numRuns: MOST, interruptAfterTimeLimit: ms, ...seeded })
    // what the time ended is no failure, not even before the first of them
    if (more.counterexample !== null) {
      throw new Error(await fc.asyncDefaultReportMessage(more) ?? 'It failed', { cause: more.errorInstance })
    }
  } finally {
    await client.destroy()
  }
  await stillLives(url)
  return result
}

async function ask (client: Client, call: Call, { authorization }: Caller): Promise<Answer> {
  const { method, path, body } = call
  const headers = { ...authorization === null ? {} : { authorization }, ...call.headers }
  const from = performance.now()
  const response = await client.request({ method: method as 'GET', path, body, headers })
  const text = await response.body.text()
  return { status: response.statusCode, headers: response.headers, text, ms: performance.now() - from }
}

async function stillLives (url: string): Promise<void> {
  const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(ALIVE_MS) })
  await answer.body?.cancel()
  if (answer.status !== 200) throw new Error(`/healthz answers ${answer.status}`)
}
