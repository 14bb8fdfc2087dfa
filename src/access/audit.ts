import { type Budget } from '../budget/budget.ts'
import { renderBudget } from '../budget/define.ts'
import { type LongHold } from '../holds/hold.ts'
import { renderHold } from '../holds/render.ts'
import { type GatewayKey } from '../keys/key.ts'
import { type AdminToken } from '../keys/admin-tokens.ts'
import { renderKey, renderToken } from '../keys/render.ts'
import { type WrittenOff } from '../account/lost-gateways.ts'
import { type ExchangeRate, renderRate } from '../money/exchange-rates.ts'
import { type PriceOverride } from '../pricing/layers.ts'
import { renderOverride } from '../pricing/overrides.ts'
import { formatNano } from '../money/amount.ts'
import { type CacheCheck, type NewReversal, type NewUsage } from '../usage/recording.ts'
import { type Actor, type Reach } from './actor.ts'

/** Whose an object is: what decides who may read of its changes. */
export interface Owners {
  /** null: of no organization, so for administrators alone */
  organizationId: string | null
  /** `type:id` of its scope and of those of the budgets above it */
  scopes: string[]
  /** of those above it alone: to whom it may be told what it stands below */
  scopesAbove: string[]
}

/** What a change says of itself; who made it and by which request is known. */
export interface AuditDraft extends Owners {
  /** of an object, in the past tense: `budget.created` */
  action: string
  objectType: string
  objectId: string
  /** as the API shows the object, without secrets; null: there was none, there is none any more */
  before: object | null
  after: object | null
}

/** One line of the audit log. */
export interface AuditEntry extends Omit<AuditDraft, 'before' | 'after'> {
  /** its place in the chain, counted from 1 without a gap */
  seq: number
  id: string
  /** RFC 3339, in UTC, to the millisecond */
  at: string
  actor: Pick<Actor, 'id' | 'name'> & { role: string }
  requestId: string | null
  from: string | null
  /** canonical JSON, the very text that was hashed */
  before: string | null
  after: string | null
  /** SHA-256 over the hash before it and this entry */
  hash: Buffer
}

/** What a change writes down, in its own transaction. */
export interface AuditTrail {
  note (draft: AuditDraft): void
  /** whose a budget is at this moment of the transaction */
  ownersOf (budgetId: string): Promise<Owners>
}

export interface AuditQuery {
  /** id of the actor */
  actor?: string
  action?: string
  objectType?: string
  objectId?: string
  /** ms since the epoch, inclusive */
  from?: number
  /** exclusive */
  to?: number
  /** objects of these types are not told of */
  withoutTypes?: readonly string[]
  /** null: everything */
  reach: Reach | null
  limit: number
  /** the nextCursor of the page before */
  cursor?: string
}

export interface AuditPage {
  /** the newest first */
  entries: AuditEntry[]
  /** null: this is the last page */
  nextCursor: string | null
}

/** The log as it is read. What is out of reach does not exist. */
export interface AuditLog {
  page (query: AuditQuery): Promise<AuditPage>
  get (id: string, query: Pick<AuditQuery, 'reach' | 'withoutTypes'>): Promise<AuditEntry | null>
}

/** JSON with names in order, so that equal objects are equal texts. */
export function canonical (value: unknown): string {
  return JSON.stringify(value, (_name, one: unknown) => typeof one === 'object' && one !== null && !Array.isArray(one)
    ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => a < b ? -1 : 1))
    : one)
}

/** `above`: the budgets above it */
export function ownersOfBudget (budget: Budget, above: readonly Budget[]): Owners {
  const scopesOf = (budgets: readonly Budget[]) =>
    [...new Set(budgets.map(({ scopeType, scopeId }) => `${scopeType}:${scopeId}`))]
  return {
    organizationId: budget.organizationId, scopes: scopesOf([budget, ...above]), scopesAbove: scopesOf(above),
  }
}

export function ownersOfKey ({ organizationId, teamId, projectId, userId }: GatewayKey): Owners {
  const scopes = scopeNames([['organization', organizationId], ['team', teamId], ['project', projectId], ['user', userId]])
  return { organizationId, scopes, scopesAbove: [] }
}

function scopeNames (ids: [type: string, id: string | null][]): string[] {
  return ids.flatMap(([type, id]) => id === null ? [] : [`${type}:${id}`])
}

/** Who may read of both: an object that moves from one team to another is not told of in full to either. */
export function common (before: Owners, after: Owners): Owners {
  return {
    organizationId: before.organizationId === after.organizationId ? after.organizationId : null,
    scopes: after.scopes.filter((scope) => before.scopes.includes(scope)),
    scopesAbove: after.scopesAbove.filter((scope) => before.scopesAbove.includes(scope)),
  }
}

