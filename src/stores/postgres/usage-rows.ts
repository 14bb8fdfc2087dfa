import { quoted } from '../../json-text.ts'
import { type Charge, type Usage, type UsageEvent } from '../../usage/usage.ts'

/**
 * Usage events as the JSON that `post_usage` reads: names are column names, what is null is left out, amounts are text
 * since JSON's numbers would round them. Written piece by piece: an object per row would live until the whole batch is
 * text, and the collector would copy each of them. Nothing here throws for what an event contains: PostgreSQL refuses
 * it, and the batch is split.
 */
export function eventsJson (events: UsageEvent[]): string { return `[${events.map(eventRow).join()}]` }

export function chargesJson (events: UsageEvent[]): string {
  return `[${events.map(chargeRows).filter(Boolean).join()}]`
}

function eventRow ({ opening, end }: UsageEvent): string {
  const { usage } = end
  return `{"day":"${dayOf(opening.id)}","id":${storable(opening.id)}` +
    text('organization_id', opening.organizationId) +
    text('team_id', opening.teamId) +
    text('project_id', opening.projectId) +
    text('user_id', opening.userId) +
    text('key_id', opening.keyId) +
    text('session_id', opening.sessionId) +
    (opening.tags === null ? '' : `,"tags":${jsonOf(opening.tags)}`) +
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

/** a member of an object that has others before it */
export function text (name: string, value: string | null): string {
  return value === null ? '' : `,"${name}":${storable(value)}`
}

function tokens (usage: Usage): string {
  return `,"input_tokens":${usage.inputTokens},"cache_read_tokens":${usage.cacheReadTokens}` +
    `,"cache_write_5m_tokens":${usage.cacheWrite5mTokens},"cache_write_1h_tokens":${usage.cacheWrite1hTokens}` +
    `,"output_tokens":${usage.outputTokens},"reasoning_tokens":${usage.reasoningTokens}` +
    `,"web_searches":${usage.webSearches}`
}

function chargeRows ({ opening, end }: UsageEvent): string {
  const event = `{"day":"${dayOf(opening.id)}","event_id":${storable(opening.id)},"account_id":`
  let rows = ''
  for (let i = 0; i < end.charges.length; i++) {
    const { accountId, amountNano, coveredNano } = end.charges[i] as Charge
    // mostly they are in the same order
    const same = opening.holds[i]
    const hold = same?.accountId === accountId ? same : opening.holds.find((one) => one.accountId === accountId)
    const rate = hold?.rate ?? null
    rows += `${i === 0 ? '' : ','}${event}${accountId},"amount_nano":"${amountNano}"` +
      `,"covered_nano":"${coveredNano}","quote_nano":"${hold?.quoteNano ?? 0n}"` +
      (rate === null ? '}' : `,"rate":${storable(rate)}}`)
  }
  return rows
}

/** The same, of rows whose keys are column names. */
export function jsonOf (rows: object): string {
  return JSON.stringify(rows, (_key, value: unknown) => typeof value === 'string' ? cleaned(value) : value)
}

/**
 * What a provider or a client puts into a text must not keep its event from being recorded, so characters that
 * PostgreSQL's text cannot hold become U+FFFD.
 */
function storable (text: string): string { return quoted(text, (unclean) => JSON.stringify(cleaned(unclean))) }

const UNSTORABLE = /[\0\p{Surrogate}]/gu

function cleaned (text: string): string { return text.replace(UNSTORABLE, '\uFFFD') }

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
export function timeOf (ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms}T`
}
