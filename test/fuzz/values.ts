import fc from 'fast-check'
import { type Shape } from './description.ts'
import { AMOUNTS, TEXTS, TIMES, ZONES } from './hostile.ts'

/** What is known of the objects that there are, so that requests meet them. It grows while requests are answered. */
export interface Known {
  /** by the first part of the path that they were seen at */
  ids: Map<string, string[]>
  /** of all lists */
  cursors: string[]
  /** of who asks: never learned, so that nobody is shut out */
  spared: ReadonlySet<string>
}

/** percent: a threshold that all budgets of the beginning have crossed */
export const CROSSED = 1e-4

/** what nothing has */
const NOBODY = '0198f4f4-0000-7000-8000-000000000000'
const MOST_KNOWN = 60
const SCOPES = ['acme', 'umbrella', 'search', 'red', 'nobody', 'ada']

export function learn (known: Known, segment: string, answer: unknown): void {
  if (typeof answer !== 'object' || answer === null) return
  const { nextCursor } = answer as { nextCursor?: unknown }
  if (typeof nextCursor === 'string') remember(known.cursors, nextCursor)
  const seen = known.ids.get(segment) ?? []
  known.ids.set(segment, seen)
  const members = Object.values(answer).flatMap((value) => Array.isArray(value) ? value as unknown[] : [])
  for (const one of [answer, ...members]) {
    const { id } = (one ?? {}) as { id?: unknown }
    if (typeof id === 'string' && !known.spared.has(id)) remember(seen, id)
  }
}

function remember (list: string[], one: string): void {
  if (list.includes(one)) return
  list.push(one)
  if (list.length > MOST_KNOWN) list.splice(10, 1)
}

/** an id of an object of this kind, of another kind, or of none */
export function anId (known: Known, segment: string): fc.Arbitrary<string> {
  return fc.tuple(fc.nat(), fc.nat(9)).map(([which, kind]) => {
    const own = known.ids.get(segment) ?? []
    const all = [...known.ids.values()].flat()
    const from = kind < 7 && own.length > 0 ? own : kind < 9 ? all : []
    return from[which % Math.max(1, from.length)] ?? NOBODY
  })
}

/** What a schema describes, as far as it says; by its name and its examples what would also be understood. */
export function aValue (shape: Shape, known: Known, name = ''): fc.Arbitrary<unknown> {
  if (shape.const !== undefined) return fc.constant(shape.const)
  if (shape.enum !== undefined) return fc.constantFrom(...shape.enum)
  if (shape.anyOf !== undefined) {
    return withExamples(shape, known, fc.oneof(...shape.anyOf.map((one) => aValue(one, known, name))))
  }
  if (shape.allOf !== undefined) return aValue(merged(shape.allOf), known, name)
  if (shape.type === 'object' || shape.properties !== undefined) {
    return withExamples(shape, known, anObject(shape, known))
  }
  if (shape.type === 'array') {
    return withExamples(shape, known, fc.array(aValue(shape.items ?? {}, known, name), {
      minLength: shape.minItems ?? 0, maxLength: Math.min(shape.maxItems ?? 5, 5),
    }))
  }
  if (shape.type === 'string') return withExamples(shape, known, aText(shape, known, name))
  if (shape.type === 'integer' || shape.type === 'number') return aNumber(shape)
  if (shape.type === 'boolean') return fc.boolean()
  return shape.type === 'null' ? fc.constant(null) : fc.jsonValue({ maxDepth: 2 })
}

function withExamples (shape: Shape, known: Known, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const examples = [...shape.examples ?? [], ...shape.example === undefined ? [] : [shape.example]]
  if (examples.length === 0) return values
  const met = fc.constantFrom(...examples).chain((one) => meeting(one, known))
  return fc.oneof({ weight: 3, arbitrary: met }, { weight: 2, arbitrary: values })
}

