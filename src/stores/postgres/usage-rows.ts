import { type Usage, type UsageEvent } from '../../usage/usage.ts'

/**
 * Usage events as the JSON that `post_usage` reads: names are column names, what is null is left out, amounts are text
 * since JSON's numbers would round them. Written piece by piece: an object per row would live until the whole batch is
 * text, and the collector would copy each of them. Nothing here throws for what an event contains: PostgreSQL refuses
 * it, and the batch is split.
 */
export function eventsJson (events: UsageEvent[]): string {
  return storable((quote) => `[${events.map((event) => eventRow(event, quote)).join()}]`)
}

export function chargesJson (events: UsageEvent[]): string {
  return storable((quote) => `[${events.map((event) => chargeRows(event, quote)).filter(Boolean).join()}]`)
}

function eventRow ({ opening, end }: UsageEvent, quote: Quote): string {
  const { usage } = end
  const text = (name: string, value: string | null) => value === null ? '' : `,"${name}":${quote(value)}`
  return `{"day":"${dayOf(opening.id)}","id":${quote(opening.id)}` +
    text('organization_id', opening.organizationId) +
    text('team_id', opening.teamId) +
    text('project_id', opening.projectId) +
    text('user_id', opening.userId) +
    text('key_id', opening.keyId) +
    text('session_id', opening.sessionId) +
    (opening.tags === null ? '' : `,"tags":${quote(opening.tags)}`) +
    text('provider', opening.provider) +
    text('endpoint', opening.endpoint) +
    text('model', opening.model) +
    text('model_used', end.modelUsed) +
    `,"stream":${opening.stream}` +
    text('request_id', opening.requestId) +
    text('provider_request_id', end.providerRequestId) +
    text('outcome', end.outcome) +
    (end.status === null ? '' : `,"status":${end.status}`) +
    text('certainty', end.certainty) +
    (usage === null ? '' : tokens(usage) + text('tier', usage.tier)) +
    `,"quote_nano":"${opening.quoteNano}","cost_nano":"${end.costNano}"` +
    text('price_version', opening.priceVersion) +
    `,"opened_at":"${timeOf(opening.openedAt)}","ended_at":"${timeOf(end.endedAt)}"}`
}

function tokens (usage: Usage): string {
  return `,"input_tokens":${usage.inputTokens},"cache_read_tokens":${usage.cacheReadTokens}` +
    `,"cache_write_5m_tokens":${usage.cacheWrite5mTokens},"cache_write_1h_tokens":${usage.cacheWrite1hTokens}` +
    `,"output_tokens":${usage.outputTokens},"reasoning_tokens":${usage.reasoningTokens}` +
    `,"web_searches":${usage.webSearches}`
}

function chargeRows ({ opening, end }: UsageEvent, quote: Quote): string {
  const event = `{"day":"${dayOf(opening.id)}","event_id":${quote(opening.id)},"account_id":`
  return end.charges.map(({ accountId, amountNano, coveredNano }) => {
    const hold = opening.holds.find((one) => one.accountId === accountId)
    const rate = hold?.rate ?? null
    return `${event}${accountId},"amount_nano":"${amountNano}","covered_nano":"${coveredNano}"` +
      `,"quote_nano":"${hold?.quoteNano ?? 0n}"${rate === null ? '' : `,"rate":${quote(rate)}`}}`
  }).join()
}

type Quote = (value: string | object) => string

const SUSPECT = /\\u0000|\\ud[89a-f]/i
const UNSTORABLE = /[\0\p{Surrogate}]/gu

/**
 * JSON that PostgreSQL can read. What a provider or a client puts into a text must not keep its event from being
 * recorded, so characters that PostgreSQL's text cannot hold become U+FFFD.
 */
function storable (write: (quote: Quote) => string): string {
  const json = write(JSON.stringify)
  return SUSPECT.test(json) ? write((value) => JSON.stringify(value, clean)) : json
}

export function jsonOf (rows: object[]): string { return storable((quote) => quote(rows)) }

function clean (_key: string, value: unknown): unknown {
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

/** An id beyond it is none of ours: no day of PostgreSQL's calendar that ISO 8601 writes in four digits holds it. */
export const LAST_TIME = Date.UTC(9999, 11, 31)

/** A number that is no time stays visible in PostgreSQL's refusal. */
function timeOf (ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms}T`
}
