import { NotFound } from '../../src/errors.ts'
import { type GatewayKey } from '../../src/keys/key.ts'
import { type ControlOptions, type Scope } from './index.ts'
import { Id, KeyAnswer, KeyBody, KeyList, Problem } from './schemas.ts'

export function keyRoutes (scope: Scope, { keys, keyStore, changed }: ControlOptions): void {
  scope.post('/keys', {
    schema: { body: KeyBody, response: { 201: KeyAnswer, default: Problem }, tags: ['keys'] },
  }, async ({ body }, reply) => {
    const { key, secret } = await keys.create({
      name: body.name,
      organizationId: body.organizationId,
      teamId: body.teamId ?? null,
      projectId: body.projectId ?? null,
      userId: body.userId ?? null,
      allowHeaders: body.allowHeaders ?? [],
      requireHeaders: body.requireHeaders ?? [],
    })
    changed()
    return await reply.code(201).header('location', `/api/v1/keys/${key.id}`).send({ ...renderKey(key), key: secret })
  })

  scope.get('/keys', {
    schema: { response: { 200: KeyList, default: Problem }, tags: ['keys'] },
  }, async () => {
    const found = await keyStore.list()
    return { keys: found.map(renderKey), count: found.length }
  })

  scope.get('/keys/:id', {
    schema: { params: Id, response: { 200: KeyAnswer, default: Problem }, tags: ['keys'] },
  }, async ({ params }) => {
    const key = await keyStore.get(params.id)
    if (key === null) throw new NotFound(`There is no key ${params.id}`)
    return renderKey(key)
  })

  scope.delete('/keys/:id', {
    schema: { params: Id, response: { 204: { type: 'null' }, default: Problem }, tags: ['keys'] },
  }, async ({ params }, reply) => {
    if (await keys.revoke(params.id) === null) throw new NotFound(`There is no key ${params.id}`)
    changed()
    return await reply.code(204).send(null)
  })
}

function renderKey (key: GatewayKey) {
  return {
    ...key,
    createdAt: new Date(key.createdAt).toISOString(),
    revokedAt: key.revokedAt === null ? null : new Date(key.revokedAt).toISOString(),
  }
}