/** an example that names a budget names one that there is */
function meeting (example: unknown, known: Known): fc.Arbitrary<unknown> {
  return anId(known, 'budgets').map((id) => typeof example !== 'object' || example === null
    ? example
    : JSON.parse(JSON.stringify(example), (name, value: unknown) => name === 'budgetId' ? id : value) as unknown)
}

function merged (shapes: Shape[]): Shape {
  return {
    type: 'object',
    properties: Object.assign({}, ...shapes.map(({ properties }) => properties ?? {})) as Record<string, Shape>,
    required: shapes.flatMap(({ required = [] }) => required),
  }
}

function anObject (shape: Shape, known: Known): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = shape
  const fields = Object.entries(properties).map(([name, one]) => {
    const value = aValue(one, known, name)
    return required.includes(name) ? value : fc.option(value, { nil: undefined, freq: 1 })
  })
  if (typeof additionalProperties === 'object' && fields.length === 0) {
    const names = fc.oneof(fc.constantFrom('team', 'a', 'x y'), fc.constantFrom(...TEXTS.slice(0, 20)))
    return fc.dictionary(names, aValue(additionalProperties, known), { maxKeys: 3 })
  }
  return fc.tuple(...fields).map((values) => Object.fromEntries(Object.keys(properties)
    .map((name, i): [string, unknown] => [name, values[i]]).filter(([, value]) => value !== undefined)))
}

const SHORT_TEXTS = TEXTS.filter(({ length }) => length < 10_000)

function aText (shape: Shape, known: Known, name: string): fc.Arbitrary<unknown> {
  const { pattern, minLength = 0, maxLength = 300 } = shape
  const sized = fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, minLength + 20) })
    .filter((text) => text.length <= maxLength)
  const meant = ofName(known, name)
  const fitting = pattern === undefined
    ? fc.oneof({ weight: 3, arbitrary: sized }, { weight: 1, arbitrary: fc.constantFrom(...SHORT_TEXTS) })
    : fc.stringMatching(new RegExp(pattern))
  return meant === null ? fitting : fc.oneof({ weight: 4, arbitrary: meant }, { weight: 1, arbitrary: fitting })
}

/** what a text of this name usually is */
function ofName (known: Known, name: string): fc.Arbitrary<unknown> | null {
  if (/^(organization|scope|team|project|user)Id$/.test(name)) return fc.constantFrom(...SCOPES)
  if (/Id$|^id$/.test(name)) return anId(known, 'budgets')
  if (name === 'cursor') return fc.nat().map((which) => known.cursors[which % Math.max(1, known.cursors.length)] ?? 'x')
  if (/amount|cost|approv/i.test(name)) return meantOr(['1', '0.5', '250', 12.5], AMOUNTS)
  if (/At$|Date$|^timestamp$|^from$|^to$|^since$|^until$|^deadline$/.test(name)) {
    return fc.oneof(aTime(), fc.constantFrom(...TIMES))
  }
  if (name === 'timezone') return meantOr(['UTC', 'Europe/Berlin', 'America/New_York'], ZONES)
  if (name === 'currency') return fc.constantFrom('USD', 'USD', 'EUR', 'JPY', 'XXX', 'usd')
  if (name === 'type') return fc.constantFrom('organization', 'team', 'project', 'user')
  return null
}

function meantOr (meant: unknown[], hostile: unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof(fc.constantFrom(...meant), fc.constantFrom(...hostile))
}

/** some years around now */
function aTime (): fc.Arbitrary<string> {
  const reach = 900 * 86_400_000
  return fc.integer({ min: -reach, max: reach }).map((ms) => new Date(Date.now() + ms).toISOString())
}

function aNumber ({ type, minimum, maximum, exclusiveMinimum }: Shape): fc.Arbitrary<number> {
  const above = type === 'integer' ? 1 : 0.001
  const min = minimum ?? (exclusiveMinimum === undefined ? -1_000_000 : exclusiveMinimum + above)
  const max = maximum ?? 2 ** 31
  return type === 'integer'
    ? fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max))
    : fc.oneof(fc.integer({ min: Math.ceil(min), max }), fc.double({ min, max, noNaN: true }))
}
