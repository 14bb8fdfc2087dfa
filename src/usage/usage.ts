import { isInputUnit, isOutputUnit } from './units.ts'

/**
 * What one call consumed, in the provider-independent shape that prices are applied to.
 * Counts are tokens of text unless said otherwise; `inputTokens` excludes what was read from or written to a cache
 * (providers differ: OpenAI reports it inclusive, Anthropic exclusive), `outputTokens` includes reasoning.
 */
export interface Usage {
  inputTokens: number
  cacheReadTokens: number
  cacheWrite5mTokens: number
  cacheWrite1hTokens: number
  outputTokens: number
  /** part of outputTokens, for reports only */
  reasoningTokens: number
  /** billed per request, e.g. Anthropic server_tool_use.web_search_requests */
  webSearches: number
  /** the tier that the provider says it used (service_tier, speed), null when it does not say */
  tier: string | null
  /**
   * What is billed beside text tokens, by the names in units.ts: of each more than none. Never part of what is above.
   * Absent where there is none, which is nearly always.
   */
  units?: Record<string, number>
  /**
   * What the provider itself says that the call cost, nano-USD (OpenRouter `usage.cost`, xAI `cost_in_usd_ticks`); it
   * counts before any price of a catalog. Absent: it does not say.
   */
  reportedNano?: bigint
}

/** for what is billed by units alone, or not at all */
export const NOTHING_USED: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  webSearches: 0,
  tier: null,
}

/** tokens of every kind that went in, whatever they are billed as: what context tiers go by */
export function tokensIn (usage: Usage): number {
  const { inputTokens, cacheReadTokens, cacheWrite5mTokens, cacheWrite1hTokens, units } = usage
  const text = inputTokens + cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens
  return units === undefined ? text : text + sumOf(units, isInputUnit)
}

/** tokens of every kind that came out */
export function tokensOut ({ outputTokens, units }: Usage): number {
  return units === undefined ? outputTokens : outputTokens + sumOf(units, isOutputUnit)
}

function sumOf (units: Record<string, number>, counts: (name: string) => boolean): number {
  let sum = 0
  for (const name in units) if (counts(name)) sum += units[name] as number
  return sum
}

/**
 * exact: reported by the provider. estimated: computed from what was seen of the answer.
 * uncertain: nobody can know; charged at the quote, corrected when the truth turns up.
 */
export type Certainty = 'exact' | 'estimated' | 'uncertain'

export type CallOutcome =
  | 'completed'          // the whole answer reached the client
  | 'client_gone'        // the client left; the answer was drained, or cut, by policy
  | 'upstream_error'     // the provider answered 4xx or 5xx
  | 'upstream_broken'    // the answer was cut short or never came
  | 'budget_cut'         // the answer outgrew its hold, and no more could be held for it: it was ended
  | 'crashed'            // found open in the journal by recovery

/** One account that a call is held on. Amounts in nano-units of the account's currency. */
export interface AccountHold {
  accountId: number
  quoteNano: bigint
  /** account currency per USD as a decimal string; null: the account is in USD */
  rate: string | null
  /** false: the budget is soft, no lease stands behind the quote and the charge moves `settled` only */
  enforced: boolean
}

/** What one call costs one account. `coveredNano` is the part paid by the gateway's lease; the rest is debt. */
export interface Charge {
  accountId: number
  amountNano: bigint
  coveredNano: bigint
}

/** Everything that is known when a call opens; journaled before its first byte goes upstream. */
export interface CallOpening {
  /** UUIDv7; also the id of its hold and of its usage event */
  id: string
  /** ms since the epoch, the time inside `id` */
  openedAt: number
  organizationId: string
  teamId: string | null
  projectId: string | null
  userId: string | null
  keyId: string
  sessionId: string | null
  /** absent: none that counts */
  endUserId?: string | undefined
  tags: Record<string, string> | null
  provider: string
  /** e.g. `chat.completions`, `messages` */
  endpoint: string
  model: string
  stream: boolean
  /** the client's own x-request-id, for correlation */
  requestId: string | null
  /** USD, nano-units */
  quoteNano: bigint
  priceVersion: string
  holds: AccountHold[]
}

/** How a call ended; journaled before its usage is forgotten. */
export interface CallEnd {
  id: string
  endedAt: number
  outcome: CallOutcome
  /** the provider's HTTP status, null when it never answered */
  status: number | null
  certainty: Certainty
  modelUsed: string | null
  usage: Usage | null
  /** USD, nano-units */
  costNano: bigint
  charges: Charge[]
  providerRequestId: string | null
}

/** One call, finished: what the ledger records. */
export interface UsageEvent {
  opening: CallOpening
  end: CallEnd
}
