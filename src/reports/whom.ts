import { type Budget, type Identity } from '../budget/budget.ts'
import { isForEach, missingSubject, splitTag, subjectIn } from '../budget/subject.ts'
import { type OfWhom } from './reporter.ts'

/** For whom something is asked, as far as it is said: of budgets for each of many it decides whose account counts. */
export type Whom = Partial<Pick<Identity, 'teamId' | 'projectId' | 'userId' | 'keyId' | 'sessionId' | 'endUserId' | 'tags'>>

/**
 * The accounts of a line of budgets, the one that is named first: those for each of many by whom it is for, or by the
 * budgets of the line that are for one. As with calls, one above that is for each of many has none for whom it does not
 * know. InvalidField where the named one has none.
 */
export function subjectsOf (line: readonly Budget[], named: Budget, whom: Whom): OfWhom[] {
  const identity = known(line, whom)
  return line.flatMap((budget) => {
    if (!isForEach(budget)) return [{ budget, subject: '' }]
    const subject = subjectIn(budget, identity)
    if (subject === null && budget.id === named.id) throw missingSubject(budget, 'identity/')
    return subject === null ? [] : [{ budget, subject }]
  })
}

function known (line: readonly Budget[], whom: Whom): Identity {
  const identity: Identity = {
    organizationId: '', teamId: null, projectId: null, userId: null, keyId: '', sessionId: null, tags: null,
  }
  for (const budget of [...line].reverse()) if (!isForEach(budget)) Object.assign(identity, saidBy(budget, identity))
  return { ...identity, ...whom }
}

function saidBy ({ scopeType, scopeId }: Budget, { tags }: Identity): Partial<Identity> {
  if (scopeType !== 'tag') return { [`${scopeType}Id`]: scopeId }
  const { name, value } = splitTag(scopeId)
  return { tags: { ...tags, [name]: value } }
}
