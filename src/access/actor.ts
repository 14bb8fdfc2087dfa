import { type ScopeType } from '../budget/budget.ts'

/** Who asks the admin API for something, and how far that goes. */
export type Role = 'administrator' | 'manager' | 'viewer'

/** An organization, or a team or project in it, with all that is below. */
export interface Reach {
  organizationId: string
  /** null: the whole organization */
  scope: { type: Exclude<ScopeType, 'organization'>, id: string } | null
}

export interface Actor {
  /** of its token, or what its issuer calls it: what the audit log names */
  id: string
  name: string
  role: Role
  /** null: everything */
  reach: Reach | null
}
