import Fastify from 'fastify'
import t from 'tap'
import { relaycore } from '../../src/index.ts'
import { aGateway } from './gateway.ts'

t.test('the plugins live in somebody else\'s app, under a prefix, and leak nothing into it', async (t) => {
  const { core, budget, key, admin } = await aGateway(t)
  await budget()
  const secret = await key()
  const host = Fastify()
  t.teardown(() => host.close())
  host.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => { done(null, { csv: body }) })
  host.setErrorHandler(async (error, _request, reply) => await reply.code(418).send({ host: (error as Error).message }))
  host.setNotFoundHandler(async (_request, reply) => await reply.code(404).send({ host: 'nothing here' }))
  host.post('/own', async ({ body }) => ({ got: body }))
  host.get('/broken', async () => { throw new Error('mine') })
  await host.register(relaycore, { core, prefix: '/ai' })

  const own = await host.inject({ method: 'POST', url: '/own', headers: { 'content-type': 'application/json' }, payload: '{"a":1}' })
  t.same(own.json(), { got: { a: 1 } })
  const csv = await host.inject({ method: 'POST', url: '/own', headers: { 'content-type': 'text/csv' }, payload: 'a,b' })
  t.same(csv.json(), { got: { csv: 'a,b' } })
  t.same((await host.inject('/broken')).json(), { host: 'mine' })
  t.same((await host.inject('/elsewhere')).json(), { host: 'nothing here' })

  const address = await host.listen({ host: '127.0.0.1', port: 0 })
  const chat = await fetch(`${address}/ai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', max_tokens: 5, messages: [] }),
  })
  t.equal(chat.status, 200)
  t.match(await chat.json(), { choices: [{}] })
  t.equal((await fetch(`${address}/ai/healthz`)).status, 200)
  t.match((await admin('GET', '/budgets')).body, { count: 1 })
})
