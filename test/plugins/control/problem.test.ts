import Fastify from 'fastify'
import t from 'tap'
import { answerProblem } from '../../../plugins/control/problem.ts'
import { type Json } from '../../e2e/gateway.ts'

t.test('what went wrong inside is told to the log alone, under the id that the answer names', async (t) => {
  const lines: Json[] = []
  const app = Fastify({ logger: { level: 'error', stream: { write: (line) => { lines.push(JSON.parse(line) as Json) } } } })
  t.teardown(() => app.close())
  app.setErrorHandler((error, request, reply) => answerProblem(error, request, reply))
  app.get('/', async () => { throw new Error('the secret reason') })

  const answer = await app.inject('/')

  const { code, requestId } = answer.json<Json>()
  t.same([answer.statusCode, code], [500, 'internal_error'])
  t.notMatch(answer.payload, 'secret reason')
  t.match(lines, [{ requestId, err: { message: 'the secret reason' } }])
})
