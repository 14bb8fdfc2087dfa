import * as fc from 'fast-check'
import t from 'tap'
import { changedBody, withMembers } from '../../src/providers/changed-body.ts'
import { anthropic } from '../../src/providers/anthropic/index.ts'
import { openai } from '../../src/providers/openai/index.ts'
import { aCall, billable } from './builders.ts'

t.test('members are set in place or added, and every other byte stays', async (t) => {
  const set = (text: string, values: Record<string, string>) =>
    withMembers(Buffer.from(text), new Map(Object.entries(values))).toString()
  t.equal(set('{ "model" : "a" , "n":1}', { model: '"b"' }), '{ "model" : "b" , "n":1}')
  t.equal(set('{"n":1e2,"model":"\\u0061"}', { model: '"b"', max: '5' }), '{"n":1e2,"model":"b","max":5}')
  t.equal(set(' {} \n', { model: '"b"' }), ' {"model":"b"} \n')
  t.equal(set('{"mod\\u0065l":"a","x":{"model":"a"}}', { model: '"b"' }), '{"mod\\u0065l":"b","x":{"model":"a"}}', 'an escaped name is the same')
})

t.test('whatever the body, it is the same but for what was set', async () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.nat(), (body, model, max) => {
    const bytes = Buffer.from(JSON.stringify(body))
    const out = withMembers(bytes, new Map([['model', JSON.stringify(model)], ['max_tokens', String(max)]]))
    const expected = { ...body, model, max_tokens: max }
    const inOrder = (object: object) =>
      JSON.stringify(Object.entries(object).sort(([a], [b]) => a < b ? -1 : 1))
    return inOrder(JSON.parse(out.toString()) as object) === inOrder(JSON.parse(JSON.stringify(expected)) as object)
  }), { examples: [[{ '': { toString: 0 } }, '', 0]] })
})

t.test('no output limit is raised, and both of them are lowered', async (t) => {
  const limits = ['max_completion_tokens', 'max_tokens']
  const changes = { model: null, outputTokens: 50 }
  const capped = (body: object) =>
    JSON.parse(changedBody(body, Buffer.from(JSON.stringify(body)), changes, limits).toString()) as object
  t.strictSame(capped({ max_tokens: 100, max_completion_tokens: 20 }), { max_tokens: 50, max_completion_tokens: 20 })
  t.strictSame(capped({ max_tokens: 100 }), { max_tokens: 50 })
  t.strictSame(capped({ max_tokens: null }), { max_tokens: null, max_completion_tokens: 50 })
})

t.test('each dialect puts the model and the limit where its provider reads them', async (t) => {
  const changes = { model: 'other', outputTokens: 7 }
  const sent = (provider: typeof openai, body: object) =>
    billable(provider).forwardBody(aCall(provider, body), body, Buffer.from(JSON.stringify(body)), changes).toString()
  t.equal(sent(openai, { model: 'gpt-4o', stream: true, messages: [] }),
    '{"model":"other","stream":true,"messages":[],"max_completion_tokens":7,"stream_options":{"include_usage":true}}')
  t.equal(sent(anthropic, { model: 'claude-haiku-4-5', max_tokens: 9, messages: [] }),
    '{"model":"other","max_tokens":7,"messages":[]}')
})

t.test('what a request says of thinking is known where its limit is lowered', async (t) => {
  const message = { model: 'claude-haiku-4-5', max_tokens: 9, messages: [] }
  const thinking = (value: unknown) => aCall(anthropic, { ...message, thinking: value }).thinking
  t.equal(thinking(undefined), 0)
  t.equal(thinking({ type: 'disabled' }), 0)
  t.equal(thinking({ type: 'enabled', budget_tokens: 5_000 }), 5_000)
  t.equal(thinking({ type: 'adaptive' }), 'open')
  const chat = { model: 'gpt-4o', messages: [] }
  t.equal(aCall(openai, chat).thinking, 'open', 'whether the model thinks is not the request\'s to say')
  t.equal(aCall(openai, { ...chat, prediction: { type: 'content', content: 'x' } }).thinking, null)
})
