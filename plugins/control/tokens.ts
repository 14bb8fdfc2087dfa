import { Type } from 'typebox'
import { type Reach } from '../../src/access/actor.ts'
import { parseTime } from '../../src/clock.ts'
import { invalidField, NotFound } from '../../src/errors.ts'
import { type AdminToken, createToken } from '../../src/keys/admin-tokens.ts'
import { renderToken } from '../../src/keys/render.ts'
import { type Scope, type Tools } from './index.ts'
import { Id, Nullable, Once, PageAnswer, PageQuery, problems, Time } from './schemas.ts'

/** Tokens of the admin API: who may ask it for what. */
const tags = ['tokens']

const Name = (description: string) => Type.String({ minLength: 1, maxLength: 256, pattern: '\\S', description })
const Role = Type.Enum(['administrator', 'manager', 'viewer'], {
  description: 'administrator: everything; manager: changes what is in its reach; viewer: sees it', examples: ['manager'],
})
const ReachBody = Type.Object({
  organizationId: Name('the organization'),
  teamId: Type.Optional(Nullable(Name('only this team of it, and what is below'))),
  projectId: Type.Optional(Nullable(Name('only this project of it, and what is below'))),
}, { additionalProperties: false, description: 'given for a manager or viewer; a team or a project, not both' })
const Expires = Nullable(Type.String({ description: 'RFC 3339, in the future; null: never', examples: ['2027-01-01T00:00:00Z'] }))

const NewToken = Type.Object({
  name: Name('for people'),
  role: Role,
  reach: Type.Optional(Nullable(ReachBody)),
  expiresAt: Type.Optional(Expires),
}, { additionalProperties: false, examples: [{ name: 'Ada', role: 'manager', reach: { organizationId: 'acme', teamId: 'search' } }] })

const TokenAnswer = Type.Object({
  id: Type.String({ description: 'UUID' }),
  token: Type.Optional(Type.String({
    description: 'the secret itself: shown once, in the answer that made it', examples: ['ra_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGaQ1'],
  })),
  hint: Nullable(Type.String({ description: 'the beginning of the secret', examples: ['ra_Ab3d...'] })),
  name: Name('for people'),
  role: Role,
  reach: Nullable(Type.Object({
    organizationId: Type.String(), teamId: Nullable(Type.String()), projectId: Nullable(Type.String()),
  }, { description: 'null: everything', examples: [{ organizationId: 'acme', teamId: 'search', projectId: null }] })),
  expiresAt: Nullable(Time),
  createdAt: Time,
  createdBy: Nullable(Type.String({ description: 'the actor who made it' })),
  revokedAt: Nullable(Time),
})

const TokenPageAnswer = Type.Object({
  tokens: Type.Array(TokenAnswer), count: PageAnswer.count, limit: PageAnswer.limit, nextCursor: PageAnswer.nextCursor,
})

const TokenListQuery = Type.Object({
  ...PageQuery, includeRevoked: Type.Boolean({ default: false, description: 'revoked ones too' }),
}, { additionalProperties: false })

export function tokenRoutes (scope: Scope, { guard, mutate, tokens }: Tools): void {
  scope.post('/tokens', {
    config: { access: 'appoint' },
    schema: {
      summary: 'Make a token of the admin API',
      description: 'The answer alone shows its secret. A manager of an organization makes managers and viewers of it.',
      headers: Once,
      body: NewToken,
      response: { 201: TokenAnswer, ...problems(413, 422) },
      tags,
    },
  }, async (request, reply) => {
    const { name, role, reach, expiresAt } = request.body
    const createdBy = request.actor.id
    const draft = { name: name.trim(), role, reach: reachOf(role, reach), expiresAt: endOf(expiresAt), createdBy }
    return await mutate(request, reply, async (stores) => {
      const { token, secret } = await createToken(stores.tokens, draft)
      return { status: 201, headers: { location: `/api/v1/tokens/${token.id}` }, body: { ...renderToken(token), token: secret } }
    })
  })

  scope.get('/tokens', {
    config: { access: 'appoint' },
    schema: { summary: 'List tokens of the admin API', querystring: TokenListQuery, response: { 200: TokenPageAnswer, ...problems() }, tags },
  }, async (request) => {
    const { limit } = request.query
    const page = await tokens.page({ ...request.query, reach: guard.reach(request) })
    return { tokens: page.tokens.map(renderToken), count: page.tokens.length, limit, nextCursor: page.nextCursor }
  })

  scope.get('/tokens/:id', {
    config: { access: 'appoint' },
    schema: { summary: 'Read a token of the admin API', params: Id, response: { 200: TokenAnswer, ...problems(404) }, tags },
  }, async (request) => {
    const { id } = request.params
    return renderToken(existing(await tokens.get(id, guard.reach(request)), id))
  })

  scope.delete('/tokens/:id', {
    config: { access: 'appoint' },
    schema: {
      summary: 'Revoke a token of the admin API, for good',
      description: 'It ends here at once, and on every gateway within a second.',
      params: Id,
      response: { 204: Type.Null(), ...problems(404) },
      tags,
    },
  }, async (request, reply) => {
    const { id } = request.params
    return await mutate(request, reply, async (stores) => {
      existing(await stores.tokens.revoke(id), id)
      return { status: 204, body: null }
    })
  })
}

interface ReachFields { organizationId: string, teamId?: string | null, projectId?: string | null }

function reachOf (role: AdminToken['role'], reach: ReachFields | null | undefined): Reach | null {
  if (role === 'administrator') {
    if (reach != null) throw invalidField('reach', 'absent for an administrator, who reaches everything', reach)
    return null
  }
  if (reach == null) throw invalidField('reach', `given for a ${role}`, reach)
  const { organizationId, teamId = null, projectId = null } = reach
  if (teamId !== null && projectId !== null) {
    throw invalidField('reach/projectId', 'absent where reach/teamId is given', projectId)
  }
  const id = teamId ?? projectId
  const type = teamId !== null ? 'team' : 'project'
  return { organizationId: organizationId.trim(), scope: id === null ? null : { type, id: id.trim() } }
}

function endOf (value: string | null | undefined): number | null {
  if (value == null) return null
  const at = parseTime(value)
  if (at === null || at <= Date.now()) throw invalidField('expiresAt', 'a time in the future, like "2027-01-01T00:00:00Z"', value)
  return at
}

function existing (token: AdminToken | null, id: string): AdminToken {
  if (token === null) throw new NotFound(`There is no token ${id}`)
  return token
}
