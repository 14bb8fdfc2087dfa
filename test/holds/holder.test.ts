import t from 'tap'
import { type Actor } from '../../src/access/actor.ts'
import { type Budget } from '../../src/budget/budget.ts'
import { type Holder } from '../../src/holds/hold.ts'
import { holderFor, othersIn, sees } from '../../src/holds/holder.ts'

const NOBODY: Holder = { organizationId: 'acme', teamId: null, projectId: null, userId: null, tags: null, keyId: null }
const holder = (fields: Partial<Holder> = {}): Holder => ({ ...NOBODY, ...fields })
const ADMIN: Actor = { id: 'a', name: 'a', role: 'administrator', reach: null }
const OF_ORGANIZATION: Actor = { id: 'o', name: 'o', role: 'manager', reach: { organizationId: 'acme', scope: null } }
const OF_TEAM: Actor = {
  id: 't', name: 't', role: 'manager', reach: { organizationId: 'acme', scope: { type: 'team', id: 'search' } },
}
const CLIENT: Actor = {
  id: 'k',
  name: 'k',
  role: 'client',
  reach: { organizationId: '', scope: null },
  identity: { ...NOBODY, organizationId: 'acme', teamId: 'search', keyId: 'k', sessionId: null },
}
const BUDGET = { organizationId: 'acme', scopeType: 'project', scopeId: 'p' } as Budget

t.test('an administrator holds for anybody, a manager for whom it manages', async (t) => {
  const others = holder({ organizationId: 'other', teamId: 'ads' })
  t.same(holderFor(ADMIN, others, null), others)
  t.same(holderFor(OF_ORGANIZATION, holder({ teamId: 'ads' }), null), holder({ teamId: 'ads' }))
  t.same(holderFor(OF_TEAM, holder({ teamId: 'search' }), null), holder({ teamId: 'search' }))
  t.throws(() => holderFor(OF_ORGANIZATION, others, null), { code: 'FORBIDDEN', field: 'identity/organizationId' })
  for (const asked of [holder(), holder({ teamId: 'ads' })]) {
    t.throws(() => holderFor(OF_TEAM, asked, null), { code: 'FORBIDDEN', field: 'identity/teamId' })
  }
  t.match(othersIn(holder({ teamId: 'search', userId: 'u' }), OF_TEAM.reach), [{ field: 'identity/userId', scopeId: 'u' }])
  t.same(othersIn(holder({ teamId: 'ads' }), OF_ORGANIZATION.reach), [])
})

t.test('a hold on a budget is for its scope, and in the reach that it was found in', async (t) => {
  t.same(holderFor(ADMIN, null, BUDGET), holder({ projectId: 'p' }))
  t.same(holderFor(OF_TEAM, null, BUDGET), holder({ projectId: 'p', teamId: 'search' }))
  t.equal(holderFor(ADMIN, null, null), null)
})

t.test('a client holds for itself, and sees its own holds alone', async (t) => {
  const own = holder({ teamId: 'search', keyId: 'k' })
  t.same(holderFor(CLIENT, null, null), own)
  t.same(holderFor(CLIENT, null, BUDGET), own)
  t.same(holderFor(CLIENT, holder({ teamId: 'search' }), null), own)
  t.throws(() => holderFor(CLIENT, holder({ teamId: 'ads' }), null), { code: 'FORBIDDEN', field: 'identity/teamId' })
  t.throws(() => holderFor(CLIENT, holder({ tags: { a: 'b' } }), null), { code: 'FORBIDDEN', field: 'identity/tags' })
  t.equal(sees(CLIENT, own), true)
  t.equal(sees(CLIENT, holder({ teamId: 'search' })), false)
})

t.test('what is out of reach is not seen', async (t) => {
  for (const actor of [ADMIN, OF_ORGANIZATION, OF_TEAM]) t.equal(sees(actor, holder({ teamId: 'search' })), true)
  t.equal(sees(OF_TEAM, holder({ teamId: 'ads' })), false)
  t.equal(sees(OF_ORGANIZATION, holder({ organizationId: 'other' })), false)
})
