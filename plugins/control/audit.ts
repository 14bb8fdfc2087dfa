import { type FastifyRequest } from 'fastify'
import { admits, type Reach } from '../../src/access/actor.ts'
import { type AuditEntry } from '../../src/access/audit.ts'
import { parseTime, TIME_EXPECTED } from '../../src/clock.ts'
import { invalidField, NotFound } from '../../src/errors.ts'
import { AuditEntryAnswer, AuditPageAnswer, AuditQueryString } from './audit-schemas.ts'
import { type Scope, type Tools } from './index.ts'
import { Id, problems } from './schemas.ts'

const tags = ['audit']

/** What was changed, by whom: read only. Of what is out of reach nothing is told, not even how much there is. */
export function auditRoutes (scope: Scope, { audit, guard }: Tools): void {
  scope.get('/audit', {
    schema: {
      summary: 'List the audit log, newest first',
      querystring: AuditQueryString,
      response: { 200: AuditPageAnswer, ...problems() },
      tags,
    },
    config: { access: 'see' },
  }, async (request) => {
    const { from, to, ...rest } = request.query
    const reach = guard.reach(request)
    const { entries, nextCursor } = await audit.page({
      ...rest,
      ...from === undefined ? {} : { from: timeOf('from', from) },
      ...to === undefined ? {} : { to: timeOf('to', to) },
      ...seenBy(request),
    })
    const shown = entries.map((entry) => render(entry, reach))
    return { entries: shown, count: shown.length, limit: rest.limit, nextCursor }
  })

  scope.get('/audit/:id', {
    schema: {
      operationId: 'getAuditEntry',
      summary: 'Read an entry of the audit log',
      params: Id,
      response: { 200: AuditEntryAnswer, ...problems(404) },
      tags,
    },
    config: { access: 'see' },
  }, async (request) => {
    const { id } = request.params
    const reach = guard.reach(request)
    const entry = await audit.get(id, seenBy(request))
    if (entry === null) throw new NotFound(`There is no audit entry ${id}`)
    return render(entry, reach)
  })
}

/** Who may not list tokens learns of none here. */
function seenBy ({ actor }: FastifyRequest) {
  return { reach: actor.reach, withoutTypes: admits('appoint', actor) ? [] : ['token'] }
}

function timeOf (field: string, value: string): number {
  const at = parseTime(value)
  if (at === null) throw invalidField(field, TIME_EXPECTED, value)
  return at
}

/** The number and the hash are of the whole log: they are for those who may read all of it. */
function render (whole: AuditEntry, reach: Reach | null) {
  const { seq, hash, scopes: _scopes, scopesAbove: _above, before, after, ...entry } = whole
  return {
    ...entry,
    before: before === null ? null : JSON.parse(before) as object,
    after: after === null ? null : JSON.parse(after) as object,
    ...reach === null ? { seq, hash: hash.toString('hex') } : {},
  }
}
