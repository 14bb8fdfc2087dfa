import { type Reach } from '../../access/actor.ts'
import { type Position } from './cursor.ts'

/** A statement's conditions and their values, collected one by one: the text is ours, values are parameters. */
export class Conditions {
  readonly values: unknown[] = []
  readonly #parts: string[] = []

  /** the parameter's name in the statement */
  value (value: unknown): string { return `$${this.values.push(value)}` }

  and (part: string): void { this.#parts.push(part) }

  /** `column` has this value, where one is asked for */
  same (column: string, value: unknown): void {
    if (value !== undefined) this.and(`${column} = ${this.value(value)}`)
  }

  /** the rows behind a position, in an order by this column and the id */
  after ({ column, type, descending }: Order, position: Position | null): void {
    if (position === null) return
    const { value, id } = position
    this.and(`(${column}, b.id) ${descending ? '<' : '>'} (${this.value(value)}::${type}, ${this.value(id)}::uuid)`)
  }

  /** for `where` */
  get text (): string { return this.#parts.length === 0 ? 'true' : this.#parts.join(' and ') }
}

export interface Order {
  /** of a row that the statement calls b, and which has an id */
  column: string
  type: 'text' | 'timestamptz' | 'bigint'
  descending: boolean
}

export function orderBy ({ column, descending }: Order): string {
  const way = descending ? 'desc' : 'asc'
  return `order by ${column} ${way}, b.id ${way}`
}

/**
 * Of the budgets that a statement calls b, those within reach: of the organization, and where the reach is narrower,
 * those that have its scope themselves or stand below one that has.
 */
export function withinReach (conditions: Conditions, reach: Reach | null): void {
  if (reach === null) return
  conditions.and(`b.organization_id = ${conditions.value(reach.organizationId)}`)
  if (reach.scope !== null) conditions.and(`b.id in (${reachedIds(conditions, reach)})`)
}

/** Of the budgets that a statement calls b, those whose parent is within reach. */
export function parentWithinReach (conditions: Conditions, reach: Reach | null): void {
  if (reach !== null) conditions.and(`b.parent_budget_id in (${reachedIds(conditions, reach)})`)
}

function reachedIds (conditions: Conditions, { organizationId, scope }: Reach): string {
  const ofOrganization = `select id from budget_definitions where organization_id = ${conditions.value(organizationId)}`
  if (scope === null) return ofOrganization
  return `with recursive reached as (
      ${ofOrganization} and scope_type = ${conditions.value(scope.type)} and scope_id = ${conditions.value(scope.id)}
      union
      select c.id from reached r join budget_definitions c on c.parent_budget_id = r.id
    )
    select id from reached`
}
