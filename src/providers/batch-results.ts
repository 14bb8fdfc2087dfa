import { BATCH, costNano, surcharged } from '../pricing/cost.ts'
import { type PinnedTerms } from '../pricing/pinned.ts'
import { isEncoded, KeepingMeter, NOTHING_READ, type Facts, UnreadMeter } from '../usage/body-meter.ts'
import { ObjectMeter, type ObjectTaker } from '../usage/json-stream.ts'
import { type Meter } from '../usage/meter.ts'
import { NOTHING_USED, type Usage } from '../usage/usage.ts'
import { type AnswerHead } from './provider.ts'

/** What one line of a batch's results used; null: it does not say. */
export type LineReader = (line: Buffer) => Usage | null

/**
 * The results of a batch, a line for each request, however many: each is priced by itself, since what prices go by is
 * the length of each request and not of all. Whole, they are the end of the job.
 */
export function meterResults (terms: PinnedTerms, answer: AnswerHead, read: LineReader): Meter {
  if (answer.status >= 400 || isEncoded(answer.contentEncoding)) return new UnreadMeter()
  return new KeepingMeter(new ObjectMeter(new Lines(terms, read)), 'last')
}

class Lines implements ObjectTaker {
  readonly #terms: PinnedTerms
  readonly #read: LineReader
  #usage: Usage = NOTHING_USED
  #costNano: bigint | null = 0n
  #over = false

  constructor (terms: PinnedTerms, read: LineReader) {
    this.#terms = terms
    this.#read = read
  }

  take (line: Buffer): void {
    const usage = this.#read(line)
    const { model } = this.#terms
    const nano = usage === null ? null : costNano(model, atTier(usage, this.#terms))
    this.#costNano = nano === null || this.#costNano === null ? null : this.#costNano + nano
    if (usage !== null) this.#usage = sumOf(this.#usage, usage)
  }

  end (): void { this.#over = true }

  get counted (): number { return Number(this.#over) }

  facts (): Facts {
    if (!this.#over) return NOTHING_READ
    const job = { id: null, over: true }
    if (this.#costNano === null) return { ...NOTHING_READ, job }
    return { ...NOTHING_READ, job, usage: this.#usage, costNano: this.#costNano, final: true }
  }
}

/** that it was a batch is said by all of it, and may be by each line again */
function atTier (usage: Usage, { bound }: PinnedTerms): Usage {
  const said = usage.tier === BATCH ? null : usage.tier
  return { ...usage, tier: surcharged(said ?? bound.tier, bound.surcharge) }
}

function sumOf (one: Usage, other: Usage): Usage {
  const units: Record<string, number> = { ...one.units }
  for (const [name, count] of Object.entries(other.units ?? {})) units[name] = (units[name] ?? 0) + count
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
    cacheWrite5mTokens: one.cacheWrite5mTokens + other.cacheWrite5mTokens,
    cacheWrite1hTokens: one.cacheWrite1hTokens + other.cacheWrite1hTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
    webSearches: one.webSearches + other.webSearches,
    tier: BATCH,
    ...Object.keys(units).length === 0 ? {} : { units },
  }
}