/** As somebody may see it who reaches the object: not what it stands below, where that is out of reach. */
export function within (entry: AuditEntry, reach: Reach | null): AuditEntry {
  if (reach?.scope == null || entry.objectType !== 'budget') return entry
  if (entry.scopesAbove.includes(`${reach.scope.type}:${reach.scope.id}`)) return entry
  return { ...entry, before: withoutParent(entry.before), after: withoutParent(entry.after) }
}

function withoutParent (state: string | null): string | null {
  if (state === null) return null
  const shown = JSON.parse(state) as object
  return 'parentBudgetId' in shown ? canonical({ ...shown, parentBudgetId: null }) : state
}

export function budgetChange (action: string, owners: Owners, before: Budget | null, after: Budget): AuditDraft {
  return {
    action: `budget.${action}`,
    objectType: 'budget',
    objectId: after.id,
    ...owners,
    before: before === null ? null : renderBudget(before),
    after: renderBudget(after),
  }
}

export function keyChange (action: string, before: GatewayKey | null, after: GatewayKey): AuditDraft {
  return {
    action: `key.${action}`,
    objectType: 'key',
    objectId: after.id,
    ...ownersOfKey(after),
    before: before === null ? null : renderKey(before),
    after: renderKey(after),
  }
}

export function tokenChange (action: string, before: AdminToken | null, after: AdminToken): AuditDraft {
  return {
    action: `token.${action}`,
    objectType: 'token',
    objectId: after.id,
    organizationId: after.reach?.organizationId ?? null,
    // a token is the business of whoever may make one: nobody who reaches only a part of an organization
    scopes: [],
    scopesAbove: [],
    before: before === null ? null : renderToken(before),
    after: renderToken(after),
  }
}

/** of rates nothing is changed, and each is everybody's */
export function rateChange (rate: ExchangeRate): AuditDraft {
  return {
    action: 'rate.added',
    objectType: 'rate',
    objectId: rate.currency,
    organizationId: null,
    scopes: [],
    scopesAbove: [],
    before: null,
    after: renderRate(rate),
  }
}

export function priceChange (override: PriceOverride): AuditDraft {
  return {
    action: 'price.added',
    objectType: 'price',
    objectId: `${override.provider}/${override.model}`,
    organizationId: null,
    scopes: [],
    scopesAbove: [],
    before: null,
    after: renderOverride(override),
  }
}

export function gatewayChange (
  incarnation: number, before: { host: string, state: string }, written: readonly WrittenOff[]
): AuditDraft {
  const countedAsSpent = written.map(({ budgetId, accountId, amountNano, currency }) =>
    ({ budgetId, accountId: String(accountId), amount: formatNano(amountNano), currency }))
  return {
    action: 'gateway.written_off',
    objectType: 'gateway',
    objectId: String(incarnation),
    organizationId: null,
    scopes: [],
    scopesAbove: [],
    before,
    after: { host: before.host, state: 'written off', countedAsSpent },
  }
}

/** `before`: as the API showed it, or its state alone */
export function holdChange (action: string, before: object | null, after: LongHold): AuditDraft {
  const { organizationId, teamId, projectId, userId } = after
  return {
    action: `hold.${action}`,
    objectType: 'hold',
    objectId: after.id,
    organizationId,
    scopes: scopeNames([['organization', organizationId], ['team', teamId], ['project', projectId], ['user', userId]]),
    scopesAbove: [],
    before,
    after: renderHold(after),
  }
}

/** In counts, sums and ids: what was recorded is in the ledger, and never changes. */
export function usageChange (budgetId: string, owners: Owners, made: readonly (NewUsage | NewReversal)[]): AuditDraft {
  const sums = new Map<string, bigint>()
  for (const one of made) {
    const nano = 'backNano' in one ? -one.backNano : one.draft.amountNano
    sums.set(one.currency, (sums.get(one.currency) ?? 0n) + nano)
  }
  return {
    action: 'usage.recorded',
    objectType: 'budget',
    objectId: budgetId,
    ...owners,
    before: null,
    after: {
      count: made.length,
      amounts: Object.fromEntries([...sums].map(([currency, nano]) => [currency, formatNano(nano)])),
      ids: made.map(({ id }) => id),
      reverses: made.flatMap((one) => 'reverses' in one ? [one.reverses] : []),
    },
  }
}

export function cacheChange (budgetId: string, owners: Owners, { accounts, healed }: CacheCheck): AuditDraft {
  return {
    action: 'budget.cache_healed', objectType: 'budget', objectId: budgetId, ...owners, before: null, after: { accounts, healed },
  }
}
