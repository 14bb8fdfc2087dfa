import { type Identity, type ScopeType } from '../budget/budget.ts'

/** Who asks the admin API for something, and how far that goes. A client is a gateway key that asks. */
export type Role = 'administrator' | 'manager' | 'viewer' | 'client'

/** An organization, or a team or project in it, with all that is below. */
export interface Reach {
  organizationId: string
  /** null: the whole organization */
  scope: { type: Extract<ScopeType, 'team' | 'project' | 'user'>, id: string } | null
}

export interface Actor {
  /** of its token or key, or what its issuer calls it: what the audit log names */
  id: string
  name: string
  role: Role
  /** null: everything, which only an administrator has */
  reach: Reach | null
  /** of a client: whom its calls are for, by which budgets apply to it */
  identity?: Identity
}

/** A client's: no organization has an empty name. What it sees goes by the budgets that apply to it. */
export const NO_REACH: Reach = { organizationId: '', scope: null }

/** Who may ask a route at all; of what, the guard says. Every route of the admin API declares one of these. */
export const ACCESS = {
  /** what there is */
  see: ['administrator', 'manager', 'viewer'],
  /** to make, change, record and end things */
  change: ['administrator', 'manager'],
  /** to say who may ask for what: not for managers of a part of an organization */
  appoint: ['administrator', 'manager'],
  /** what concerns everybody */
  administer: ['administrator'],
  /** what a client, too, may know: of budgets that apply to it, and of its own holds */
  check: ['administrator', 'manager', 'viewer', 'client'],
  /** to make and end holds; a client its own */
  hold: ['administrator', 'manager', 'client'],
} as const satisfies Record<string, readonly Role[]>

export type Access = keyof typeof ACCESS

export function admits (access: Access, { role, reach }: Pick<Actor, 'role' | 'reach'>): boolean {
  return (ACCESS[access] as readonly Role[]).includes(role) && (access !== 'appoint' || reach?.scope == null)
}
