import { invalidField } from '../errors.ts'
import { rateLimitsOf } from '../limits/rate-limits.ts'
import { AMOUNT_EXPECTED, formatNano, parseAmount } from '../money/amount.ts'
import { isCurrency } from '../money/currency.ts'
import { isPlain } from '../text.ts'
import {
  type Budget, type BudgetAlert, type BudgetFilters, type BudgetMode, type CapToFit, type CarryOver, type Period,
  type ScopeType,
} from './budget.ts'
import { type BudgetDraft } from './hierarchy.ts'
import { timeIn } from './period.ts'
import { isForEach, MAX_SUBJECT, splitTag } from './subject.ts'

/**
 * What an administrator sends, as a definition, and back. Pure. Every error names the field (a JSON path), what is
 * expected and what came; nothing that is not understood is ignored.
 */
type Fields = Record<string, unknown>

const SCOPES: ScopeType[] = ['organization', 'team', 'user', 'project', 'key', 'session', 'tag', 'endUser']
const PERIODS: Period[] = ['daily', 'weekly', 'monthly', 'quarterly', 'annual', 'custom']
const MODES: BudgetMode[] = ['enforced', 'soft', 'shadow']
const ACTIONS = ['notify', 'restrict-models', 'require-approval', 'auto-downgrade', 'block-all'] as const
/** they are limits: past the whole budget they would be none */
const LIMITING: readonly string[] = ['block-all', 'require-approval']
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const NAMES = new Set(['name', 'description', 'scopeType', 'scopeId', 'amount', 'currency', 'period', 'startDate',
  'endDate', 'recurring', 'alerts', 'tags', 'parentBudgetId', 'createdBy', 'organizationId', 'timezone', 'mode', 'paused',
  'filters', 'overrides', 'capToFit', 'carryOver', 'failMode', 'rateLimits'])
const REQUIRED = ['name', 'scopeType', 'scopeId', 'amount', 'currency', 'period'] as const

/** `now`: ms since the epoch, the default of startDate */
export function defineBudget (body: unknown, now: number): BudgetDraft {
  const fields = fieldsOf(body)
  for (const name of REQUIRED) if (fields[name] === undefined) throw invalidField(name, 'given', undefined)
  const custom = fields['period'] === 'custom'
  return agreeing(complete({ recurring: !custom, startDate: new Date(now).toISOString(), ...fields }), fields)
}

/** absent fields stay; null takes away what may be absent */
export function changeBudget (current: Budget, body: unknown): BudgetDraft {
  const fields = fieldsOf(body)
  return agreeing(complete({ ...draftFields(current), ...fields }), fields)
}

/** JSON merge patch (RFC 7396): as above, and objects are merged name by name */
export function patchBudget (current: Budget, body: unknown): BudgetDraft {
  const fields = fieldsOf(body)
  return agreeing(complete(merged(draftFields(current), fields)), fields)
}

/** An organization's budget is of that organization: another one that is sent is not replaced silently. */
function agreeing (draft: BudgetDraft, sent: Fields): BudgetDraft {
  const { scopeType, scopeId, organizationId } = draft
  if (scopeType !== 'organization' || sent['organizationId'] == null || organizationId === scopeId) return draft
  throw invalidField('organizationId', `absent or ${JSON.stringify(scopeId)}, which scopeId names`, organizationId)
}

function merged (target: Fields, patch: Fields): Fields {
  const result = new Map(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name)
    else result.set(name, isObject(value) ? merged(objectOr(result.get(name)), value) : value)
  }
  return Object.fromEntries(result)
}

