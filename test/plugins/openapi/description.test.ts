/**
 * openapi.json is the API's description as the routes give it, src/client/api.ts the types of its client. After a
 * change of the routes this test writes both:
 * WRITE_OPENAPI=1 node out/test/plugins/openapi/description.test.js
 */
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { Value } from 'typebox/value'
import { ADMIN_CODES } from '../../../src/error-codes.ts'
import { aGateway, type Json } from '../../e2e/gateway.ts'
import { clientTypes } from './client-types.ts'

const FILE = resolve(import.meta.dirname, '../../../../openapi.json')
const TYPES = resolve(import.meta.dirname, '../../../../src/client/api.ts')

interface Media { schema: object, example?: unknown, examples?: Record<string, { value: unknown }> }
interface Answer { description: string, headers?: Json, content?: Record<string, Media> }
interface Operation {
  operationId: string
  summary?: string
  tags?: string[]
  parameters?: { name: string, in: string, schema: object, example?: unknown }[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, Answer>
}
interface Description {
  paths: Record<string, Record<string, Operation>>
  tags: { name: string, description: string }[]
}

async function describe (t: Test): Promise<string> {
  const { url } = await aGateway(t)
  const answer = await fetch(`${url}/api/v1/openapi.json`)
  t.equal(answer.status, 200)
  return `${JSON.stringify(await answer.json(), null, 2)}\n`
}

/** with what `$ref` stands for in its place, but for a shape within itself, where anything goes */
function resolved<T> (document: T): T {
  const walk = (value: unknown, within: readonly string[] = []): unknown => {
    if (Array.isArray(value)) return value.map((one) => walk(one, within))
    if (typeof value !== 'object' || value === null) return value
    const { $ref } = value as { $ref?: string }
    if ($ref === undefined) return mapped(value, (one) => walk(one, within))
    if (within.includes($ref)) return {}
    const named = $ref.split('/').slice(1).reduce((inner, name) => (inner as Json)[name], document as unknown)
    return walk(named, [...within, $ref])
  }
  return walk(document) as T
}

function mapped (value: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, change(one)]))
}

function operations ({ paths }: Description): [string, Operation][] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]))
}

const text = t.test('the description is that of openapi.json', async (t) => {
  const made = await describe(t)
  if (process.env['WRITE_OPENAPI'] === '1') await writeFile(FILE, made)
  t.equal(made, await readFile(FILE, 'utf8'))
}).then(async () => await readFile(FILE, 'utf8'))

t.test('the types of the client are made from it', async (t) => {
  const made = await clientTypes(await text)
  if (process.env['WRITE_OPENAPI'] === '1') await writeFile(TYPES, made)
  t.ok(made === await readFile(TYPES, 'utf8'), 'src/client/api.ts is out of date: WRITE_OPENAPI=1 writes it')
})

t.test('it keeps the rules of OpenAPI 3.1', async (t) => {
  const config = await createConfig({ extends: ['spec'] })
  const found = await lintFromString({ source: await text, config })
  t.same(found.map(({ message, location }) => `${location[0]?.pointer ?? ''}: ${message}`), [])
  const broken = await lintFromString({ source: (await text).replaceAll('"responses"', '"answers"'), config })
  t.ok(broken.length > 0, 'the rules are applied')
})

t.test('every route is named, described and put in a group, and its examples are what its schemas say', async (t) => {
  const description = resolved(JSON.parse(await text) as Description)
  const groups = new Set(description.tags.map(({ name }) => name))
  for (const { name, description: words } of description.tags) t.match(words, /^[A-Z].{10,}\.$/, name)
  const all = operations(description)
  t.ok(all.length > 5)
  for (const [name, { operationId, tags = [], parameters = [], requestBody, responses }] of all) {
    t.match(operationId, /^[a-z][A-Za-z]+$/, name)
    t.ok(tags.length > 0 && tags.every((tag) => groups.has(tag)), `${name}: ${tags.join()}`)
    for (const { name: parameter, schema, example } of parameters) {
      if (example !== undefined) t.ok(Value.Check(schema, example), `${name}: ${parameter}`)
    }
    const media = Object.entries(responses).flatMap(([status, { description: words, content = {} }]) => {
      t.ok(words.length > 5, `${name}: ${status}`)
      return Object.entries(content).map(([type, one]) => [`${name}: ${status} ${type}`, one] as const)
    })
    const bodies = Object.entries(requestBody?.content ?? {}).map(([type, one]) => [`${name}: ${type}`, one] as const)
    for (const [what, one] of [...bodies, ...media]) checkExamples(t, what, one)
  }
})

function checkExamples (t: Test, what: string, { schema, example, examples = {} }: Media): void {
  const values = [...example === undefined ? [] : [example], ...Object.values(examples).map(({ value }) => value)]
  t.ok(values.length > 0, `${what} has an example`)
  for (const value of values) t.same(Value.Errors(schema, value), [], what)
}

t.test('every POST that changes something takes an idempotency key', async (t) => {
  const harmless = ['post /budgets/{id}/check-constraints', 'post /explain']
  const without = operations(resolved(JSON.parse(await text) as Description))
    .filter(([name, { parameters = [] }]) => name.startsWith('post ') && !parameters.some((one) => one.name === 'idempotency-key'))
  t.same(without.map(([name]) => name).sort(), harmless)
})

t.test('every error of every route is problem+json with the codes of its status', async (t) => {
  for (const [name, { responses }] of operations(resolved(JSON.parse(await text) as Description))) {
    t.notOk('default' in responses, name)
    t.ok(['401', '403', '500', '503'].every((status) => status in responses), name)
    for (const [status, { content = {} }] of Object.entries(responses).filter(([one]) => Number(one) >= 400)) {
      const codes = Object.keys(content['application/problem+json']?.examples ?? {}) as (keyof typeof ADMIN_CODES)[]
      t.same(codes.map((code) => ADMIN_CODES[code].status), codes.map(() => Number(status)), `${name} ${status}`)
    }
  }
})
