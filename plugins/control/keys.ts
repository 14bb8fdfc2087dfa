import { Type } from 'typebox'
import { parseTime } from '../../src/clock.ts'
import { invalidField, NotFound } from '../../src/errors.ts'
import { createKey, type GatewayKey, rotateKey } from '../../src/keys/key.ts'
import { rateLimitsOf } from '../../src/limits/rate-limits.ts'
import { renderKey } from '../../src/keys/render.ts'
import { type Scope, type Tools } from './index.ts'
import { KeyAnswer, KeyChange, KeyListQuery, KeyPageAnswer, NewKey, Rotation } from './key-schemas.ts'
import { type Outcome } from './mutation.ts'
import { etagOf, ifMatch, notModified, withoutBody } from './preconditions.ts'
import { Id, IfMatch, IfNoneMatch, Once, problems } from './schemas.ts'

const tags = ['keys']

export function keyRoutes (scope: Scope, tools: Tools): void {
  readRoutes(scope, tools)
  secretRoutes(scope, tools)
  changeRoutes(scope, tools)
}

function readRoutes (scope: Scope, { guard, keyStore }: Tools): void {
  scope.get('/keys', {
    config: { access: 'see' },
    schema: {
      summary: 'List gateway keys', querystring: KeyListQuery, response: { 200: KeyPageAnswer, ...problems() }, tags,
    },
  }, async (request) => {
    const { limit } = request.query
    const { keys, nextCursor, total } = await keyStore.page({ ...request.query, reach: guard.reach(request) })
    return { keys: keys.map(renderKey), count: keys.length, limit, nextCursor, ...total === null ? {} : { total } }
  })

  scope.get('/keys/:id', {
    config: { access: 'see' },
    schema: {
      summary: 'Read a gateway key',
      params: Id,
      headers: IfNoneMatch,
      response: { 200: KeyAnswer, 304: Type.Null(), ...problems(404) },
      tags,
    },
  }, async (request, reply) => {
    const { id } = request.params
    const key = existing(await keyStore.get(id, guard.reach(request)), id)
    return notModified(request, reply, key) ? await withoutBody(reply) : renderKey(key)
  })
}

function secretRoutes (scope: Scope, { mutate }: Tools): void {
  scope.post('/keys', {
    config: { access: 'change' },
    schema: {
      summary: 'Make a gateway key',
      description: 'The answer alone shows its secret.',
      headers: Once,
      body: NewKey,
      response: { 201: KeyAnswer, ...problems(413, 422) },
      tags,
    },
  }, async (request, reply) => {
    const { body } = request
    const expiresAt = endOf(body.expiresAt)
    return await mutate(request, reply, async ({ keys }) => {
      const { key, secret } = await createKey(keys, {
        name: body.name.trim(),
        organizationId: body.organizationId.trim(),
        teamId: body.teamId?.trim() ?? null,
        projectId: body.projectId?.trim() ?? null,
        userId: body.userId?.trim() ?? null,
        allowHeaders: unique(body.allowHeaders ?? []),
        requireHeaders: unique(body.requireHeaders ?? []),
        endUser: body.endUser ?? 'ignore',
        allowedProviders: body.allowedProviders ?? null,
        allowedModels: body.allowedModels ?? null,
        rateLimits: rateLimitsOf('rateLimits', body.rateLimits),
        expiresAt: expiresAt ?? null,
      })
      const { headers, ...rest } = answer(201, key, { key: secret })
      return { ...rest, headers: { ...headers, location: `/api/v1/keys/${key.id}` } }
    })
  })

  scope.post('/keys/:id/rotate', {
    config: { access: 'change' },
    schema: {
      summary: 'Give a gateway key a new secret',
      description: 'The answer alone shows it. The secret before works until the overlap ends.',
      params: Id,
      headers: Type.Object({ ...IfMatch.properties, ...Once.properties }),
      body: Type.Union([Rotation, Type.Null()]),
      response: { 200: KeyAnswer, ...problems(404, 409, 412, 422) },
      tags,
    },
  }, async (request, reply) => {
    const expect = ifMatch(request)
    const { id } = request.params
    return await mutate(request, reply, async ({ keys }) => {
      const rotated = existing(await rotateKey(keys, id, request.body?.overlapSeconds ?? 0, expect), id)
      return answer(200, rotated.key, { key: rotated.secret })
    })
  })
}

function changeRoutes (scope: Scope, { mutate }: Tools): void {
  scope.patch('/keys/:id', {
    config: { access: 'change' },
    schema: {
      summary: 'Change a gateway key',
      params: Id,
      headers: IfMatch,
      body: KeyChange,
      response: { 200: KeyAnswer, ...problems(404, 409, 412, 413) },
      tags,
    },
  }, async (request, reply) => {
    const expect = ifMatch(request)
    const { body, params: { id } } = request
    const expiresAt = endOf(body.expiresAt)
    return await mutate(request, reply, async ({ keys }) => answer(200, existing(await keys.update(id, (current) => {
      expect(current)
      return {
        name: body.name?.trim() ?? current.name,
        allowHeaders: body.allowHeaders === undefined ? current.allowHeaders : unique(body.allowHeaders),
        requireHeaders: body.requireHeaders === undefined ? current.requireHeaders : unique(body.requireHeaders),
        endUser: body.endUser ?? current.endUser,
        allowedProviders: body.allowedProviders === undefined ? current.allowedProviders : body.allowedProviders,
        allowedModels: body.allowedModels === undefined ? current.allowedModels : body.allowedModels,
        rateLimits: body.rateLimits === undefined || body.rateLimits === null
          ? body.rateLimits === null ? null : current.rateLimits
          : rateLimitsOf('rateLimits', { ...current.rateLimits, ...body.rateLimits }),
        expiresAt: expiresAt === undefined ? current.expiresAt : expiresAt,
        disabled: body.disabled ?? current.disabledAt !== null,
      }
    }), id)))
  })

  scope.delete('/keys/:id', {
    config: { access: 'change' },
    schema: {
      summary: 'Revoke a gateway key, for good',
      params: Id,
      headers: IfMatch,
      response: { 204: Type.Null(), ...problems(404, 412) },
      tags,
    },
  }, async (request, reply) => {
    const expect = ifMatch(request)
    const { id } = request.params
    return await mutate(request, reply, async ({ keys }) => {
      existing(await keys.revoke(id, expect), id)
      return { status: 204, body: null }
    })
  })
}

function existing<T> (found: T | null, id: string): T {
  if (found === null) throw new NotFound(`There is no key ${id}`)
  return found
}

/** undefined: nothing is said of it */
function endOf (value: string | null | undefined): number | null | undefined {
  if (value === null || value === undefined) return value
  const at = parseTime(value)
  if (at === null || at <= Date.now()) throw invalidField('expiresAt', 'a time in the future, like "2027-01-01T00:00:00Z"', value)
  return at
}

function unique<T> (values: readonly T[]): T[] { return [...new Set(values)] }

function answer (status: number, key: GatewayKey, secret: { key?: string } = {}): Outcome {
  return { status, headers: { etag: etagOf(key) }, body: { ...renderKey(key), ...secret } }
}