function isObject (value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectOr (value: unknown): Fields { return isObject(value) ? value : {} }

function fieldsOf (body: unknown): Fields {
  if (!isObject(body)) throw invalidField('body', 'a JSON object', body)
  for (const [name, value] of Object.entries(body)) {
    if (!NAMES.has(name)) throw invalidField(name, `absent: there is no such field (${[...NAMES].join(', ')})`, value)
  }
  return body
}

function complete (f: Fields): BudgetDraft {
  const amountNano = amountOf(f['amount'])
  const alerts = alertsOf(f['alerts'] ?? [], amountNano)
  const mode = oneOf('mode', MODES, f['mode'] ?? 'enforced')
  const period = oneOf('period', PERIODS, f['period'])
  const timezone = zoneOf(f['timezone'] ?? 'UTC')
  const startDate = timeIn(timezone, 'startDate', f['startDate'])
  const endDate = f['endDate'] === undefined || f['endDate'] === null ? null : timeIn(timezone, 'endDate', f['endDate'])
  if (endDate !== null && endDate <= startDate) throw invalidField('endDate', 'after startDate', f['endDate'])
  const recurring = flagOf('recurring', f['recurring'] ?? period !== 'custom')
  if (period === 'custom' && endDate === null && recurring) {
    throw invalidField('endDate', 'given where a custom period recurs: it ends its first run', undefined)
  }
  const scope = scopeOf(f['scopeType'], f['scopeId'])
  return {
    organizationId: optionalText('organizationId', f['organizationId'], 256),
    name: textOf('name', f['name'], 256),
    description: optionalText('description', f['description'], 4_096),
    ...scope,
    amountNano,
    overrides: overridesOf(f['overrides'] ?? {}, scope),
    currency: currencyOf(f['currency']),
    period,
    timezone,
    startDate,
    endDate,
    recurring,
    mode,
    paused: flagOf('paused', f['paused'] ?? false),
    capToFit: capOf(f['capToFit'] ?? false),
    carryOver: carryOf(f['carryOver'] ?? false, recurring),
    failOpenNano: failOpenOf(f['failMode'] ?? 'closed'),
    rateLimits: rateLimitsOf('rateLimits', f['rateLimits']),
    filters: filtersOf(f['filters'] ?? {}),
    alerts,
    tags: stringMap('tags', f['tags'] ?? {}),
    parentBudgetId: parentOf(f['parentBudgetId']),
    createdBy: optionalText('createdBy', f['createdBy'], 256),
  }
}

function scopeOf (type: unknown, id: unknown): Pick<BudgetDraft, 'scopeType' | 'scopeId'> {
  const scopeType = oneOf('scopeType', SCOPES, type)
  const scopeId = textOf('scopeId', id, 256)
  const scope = { scopeType, scopeId }
  if (scopeType === 'organization' && isForEach(scope)) throw invalidField('scopeId', 'the id of one organization', id)
  if (scopeType !== 'tag') return scope
  const { name, value } = splitTag(scopeId)
  if (name.length < 1 || name.length > 64 || name !== name.trim() || name.includes(',') || value === '' || value !== value.trim()) {
    throw invalidField('scopeId', 'the name and the value of a tag, e.g. "costCenter=4711", or for each value "costCenter=*"', id)
  }
  return scope
}

const MOST_OVERRIDES = 1_000

function overridesOf (value: unknown, scope: Pick<BudgetDraft, 'scopeType' | 'scopeId'>): Record<string, string> {
  const entries = Object.entries(mapOf('overrides', value))
  if (entries.length > 0 && !isForEach(scope)) throw invalidField('overrides', 'absent where a budget is for one', value)
  if (entries.length > MOST_OVERRIDES) throw invalidField('overrides', `at most ${MOST_OVERRIDES} amounts`, `${entries.length} of them`)
  return Object.fromEntries(entries.map(([subject, amount]) => {
    if (subject !== subject.trim() || subject === '' || subject.length > MAX_SUBJECT || !isPlain(subject)) {
      throw invalidField('overrides', `an object with names of 1 to ${MAX_SUBJECT} characters`, subject)
    }
    const nano = parseAmount(amount)
    if (nano === null || nano === 0n) throw invalidField(`overrides/${subject}`, `more than 0, ${AMOUNT_EXPECTED}`, amount)
    return [subject, formatNano(nano)]
  }))
}

function amountOf (value: unknown): bigint {
  const nano = parseAmount(value)
  if (nano === null || nano === 0n) throw invalidField('amount', `more than 0, ${AMOUNT_EXPECTED}`, value)
  return nano
}

function currencyOf (value: unknown): string {
  if (typeof value === 'string' && isCurrency(value)) return value
  throw invalidField('currency', 'an ISO 4217 code in capital letters, e.g. "USD"', value)
}

function zoneOf (value: unknown): string {
  if (typeof value === 'string' && value.length <= 64 && isTimeZone(value)) return value
  throw invalidField('timezone', 'an IANA time zone, e.g. "Europe/Berlin"', value)
}

/** Not what libraries take besides: `local`, `UTC+3`, `+03:00`. */
function isTimeZone (name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

function alertsOf (value: unknown, amountNano: bigint): BudgetAlert[] {
  if (!Array.isArray(value) || value.length > 50) throw invalidField('alerts', 'a list of at most 50 alerts', value)
  const seen = new Set<number | string>()
  return value.map((one: unknown, i) => {
    const alert = alertOf(`alerts/${i}`, one, amountNano)
    const [field, mark] = alert.threshold === undefined ? ['amount', alert.amount ?? ''] : ['threshold', alert.threshold]
    if (seen.has(mark)) throw invalidField(`alerts/${i}/${field}`, 'different from the others', mark)
    seen.add(mark)
    return alert
  })
}

function alertOf (path: string, value: unknown, amountNano: bigint): BudgetAlert {
  const fields = mapOf(path, value)
  rejectOthers(path, fields, ['threshold', 'amount', 'actions', 'notificationChannels', 'message', 'models', 'downgrade'])
  const actions = listOf(`${path}/actions`, fields['actions'] ?? ['notify']).map((action, i) =>
    oneOf(`${path}/actions/${i}`, [...ACTIONS], action))
  const limiting = actions.find((action) => LIMITING.includes(action))
  return {
    ...markOf(path, fields['threshold'], fields['amount'], limiting, amountNano),
    actions: [...new Set(actions)],
    notificationChannels: listOf(`${path}/notificationChannels`, fields['notificationChannels'] ?? []),
    message: optionalText(`${path}/message`, fields['message'], 1_024),
    ...modelsOf(path, actions, fields['models']),
    ...downgradeOf(path, actions, fields['downgrade']),
  }
}

/** a percentage, or an amount */
function markOf (
  path: string, threshold: unknown, amount: unknown, limiting: string | undefined, amountNano: bigint
): Pick<BudgetAlert, 'threshold' | 'amount'> {
  if (amount !== undefined && amount !== null) {
    if (threshold !== undefined && threshold !== null) throw invalidField(`${path}/amount`, 'absent where there is a threshold', amount)
    const nano = parseAmount(amount)
    if (nano === null || nano === 0n) throw invalidField(`${path}/amount`, `more than 0, ${AMOUNT_EXPECTED}`, amount)
    if (limiting !== undefined && nano > amountNano) {
      throw invalidField(`${path}/amount`, `at most the amount of the budget where its action is ${limiting}`, amount)
    }
    return { amount: formatNano(nano) }
  }
  const nano = parseAmount(threshold)
  if (typeof threshold !== 'number' || nano === null || nano === 0n || threshold > 1_000) {
    throw invalidField(`${path}/threshold`, 'a percentage above 0, at most 1000, or an amount in its place', threshold)
  }
  if (limiting !== undefined && threshold > 100) {
    throw invalidField(`${path}/threshold`, `at most 100 where its action is ${limiting}`, threshold)
  }
  return { threshold }
}

function modelsOf (path: string, actions: readonly string[], value: unknown): Pick<BudgetAlert, 'models'> {
  const given = value !== undefined && value !== null
  if (!actions.includes('restrict-models')) {
    if (given) throw invalidField(`${path}/models`, 'absent where restrict-models is no action', value)
    return {}
  }
  const models = given ? listOf(`${path}/models`, value) : []
  if (models.length > 0) return { models }
  throw invalidField(`${path}/models`, 'the models that restrict-models still allows, e.g. ["gpt-4o-mini", "claude-*"]', value)
}

function downgradeOf (path: string, actions: readonly string[], value: unknown): Pick<BudgetAlert, 'downgrade'> {
  const given = value !== undefined && value !== null
  if (!actions.includes('auto-downgrade')) {
    if (given) throw invalidField(`${path}/downgrade`, 'absent where auto-downgrade is no action', value)
    return {}
  }
  const downgrade = given ? stringMap(`${path}/downgrade`, value) : {}
  if (Object.keys(downgrade).length > 0) return { downgrade }
  throw invalidField(`${path}/downgrade`, 'a map from models to cheaper ones, e.g. {"gpt-4o": "gpt-4o-mini"}', value)
}

const CAP_EXPECTED = 'true, false, or an object with minimumTokens and reasoning'
const DEFAULT_MINIMUM_TOKENS = 1_024

function capOf (value: unknown): CapToFit | null {
  if (value === false || value === null) return null
  if (value === true) return { minimumTokens: DEFAULT_MINIMUM_TOKENS, reasoning: false }
  if (!isObject(value)) throw invalidField('capToFit', CAP_EXPECTED, value)
  rejectOthers('capToFit', value, ['minimumTokens', 'reasoning'])
  const minimum = value['minimumTokens'] ?? DEFAULT_MINIMUM_TOKENS
  if (typeof minimum !== 'number' || !Number.isSafeInteger(minimum) || minimum < 1 || minimum > 10_000_000) {
    throw invalidField('capToFit/minimumTokens', 'a whole number from 1 to 10000000', minimum)
  }
  return { minimumTokens: minimum, reasoning: flagOf('capToFit/reasoning', value['reasoning'] ?? false) }
}

const CARRY_EXPECTED = 'true, false, or an object with percent, max and debt'

function carryOf (value: unknown, recurring: boolean): CarryOver | null {
  if (value === false || value === null) return null
  if (!recurring) throw invalidField('carryOver', 'false where the budget does not recur', value)
  if (value === true) return { percent: 100, max: null, debt: true }
  if (!isObject(value)) throw invalidField('carryOver', CARRY_EXPECTED, value)
  rejectOthers('carryOver', value, ['percent', 'max', 'debt'])
  const percent = value['percent'] ?? 100
  if (typeof percent !== 'number' || parseAmount(percent) === null || percent > 100) {
    throw invalidField('carryOver/percent', 'a percentage from 0 to 100', percent)
  }
  const max = value['max'] ?? null
  const nano = max === null ? null : parseAmount(max)
  if (max !== null && nano === null) throw invalidField('carryOver/max', AMOUNT_EXPECTED, max)
  return { percent, max: nano === null ? null : formatNano(nano), debt: flagOf('carryOver/debt', value['debt'] ?? true) }
}

function failOpenOf (value: unknown): bigint | null {
  if (value === 'closed' || value === null) return null
  if (!isObject(value)) throw invalidField('failMode', '"closed", or {"openUpTo": an amount}', value)
  rejectOthers('failMode', value, ['openUpTo'])
  const nano = parseAmount(value['openUpTo'])
  if (nano === null || nano === 0n) throw invalidField('failMode/openUpTo', `more than 0, ${AMOUNT_EXPECTED}`, value['openUpTo'])
  return nano
}

function filtersOf (value: unknown): BudgetFilters {
  const fields = mapOf('filters', value)
  rejectOthers('filters', fields, ['providers', 'models', 'endpoints', 'tags'])
  const filters: BudgetFilters = {}
  if (fields['providers'] != null) filters.providers = listOf('filters/providers', fields['providers'])
  if (fields['models'] != null) filters.models = listOf('filters/models', fields['models'])
  if (fields['endpoints'] != null) filters.endpoints = listOf('filters/endpoints', fields['endpoints'])
  if (fields['tags'] != null) filters.tags = stringMap('filters/tags', fields['tags'])
  return filters
}

function listOf (path: string, value: unknown): string[] {
  if (!Array.isArray(value) || value.length > 100) throw invalidField(path, 'a list of at most 100 strings', value)
  return value.map((one: unknown, i) => textOf(`${path}/${i}`, one, 256))
}

function stringMap (path: string, value: unknown): Record<string, string> {
  const fields = mapOf(path, value)
  const entries = Object.entries(fields)
  if (entries.length > 64) throw invalidField(path, 'an object of at most 64 strings', `${entries.length} of them`)
  return Object.fromEntries(entries.map(([name, text]) => {
    if (name === '' || name.length > 128 || !isPlain(name)) throw invalidField(path, 'an object with names of 1 to 128 characters', name)
    return [name, textOf(`${path}/${name}`, text, 256, 0)]
  }))
}

function mapOf (path: string, value: unknown): Fields {
  if (!isObject(value)) throw invalidField(path, 'an object', value)
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    if (Object.hasOwn(value, name)) throw invalidField(path, `an object without ${name}`, value)
  }
  return value
}

function rejectOthers (path: string, fields: Fields, names: string[]): void {
  const other = Object.keys(fields).find((name) => !names.includes(name))
  if (other !== undefined) throw invalidField(`${path}/${other}`, `absent: the fields are ${names.join(', ')}`, fields[other])
}

function textOf (path: string, value: unknown, max: number, min = 1): string {
  const text = typeof value === 'string' ? value.trim() : null
  if (text !== null && text.length >= min && text.length <= max && isPlain(text)) return text
  throw invalidField(path, `a string of ${min} to ${max} characters`, value)
}

function optionalText (path: string, value: unknown, max: number): string | null {
  return value === undefined || value === null ? null : textOf(path, value, max)
}

function flagOf (path: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw invalidField(path, 'true or false', value)
}

function parentOf (value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && UUID.test(value)) return value.toLowerCase()
  throw invalidField('parentBudgetId', 'the id of a budget, a UUID', value)
}

