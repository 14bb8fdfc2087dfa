import { type CallOpening, type Charge, type UsageEvent } from '../../usage/usage.ts'

/**
 * Usage events as the JSON that `post_usage` reads: keys are column names, amounts are text since JSON's numbers would
 * round them. Nothing here throws for what an event contains: PostgreSQL refuses it, and the batch is split.
 */
export function eventRows (events: UsageEvent[]): object[] {
  return events.map(({ opening, end }) => ({
    day: dayOf(opening.id),
    id: opening.id,
    organization_id: opening.organizationId,
    team_id: opening.teamId,
    project_id: opening.projectId,
    user_id: opening.userId,
    key_id: opening.keyId,
    session_id: opening.sessionId,
    tags: opening.tags,
    provider: opening.provider,
    endpoint: opening.endpoint,
    model: opening.model,
    model_used: end.modelUsed,
    stream: opening.stream,
    request_id: opening.requestId,
    provider_request_id: end.providerRequestId,
    outcome: end.outcome,
    status: end.status,
    certainty: end.certainty,
    input_tokens: end.usage?.inputTokens,
    cache_read_tokens: end.usage?.cacheReadTokens,
    cache_write_5m_tokens: end.usage?.cacheWrite5mTokens,
    cache_write_1h_tokens: end.usage?.cacheWrite1hTokens,
    output_tokens: end.usage?.outputTokens,
    reasoning_tokens: end.usage?.reasoningTokens,
    web_searches: end.usage?.webSearches,
    tier: end.usage?.tier,
    quote_nano: String(opening.quoteNano),
    cost_nano: String(end.costNano),
    price_version: opening.priceVersion,
    opened_at: timeOf(opening.openedAt),
    ended_at: timeOf(end.endedAt),
  }))
}

export function chargeRows (events: UsageEvent[]): object[] {
  return events.flatMap(({ opening, end }) => {
    const day = dayOf(opening.id)
    return end.charges.map((charge) => chargeRow(day, opening, charge))
  })
}

function chargeRow (day: string, opening: CallOpening, charge: Charge): object {
  const hold = opening.holds.find(({ accountId }) => accountId === charge.accountId)
  return {
    day,
    event_id: opening.id,
    account_id: charge.accountId,
    amount_nano: String(charge.amountNano),
    covered_nano: String(charge.coveredNano),
    quote_nano: String(hold?.quoteNano ?? 0n),
    rate: hold?.rate ?? null,
  }
}

const SUSPECT = /\\u0000|\\ud[89a-f]/i
const UNSTORABLE = /[\0\p{Surrogate}]/gu

/**
 * JSON that PostgreSQL can read. What a provider or a client puts into a text must not keep its event from being
 * recorded, so characters that PostgreSQL's text cannot hold become U+FFFD.
 */
export function jsonOf (rows: object[]): string {
  const json = JSON.stringify(rows)
  return SUSPECT.test(json) ? JSON.stringify(rows, storable) : json
}

function storable (_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replace(UNSTORABLE, '\uFFFD') : value
}

/** The day (UTC) in a UUIDv7: fixed when the call opened, so a repeated event meets itself in the same partition. */
export function dayOf (id: string): string {
  const time = timeOf(openedAtOf(id))
  return time.slice(0, time.indexOf('T'))
}

/** The time in a UUIDv7, ms since the epoch. */
export function openedAtOf (id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** A number that is no time stays visible in PostgreSQL's refusal. */
function timeOf (ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms}T`
}
