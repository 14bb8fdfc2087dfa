import { type UsageRecord } from '../../usage/history.ts'
import { bigintOf, idOf } from './pool.ts'

/** Of an event e and a record r of it, with its account's budget_id and currency. */
export const RECORD_COLUMNS = `e.id, r.budget_id, r.amount_nano, r.quote_nano, r.currency, r.rate, e.source, e.certainty,
  e.outcome, e.provider, e.endpoint, coalesce(e.model_used, e.model) as model, e.request_id, e.organization_id, e.team_id,
  e.project_id, e.user_id, e.key_id, e.session_id, e.tags, e.opened_at, e.ended_at, e.recorded_at, e.corrects, e.caller_id,
  e.description, e.metadata, coalesce(e.amount_nano, e.cost_nano) as original_nano, coalesce(e.currency, 'USD') as original_currency,
  e.budget_id as recorded_on, e.input_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens,
  e.output_tokens, e.reasoning_tokens, e.web_searches, e.tier, e.units`

export interface RecordRow {
  id: string
  budget_id: string
  amount_nano: string
  quote_nano: string
  currency: string
  rate: string | null
  source: UsageRecord['source']
  certainty: UsageRecord['certainty']
  outcome: string
  provider: string
  endpoint: string
  model: string
  request_id: string | null
  organization_id: string | null
  team_id: string | null
  project_id: string | null
  user_id: string | null
  key_id: string | null
  session_id: string | null
  tags: Record<string, string> | null
  opened_at: Date
  ended_at: Date
  recorded_at: Date
  corrects: string | null
  caller_id: string | null
  description: string | null
  metadata: Record<string, unknown> | null
  original_nano: string
  original_currency: string
  recorded_on: string | null
  /** null: nobody knows what was used */
  input_tokens: string | null
  cache_read_tokens: string
  cache_write_5m_tokens: string
  cache_write_1h_tokens: string
  output_tokens: string
  reasoning_tokens: string
  web_searches: number
  tier: string | null
  units: Record<string, number> | null
}

export function recordOf (row: RecordRow): UsageRecord {
  return {
    id: row.id,
    budgetId: row.budget_id,
    amountNano: bigintOf(row.amount_nano),
    quoteNano: bigintOf(row.quote_nano),
    currency: row.currency,
    rate: row.rate,
    original: { amountNano: bigintOf(row.original_nano), currency: row.original_currency },
    recordedOn: row.recorded_on,
    callerId: row.caller_id,
    reverses: row.corrects,
    description: row.description,
    source: row.source,
    certainty: row.certainty,
    outcome: row.outcome,
    provider: row.provider,
    endpoint: row.endpoint,
    model: row.model,
    requestId: row.request_id,
    organizationId: row.organization_id,
    teamId: row.team_id,
    projectId: row.project_id,
    userId: row.user_id,
    keyId: row.key_id,
    sessionId: row.session_id,
    tags: row.tags,
    consumed: consumedOf(row),
    more: row.metadata ?? {},
    openedAt: row.opened_at.getTime(),
    endedAt: row.ended_at.getTime(),
    recordedAt: row.recorded_at.getTime(),
  }
}

function consumedOf (row: RecordRow): UsageRecord['consumed'] {
  if (row.input_tokens === null) return null
  return {
    inputTokens: idOf(row.input_tokens),
    cacheReadTokens: idOf(row.cache_read_tokens),
    cacheWrite5mTokens: idOf(row.cache_write_5m_tokens),
    cacheWrite1hTokens: idOf(row.cache_write_1h_tokens),
    outputTokens: idOf(row.output_tokens),
    reasoningTokens: idOf(row.reasoning_tokens),
    webSearches: row.web_searches,
    tier: row.tier,
    ...row.units === null ? {} : { units: row.units },
  }
}
