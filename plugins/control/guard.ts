import { type FastifyRequest } from 'fastify'
import { type Actor, type Reach } from '../../src/access/actor.ts'
import { type Budget } from '../../src/budget/budget.ts'
import { type BudgetCatalog } from '../../src/budget/budget-catalog.ts'
import { Forbidden, NotFound } from '../../src/errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** who asks; every guarded route has one */
    actor: Actor
  }
}

/**
 * What a request may see and change. What its asker may not see does not exist for it: 404, as for an id that was
 * never made. What it sees and may not change is 403.
 */
export class Guard {
  readonly #budgets: Pick<BudgetCatalog, 'get'>

  constructor (budgets: Pick<BudgetCatalog, 'get'>) { this.#budgets = budgets }

  /** a budget that the asker may see, and, where it is to be changed, change */
  async budget ({ actor }: FastifyRequest, id: string, to: 'see' | 'change' = 'see'): Promise<Budget> {
    const budget = await this.#budgets.get(id)
    if (budget === null || actor.reach !== null) throw new NotFound(`There is no budget ${id}`)
    if (to === 'change') this.#mayChange(actor)
    return budget
  }

  /** of what lists may tell; null: everything */
  reach ({ actor }: FastifyRequest): Reach | null { return actor.reach }

  administrator ({ actor }: FastifyRequest): void {
    if (actor.role !== 'administrator') throw new Forbidden('This is for administrators')
  }

  #mayChange (actor: Actor): void {
    if (actor.role === 'viewer') throw new Forbidden('A viewer changes nothing')
  }
}
