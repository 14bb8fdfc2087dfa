import { type Actor, type Reach } from '../access/actor.ts'
import { outOfReach, type Scope } from '../access/reach.ts'
import { type Budget, type Identity } from '../budget/budget.ts'
import { isForEach } from '../budget/subject.ts'
import { Forbidden, NotFound } from '../errors.ts'
import { type Holder, type LongHold } from './hold.ts'

/**
 * Whom a hold is for, and who may see and end it: decided here alone, from who asks. A client's holds are those of its
 * own key; of the others, what is out of an asker's reach does not exist for it.
 */

/** `asked`: the identity that is asked for; null: that of the budget that is named, or the asker's own */
export function holderFor ({ identity, reach }: Actor, asked: Holder | null, named: Budget | null): Holder | null {
  if (identity !== undefined) return ownHolder(identity, asked)
  const holder = asked ?? (named === null ? null : holderOf(named, reach))
  if (holder === null || reach === null) return holder
  if (holder.organizationId !== reach.organizationId) {
    throw outOfReach('identity/organizationId', `"${reach.organizationId}", which you manage`)
  }
  const { scope } = reach
  if (scope !== null && holder[`${scope.type}Id`] !== scope.id) {
    throw outOfReach(`identity/${scope.type}Id`, `"${scope.id}", which you manage`)
  }
  return holder
}

/** Scopes of a holder that are known to be in reach only if a budget in reach has them. */
export function othersIn (holder: Holder, reach: Reach | null): (Scope & { field: string })[] {
  if (reach?.scope == null) return []
  return (['team', 'project', 'user'] as const).flatMap((scopeType) => {
    const scopeId = holder[`${scopeType}Id`]
    return scopeId === null || scopeType === reach.scope?.type ? [] : [{ field: `identity/${scopeType}Id`, scopeType, scopeId }]
  })
}

export function sees ({ identity, reach }: Actor, holder: Holder): boolean {
  if (identity !== undefined) return holder.keyId === identity.keyId
  if (reach === null) return true
  if (reach.organizationId !== holder.organizationId) return false
  return reach.scope === null || holder[`${reach.scope.type}Id`] === reach.scope.id
}

/** A client may not say what its own call has cost: who made the hold of one is its provider's answer. */
export function requireEnding ({ identity }: Actor, { id, jobId }: LongHold): void {
  if (identity === undefined || jobId === null) return
  throw new Forbidden(`Hold ${id} was made by a call, and ends as its provider says: fetch or cancel ${jobId}`)
}

export function noHold (id: string) { return new NotFound(`There is no hold ${id}`) }

function ownHolder (identity: Identity, asked: Holder | null): Holder {
  const { organizationId, teamId, projectId, userId, sessionId, tags, keyId } = identity
  const own: Holder = {
    organizationId, teamId, projectId, userId, tags, keyId, ...sessionId === null ? {} : { sessionId },
  }
  for (const name of ['organizationId', 'teamId', 'projectId', 'userId', 'sessionId', 'endUserId'] as const) {
    const said = asked?.[name] ?? null
    if (said === null || said === own[name]) continue
    throw outOfReach(`identity/${name}`, 'that of the key, or absent')
  }
  if (asked !== null && asked.tags !== null) throw outOfReach('identity/tags', 'absent: a key holds for itself')
  return own
}

/** of its scope, and of the reach that it was found in, so that who makes the hold sees it */
function holderOf (budget: Budget, reach: Reach | null): Holder {
  const { organizationId, scopeType, scopeId } = budget
  const of = (type: 'team' | 'project' | 'user') =>
    scopeType === type && !isForEach(budget) ? scopeId : reach?.scope?.type === type ? reach.scope.id : null
  return { organizationId, teamId: of('team'), projectId: of('project'), userId: of('user'), tags: null, keyId: null }
}
