import { type HeldAccount, type HoldDraft, type LongHold, type Settlement } from '../../holds/hold.ts'
import { type HoldEnd } from '../../holds/hold-store.ts'
import { type Usage } from '../../usage/usage.ts'
import { bigintOf, idOf } from './pool.ts'
import { jsonOf } from './usage-rows.ts'

/** Long holds as rows, and as the JSON that their SQL functions read: names are columns, amounts are text. */
export function holdJson (hold: HoldDraft): string {
  return JSON.stringify({
    id: hold.id,
    source: hold.source,
    organization_id: hold.organizationId,
    team_id: hold.teamId,
    project_id: hold.projectId,
    user_id: hold.userId,
    key_id: hold.keyId,
    session_id: hold.sessionId ?? null,
    tags: hold.tags,
    provider: hold.provider,
    endpoint: 'holds',
    model: hold.model,
    external_id: hold.externalId,
    description: hold.description,
    metadata: hold.metadata,
    amount_nano: String(hold.amountNano),
    currency: hold.currency,
    rate: hold.rate,
    quote_nano: String(hold.quoteNano),
    price_version: hold.priceVersion,
    created_by: hold.createdBy,
    opened_at: new Date(hold.openedAt),
    expires_at: new Date(hold.expiresAt),
  })
}

export function amountJson (
  amounts: readonly { accountId: number, quoteNano?: bigint, amountNano?: bigint, rate?: string | null }[]
): string {
  return jsonOf(amounts.map(({ accountId, quoteNano, amountNano, rate }) => ({
    account_id: accountId,
    rate,
    ...quoteNano === undefined ? {} : { quote_nano: String(quoteNano) },
    ...amountNano === undefined ? {} : { amount_nano: String(amountNano) },
  })))
}

export function endJson (end: HoldEnd): string { return JSON.stringify(settledJson(end)) }

export function settledJson ({ settlement, costNano, correctionId }: Omit<HoldEnd, 'costs'>): object {
  const { cost, usage, modelUsed, requestId } = settlement
  return {
    cost_nano: String(costNano),
    correction_id: correctionId,
    model_used: modelUsed,
    request_id: requestId,
    ...usage === null ? {} : tokens(usage),
    settlement: {
      ...settlement,
      usage: usage?.reportedNano === undefined ? usage : { ...usage, reportedNano: String(usage.reportedNano) },
      cost: cost === null ? null : { ...cost, amountNano: String(cost.amountNano) },
    },
  }
}

function tokens (usage: Usage): object {
  return {
    input_tokens: usage.inputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_5m_tokens: usage.cacheWrite5mTokens,
    cache_write_1h_tokens: usage.cacheWrite1hTokens,
    output_tokens: usage.outputTokens,
    reasoning_tokens: usage.reasoningTokens,
    web_searches: usage.webSearches,
    tier: usage.tier,
    units: usage.units,
    reported_nano: usage.reportedNano === undefined ? undefined : String(usage.reportedNano),
  }
}

/** a hold with its accounts, in the order of their ids */
export const HOLDS = `
  select h.*, (
    select json_agg(json_build_object('account_id', r.account_id::text, 'budget_id', a.budget_id, 'budget_name', b.name,
      'currency', a.currency, 'period_start', a.period_start, 'period_end', a.period_end, 'quote_nano', r.quote_nano::text,
      'held_nano', r.held_nano::text, 'charged_nano', r.charged_nano::text, 'rate', r.rate) order by r.account_id)
    from long_hold_accounts r
    join budget_accounts a on a.id = r.account_id
    join budget_definitions b on b.id = a.budget_id
    where r.hold_id = h.id
  ) as accounts
  from long_holds h`

export interface HoldRow {
  id: string
  state: LongHold['state']
  source: LongHold['source']
  organization_id: string | null
  team_id: string | null
  project_id: string | null
  user_id: string | null
  key_id: string | null
  tags: Record<string, string> | null
  provider: string | null
  model: string | null
  external_id: string | null
  description: string | null
  metadata: Record<string, unknown> | null
  amount_nano: string
  currency: string
  rate: string | null
  quote_nano: string
  price_version: string
  created_by: string | null
  opened_at: Date
  expires_at: Date
  ended_at: Date | null
  expired_at: Date | null
  settlement: SettlementRow | null
  cost_nano: string | null
  job_id: string | null
  accounts: AccountRow[]
}

type UsageRow = Omit<Usage, 'reportedNano'> & { reportedNano?: string }

interface SettlementRow {
  outcome: Settlement['outcome']
  cost: { amountNano: string, currency: string } | null
  usage: UsageRow | null
  modelUsed: string | null
  requestId: string | null
}

interface AccountRow {
  account_id: string
  budget_id: string
  budget_name: string
  currency: string
  period_start: string
  period_end: string | null
  quote_nano: string
  held_nano: string
  charged_nano: string
  rate: string | null
}

export function holdOf (row: HoldRow): LongHold {
  return {
    id: row.id,
    state: row.state,
    source: row.source,
    organizationId: row.organization_id,
    teamId: row.team_id,
    projectId: row.project_id,
    userId: row.user_id,
    keyId: row.key_id,
    tags: row.tags,
    provider: row.provider,
    model: row.model,
    externalId: row.external_id,
    description: row.description,
    metadata: row.metadata,
    amountNano: bigintOf(row.amount_nano),
    currency: row.currency,
    rate: row.rate,
    quoteNano: bigintOf(row.quote_nano),
    priceVersion: row.price_version,
    createdBy: row.created_by ?? '',
    openedAt: row.opened_at.getTime(),
    expiresAt: row.expires_at.getTime(),
    endedAt: row.ended_at?.getTime() ?? null,
    expiredAt: row.expired_at?.getTime() ?? null,
    costNano: row.cost_nano === null ? null : bigintOf(row.cost_nano),
    settlement: row.settlement === null ? null : settlementOf(row.settlement),
    jobId: row.job_id,
    accounts: row.accounts.map(accountOf),
  }
}

function settlementOf (row: SettlementRow): Settlement {
  const { cost } = row
  return {
    ...row,
    usage: row.usage === null ? null : usageOf(row.usage),
    cost: cost === null ? null : { currency: cost.currency, amountNano: bigintOf(cost.amountNano) },
  }
}

function usageOf ({ reportedNano, ...counts }: UsageRow): Usage {
  return reportedNano === undefined ? counts : { ...counts, reportedNano: bigintOf(reportedNano) }
}

function accountOf (row: AccountRow): HeldAccount {
  return {
    accountId: idOf(row.account_id),
    budgetId: row.budget_id,
    budgetName: row.budget_name,
    currency: row.currency,
    periodStart: Date.parse(row.period_start),
    periodEnd: row.period_end === null ? null : Date.parse(row.period_end),
    quoteNano: bigintOf(row.quote_nano),
    heldNano: bigintOf(row.held_nano),
    chargedNano: bigintOf(row.charged_nano),
    rate: row.rate,
  }
}
