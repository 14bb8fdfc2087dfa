import { invalidField } from '../errors.ts'
import { parseAmount } from '../money/amount.ts'
import { type Budget, type Identity, type ScopeType } from './budget.ts'
import { approvalLimit, blockLimit } from './limits.ts'

/**
 * Subjects: whom a budget is for. A budget on one subject has one account per period; a budget on each of many
 * (`scopeId` `*`, of a tag `name=*`) has one per period and subject, from the same definition. Pure.
 */
type Scope = Pick<Budget, 'scopeType' | 'scopeId'>

const EACH = '*'
/** characters */
export const MAX_SUBJECT = 256

/** whether each subject has an account of its own */
export function isForEach ({ scopeType, scopeId }: Scope): boolean {
  return scopeType === 'tag' ? splitTag(scopeId).value === EACH : scopeId === EACH
}

/** `name=value`; the value may have further equals signs, the name none */
export function splitTag (scopeId: string): { name: string, value: string } {
  const at = scopeId.indexOf('=')
  if (at === -1) return { name: scopeId, value: '' }
  return { name: scopeId.slice(0, at), value: scopeId.slice(at + 1) }
}

/** who of this kind a call is for; null: nobody. Of tags, the value of the one that the scope names. */
export function subjectIn ({ scopeType, scopeId }: Scope, identity: Identity): string | null {
  switch (scopeType) {
    case 'organization': return identity.organizationId
    case 'team': return identity.teamId
    case 'project': return identity.projectId
    case 'user': return identity.userId
    case 'key': return identity.keyId === '' ? null : identity.keyId
    case 'session': return identity.sessionId
    case 'endUser': return identity.endUserId ?? null
    case 'tag': return tagIn(splitTag(scopeId).name, identity)
  }
}

function tagIn (name: string, { tags }: Identity): string | null {
  const value = tags !== null && Object.hasOwn(tags, name) ? tags[name] : undefined
  return value === undefined || value === '' ? null : value
}

/** Whether the identity has the scope, and by which subject the account is found: empty where there is but one. */
export function accountSubject (budget: Scope & Pick<Budget, 'organizationId'>, identity: Identity): string | null {
  if (budget.organizationId !== null && budget.organizationId !== identity.organizationId) return null
  const subject = subjectIn(budget, identity)
  if (subject === null || isForEach(budget)) return subject
  return subject === (budget.scopeType === 'tag' ? splitTag(budget.scopeId).value : budget.scopeId) ? '' : null
}

const overridden = new WeakMap<Budget, Map<string, Budget>>()

/** The budget as it is for one of its subjects: with the amount that this one has. The same object for the same one. */
export function forSubject (budget: Budget, subject: string): Budget {
  const amount = Object.hasOwn(budget.overrides, subject) ? parseAmount(budget.overrides[subject]) : null
  if (subject === '' || amount === null) return budget
  let known = overridden.get(budget)
  if (known === undefined) overridden.set(budget, known = new Map())
  let one = known.get(subject)
  if (one === undefined) {
    const limits = [blockLimit(budget, amount), approvalLimit(budget, amount) ?? amount]
    const enforcedLimitNano = limits.reduce((least, nano) => nano < least ? nano : least)
    known.set(subject, one = { ...budget, amountNano: amount, enforcedLimitNano })
  }
  return one
}

/** whom an account is for, in words: `user alice` */
export function subjectName ({ scopeType, scopeId }: Scope, subject: string): string {
  return `${scopeType} ${scopeIdOf({ scopeType, scopeId }, subject)}`
}

/** the scopeId that a budget for this subject alone would have */
export function scopeIdOf ({ scopeType, scopeId }: Scope, subject: string): string {
  if (subject === '') return scopeId
  return scopeType === 'tag' ? `${splitTag(scopeId).name}=${subject}` : subject
}

/** where a subject of this kind is said, e.g. `userId`, `tags/costCenter`; the path of a field in an identity */
export function subjectField ({ scopeType, scopeId }: Scope): string {
  return scopeType === 'tag' ? `tags/${splitTag(scopeId).name}` : `${scopeType}Id` satisfies `${Exclude<ScopeType, 'tag'>}Id`
}

/** what names one subject of a budget for each of many is missing, or is none; `path` begins the name of the field */
export function missingSubject (scope: Scope, path: string, got?: unknown): Error {
  return invalidField(`${path}${subjectField(scope)}`, `given: the budget has an account for each ${kindOf(scope)}`, got)
}

/** in words: `user`, `value of the tag costCenter` */
export function kindOf ({ scopeType, scopeId }: Scope): string {
  return scopeType === 'tag' ? `value of the tag ${splitTag(scopeId).name}` : scopeType
}
