import { NotFound } from '../../src/errors.ts'
import { createKey, type GatewayKey } from '../../src/keys/key.ts'
import { type Scope, type Tools } from './index.ts'
import { Id, KeyAnswer, KeyBody, KeyList, Problem } from './schemas.ts'

export function keyRoutes (scope: Scope, { guard, keyStore, mutate }: Tools): void {
  scope.post('/keys', {
    schema: { body: KeyBody, response: { 201: KeyAnswer, default: Problem }, tags: ['keys'] },
  }, async (request, reply) => {
    guard.administrator(request)
    const { body } = request
    return await mutate(request, reply, async (stores) => {
      const { key, secret } = await createKey(stores.keys, {
        name: body.name,
        organizationId: body.organizationId,
        teamId: body.teamId ?? null,
        projectId: body.projectId ?? null,
        userId: body.userId ?? null,
        allowHeaders: body.allowHeaders ?? [],
        requireHeaders: body.requireHeaders ?? [],
      })
      return { status: 201, headers: { location: `/api/v1/keys/${key.id}` }, body: { ...renderKey(key), key: secret } }
    })
  })

  scope.get('/keys', {
    schema: { response: { 200: KeyList, default: Problem }, tags: ['keys'] },
  }, async (request) => {
    guard.administrator(request)
    const found = await keyStore.list()
    return { keys: found.map(renderKey), count: found.length }
  })

  scope.get('/keys/:id', {
    schema: { params: Id, response: { 200: KeyAnswer, default: Problem }, tags: ['keys'] },
  }, async (request) => {
    guard.administrator(request)
    const { params } = request
    const key = await keyStore.get(params.id)
    if (key === null) throw new NotFound(`There is no key ${params.id}`)
    return renderKey(key)
  })

  scope.delete('/keys/:id', {
    schema: { params: Id, response: { 204: { type: 'null' }, default: Problem }, tags: ['keys'] },
  }, async (request, reply) => {
    guard.administrator(request)
    const { id } = request.params
    return await mutate(request, reply, async (stores) => {
      if (await stores.keys.revoke(id) === null) throw new NotFound(`There is no key ${id}`)
      return { status: 204, body: null }
    })
  })
}

function renderKey (key: GatewayKey) {
  return {
    ...key,
    createdAt: new Date(key.createdAt).toISOString(),
    revokedAt: key.revokedAt === null ? null : new Date(key.revokedAt).toISOString(),
  }
}
