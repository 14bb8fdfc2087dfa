import { type Refusal } from '../errors.ts'
import { BATCH } from '../pricing/cost.ts'
import { type CallBound } from '../pricing/price.ts'
import { badRequest, notMetered, shown } from './body.ts'
import { AS_ASKED, type BillableEndpoint, type CallRequest, isRefusal, type Target } from './provider.ts'

/** One of the requests in a batch, as its endpoint reads it. */
export type Read = CallRequest | Refusal

/**
 * One of the requests, as it stands in its bytes. What its endpoint would send otherwise is refused: what is in a
 * batch goes to the provider as it is.
 */
export function readAlone (endpoint: BillableEndpoint, body: unknown, bytes: Buffer, target: Target): Read {
  const read = endpoint.read(body, bytes, target)
  if (isRefusal(read) || read.stream || endpoint.forwardBody(read, body, bytes, AS_ASKED).equals(bytes)) return read
  return notMetered('what a request of a batch leaves open, such as how often tools may be used,')
}

/** its message names the field, or else where it is */
function of (refusal: Refusal, name: string): Refusal {
  return refusal.field === undefined ? { ...refusal, message: `${name}: ${refusal.message}` } : { ...refusal, field: `${name}.${refusal.field}` }
}

/**
 * Many requests sent at once, each of which is quoted as its own endpoint does and costs what a batch costs. They are
 * of one model, so that the budgets of that model are those of all. `where`: what the i-th is called in the body.
 */
export function batchOf (requests: Iterable<Read>, where: (i: number) => string): CallRequest | Refusal {
  const parts: CallBound[] = []
  let first: CallRequest | null = null
  let inputTokens = 0
  let webSearches = 0
  let units: CallBound['units'] = {}
  let cacheWrite: CallBound['cacheWrite'] = 'none'
  let endUser: unknown
  for (const read of requests) {
    const name = where(parts.length)
    if (isRefusal(read)) return of(read, name)
    if (read.stream || read.background === true) return badRequest(`${name} cannot be streamed or in the background: it is in a batch.`, name)
    first ??= read
    if (read.model !== first.model) return notMetered(`A batch of several models (${shown(first.model)} and ${shown(read.model)})`)
    if (read.bound.others !== undefined) return notMetered('A batch whose requests let other models work')
    if (read.bound.tier !== first.bound.tier) return notMetered('A batch of several tiers')
    inputTokens += read.bound.inputTokens
    // by these it is decided what of an answer is read
    webSearches = Math.max(webSearches, read.bound.webSearches)
    units = { ...units, ...read.bound.units }
    if (read.bound.cacheWrite === '1h' || cacheWrite === 'none') ({ cacheWrite } = read.bound)
    endUser = parts.length === 0 || endUser === read.endUser ? read.endUser : null
    parts.push({ ...read.bound, surcharge: BATCH })
  }
  if (first === null) return badRequest('A batch needs at least one request.')
  return {
    ...first,
    // no limit in the body is that of all of them
    thinking: null,
    background: true,
    endUser,
    bound: {
      inputTokens,
      outputTokens: null,
      choices: 1,
      cacheWrite,
      tier: first.bound.tier,
      surcharge: BATCH,
      webSearches,
      ...Object.keys(units).length === 0 ? {} : { units },
      parts,
    },
  }
}
