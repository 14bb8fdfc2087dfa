import fc from 'fast-check'
import t from 'tap'
import { pathTemplate } from '../../src/providers/paths.ts'

const GENERATE = pathTemplate('/v1beta/models/{model}:generateContent')
const CONVERSE = pathTemplate('/model/{model}/converse')

t.test('a placeholder stands for the name of a model in one segment, decoded', async (t) => {
  t.same(GENERATE.match('/v1beta/models/gemini-3-pro:generateContent'), { model: 'gemini-3-pro' })
  t.same(CONVERSE.match('/model/anthropic.claude-haiku-5-v1%3A0/converse'), { model: 'anthropic.claude-haiku-5-v1:0' })
  t.same(CONVERSE.match('/model/arn%3Aaws%3Abedrock%3A%3A1%3Ax%2Fy/converse'), { model: 'arn:aws:bedrock::1:x/y' })
  t.same(pathTemplate('/v1/models/{model+}').match('/v1/models/a%20b/c'), { model: 'a b/c' })
})

t.test('and for nothing that would lead to another path', async (t) => {
  for (const model of ['', '.', '..', 'a/b', 'a%2F..%2Fb', 'a%2f%2e%2e', '%2e%2e', 'a%00', 'a b', 'a%20b', 'a?b', 'a#b', 'a\\b', 'a;b', 'é',
    'a%', 'x'.repeat(501)]) {
    t.equal(CONVERSE.match(`/model/${model}/converse`), null, model)
  }
  for (const path of ['/model/a/converse/', '/model/a/CONVERSE', '//model/a/converse', '/model/a/converse-stream', '/Model/a/converse']) {
    t.equal(CONVERSE.match(path), null, path)
  }
  t.equal(GENERATE.match('/v1beta/models/gemini:generateContentx'), null)
})

t.test('what a path was made of is found in it again', async () => {
  fc.assert(fc.property(fc.stringMatching(/^[A-Za-z0-9._~@:/-]{1,60}$/), (model) => {
    fc.pre(!model.includes('..') && model !== '.')
    const found = CONVERSE.match(CONVERSE.fill({ model }))
    return found?.['model'] === model
  }))
})