function oneOf<T extends string> (path: string, values: readonly T[], value: unknown): T {
  const found = values.find((one) => one === value)
  if (found === undefined) throw invalidField(path, `one of ${values.join(', ')}`, value)
  return found
}

function draftFields (budget: Budget): Fields {
  const { amountNano, startDate, endDate, failOpenNano } = budget
  return {
    ...Object.fromEntries(Object.entries(budget).filter(([name]) => NAMES.has(name))),
    amount: formatNano(amountNano),
    failMode: failModeOf(failOpenNano),
    startDate: new Date(startDate).toISOString(),
    endDate: endDate === null ? null : new Date(endDate).toISOString(),
  }
}

function failModeOf (openNano: bigint | null): 'closed' | { openUpTo: string } {
  return openNano === null ? 'closed' : { openUpTo: formatNano(openNano) }
}

type Shown = Exclude<keyof Budget, 'amountNano' | 'enforcedLimitNano' | 'failOpenNano' | 'rate' | 'rateAt'> |
  'amount' | 'enforcedLimit' | 'failMode'

/** the budget as the admin API shows it: amounts as decimal strings, times in RFC 3339 UTC */
export function renderBudget (budget: Budget) {
  const { endDate, archivedAt } = budget
  const time = (at: number) => new Date(at).toISOString()
  // each by its name: hierarchies show hundreds, and a rest of fields is slow to copy
  return {
    id: budget.id,
    organizationId: budget.organizationId,
    name: budget.name,
    description: budget.description,
    scopeType: budget.scopeType,
    scopeId: budget.scopeId,
    currency: budget.currency,
    period: budget.period,
    timezone: budget.timezone,
    recurring: budget.recurring,
    mode: budget.mode,
    paused: budget.paused,
    filters: budget.filters,
    overrides: budget.overrides,
    alerts: budget.alerts,
    tags: budget.tags,
    parentBudgetId: budget.parentBudgetId,
    createdBy: budget.createdBy,
    version: budget.version,
    amount: formatNano(budget.amountNano),
    enforcedLimit: formatNano(budget.enforcedLimitNano),
    capToFit: budget.capToFit ?? false,
    carryOver: budget.carryOver ?? false,
    failMode: failModeOf(budget.failOpenNano),
    rateLimits: budget.rateLimits,
    startDate: time(budget.startDate),
    endDate: endDate === null ? null : time(endDate),
    createdAt: time(budget.createdAt),
    updatedAt: time(budget.updatedAt),
    archivedAt: archivedAt === null ? null : time(archivedAt),
  } satisfies Record<Shown, unknown>
}
