import { type FastifyRequest, type RouteOptions } from 'fastify'
import { type Access, ACCESS, type Actor, admits, type Reach } from '../../src/access/actor.ts'
import { requireChangeable } from '../../src/access/reach.ts'
import { type Budget, type Identity } from '../../src/budget/budget.ts'
import { type BudgetCatalog } from '../../src/budget/budget-catalog.ts'
import { isForEach, kindOf, subjectIn } from '../../src/budget/subject.ts'
import { Forbidden, invalidField, NotFound } from '../../src/errors.ts'
import { type Whom } from '../../src/reports/whom.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** who asks; every guarded route has one */
    actor: Actor
  }
  interface FastifyContextConfig {
    /** who may ask this route at all; every guarded route says so */
    access?: Access
  }
}

/** A route that does not say who may ask it is none: the start fails. */
export function requireAccess ({ method, url, config }: RouteOptions): void {
  if (config?.access !== undefined) return
  const names = Object.keys(ACCESS).join(' | ')
  throw new Error(`${[method].flat().join()} ${url} must say who may ask it: config: { access: ${names} }`)
}

/** By the role alone, before anything is looked at: the answer tells nothing of what there is. */
export async function admit ({ actor, routeOptions }: FastifyRequest): Promise<void> {
  const { access } = routeOptions.config
  if (access === undefined || !admits(access, actor)) throw new Forbidden(REFUSALS[actor.role])
}

const REFUSALS: Record<Actor['role'], string> = {
  administrator: 'Nobody may ask this',
  manager: 'This is for administrators',
  viewer: 'A viewer changes nothing',
  client: 'A gateway key sees its budgets\' status and its holds, and checks constraints; the rest is for admins',
}

/**
 * What a request may see and change. What its asker may not see does not exist for it: 404, as for an id that was
 * never made. What it sees and may not change is 403.
 */
export class Guard {
  readonly #budgets: Pick<BudgetCatalog, 'get' | 'several' | 'forIdentity'>

  constructor (budgets: Pick<BudgetCatalog, 'get' | 'several' | 'forIdentity'>) { this.#budgets = budgets }

  /**
   * A budget that the asker may see, and, where its definition is to be changed, change. To record usage on it or to
   * hold, seeing it is enough: the route's own access says who may.
   */
  async budget ({ actor }: FastifyRequest, id: string, to: 'see' | 'change' = 'see'): Promise<Budget> {
    const budget = actor.identity === undefined
      ? await this.#budgets.get(id, actor.reach)
      : await this.#applying(actor.identity, id)
    if (budget === null) throw new NotFound(`There is no budget ${id}`)
    if (to === 'change') requireChangeable(budget, actor.reach)
    return budget
  }

  /** Of these budgets those that the asker may see, by the ids as they were asked for. */
  async budgets ({ actor }: FastifyRequest, ids: readonly string[]): Promise<Map<string, Budget>> {
    const found = actor.identity === undefined
      ? await this.#budgets.several(ids, actor.reach)
      : (await this.#budgets.forIdentity(actor.identity)).filter(({ archivedAt }) => archivedAt === null)
    const byId = new Map(found.map((budget) => [budget.id, budget]))
    return new Map(ids.flatMap((id) => {
      const budget = byId.get(id.toLowerCase())
      return budget === undefined ? [] : [[id, budget]]
    }))
  }

  async #applying (identity: Identity, id: string): Promise<Budget | null> {
    const budgets = await this.#budgets.forIdentity(identity)
    return budgets.find((budget) => budget.id === id && budget.archivedAt === null) ?? null
  }

  /**
   * Whose account of a budget is asked about: empty but for one that is for each of many; null: nobody's, so that of
   * all together. A client is told of its own.
   */
  subject ({ actor }: FastifyRequest, budget: Budget, asked: string | undefined): string | null {
    if (!isForEach(budget)) {
      if (asked === undefined) return ''
      throw invalidField('subject', 'absent: the budget has one account for all that it is for', asked)
    }
    if (actor.identity === undefined) return asked ?? null
    const own = subjectIn(budget, actor.identity)
    if (own === null || (asked !== undefined && asked !== own)) throw new NotFound('The budget has no account for this key')
    return own
  }

  /** the same, where it must be one */
  oneSubject (request: FastifyRequest, budget: Budget, asked: string | undefined): string {
    const subject = this.subject(request, budget, asked)
    if (subject !== null) return subject
    throw invalidField('subject', `given: the budget has an account for each ${kindOf(budget)}`, undefined)
  }

  /** for whom something is asked; a client asks for itself */
  whom ({ actor }: FastifyRequest, asked: Whom | undefined): Whom {
    if (actor.identity === undefined) return asked ?? {}
    if (asked !== undefined) throw invalidField('identity', 'absent: a gateway key asks for itself', asked)
    return actor.identity
  }

  /** how far its asker sees above a budget that it sees: a client all the way, since its calls are held on all of it */
  reachAbove ({ actor }: FastifyRequest): Reach | null { return actor.identity === undefined ? actor.reach : null }

  /** of what lists may tell; null: everything */
  reach ({ actor }: FastifyRequest): Reach | null { return actor.reach }
}
