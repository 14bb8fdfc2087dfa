import fc from 'fast-check'
import { type Operation, type Parameter } from './description.ts'
import { ESCAPES, HEADERS, LIMITS, NO_JSON, TEXTS, TYPES, VALUES } from './hostile.ts'
import { aValue, anId, CROSSED, type Known } from './values.ts'

/** One request, as it goes out. */
export interface Call {
  method: string
  /** as on the wire */
  path: string
  headers: Record<string, string>
  body: string | Buffer | null
  /** what the body says where it is meant to be read, undefined: it is not */
  said: unknown
  /** the path may not be the route's any more */
  astray: boolean
}

interface Draft {
  segments: Record<string, string>
  query: [string, string][]
  headers: Record<string, string>
  body: unknown
  raw: string | Buffer | null
  astray: boolean
}

type Twist = (draft: Draft) => Draft

/** requests to one route: as it describes them, and twisted in one or two places */
export function aCall (operation: Operation, known: Known): fc.Arbitrary<Call> {
  const twists = fc.oneof(
    { weight: 2, arbitrary: fc.constant<Twist[]>([]) },
    { weight: 3, arbitrary: fc.array(aTwist(operation), { minLength: 1, maxLength: 2 }) })
  return fc.tuple(aDraft(operation, known), twists)
    .map(([draft, changes]) => callOf(operation, changes.reduce((twisted, change) => change(twisted), draft)))
}

export function segmentOf (path: string): string { return path.split('/')[3] ?? '' }

function aDraft (operation: Operation, known: Known): fc.Arbitrary<Draft> {
  const values = (place: Parameter['in']) => {
    const parameters = operation.parameters.filter((one) => one.in === place)
    return fc.tuple(...parameters.map((one) => {
      const value = aParameter(operation, one, known)
      return one.required ? value : fc.option(value, { nil: undefined, freq: 1 })
    })).map((all) => parameters.map(({ name }, i): [string, unknown] => [name, all[i]])
      .filter(([, value]) => value !== undefined).map(([name, value]): [string, string] => [name, String(value)]))
  }
  const [body] = Object.values(operation.body)
  return fc.record({
    segments: values('path').map((all) => Object.fromEntries(all)),
    query: values('query'),
    headers: values('header').map((all) => Object.fromEntries(all)),
    body: body === undefined ? fc.constant(undefined) : aValue(body, known),
    raw: fc.constant(null),
    astray: fc.constant(false),
  })
}

function aParameter ({ path }: Operation, { name, schema, example }: Parameter, known: Known): fc.Arbitrary<unknown> {
  if (name === 'idempotency-key') return fc.uuid()
  if (name === 'if-match' || name === 'if-none-match') return fc.constantFrom('*', '"1"', '"2"', 'W/"1"', '"1", "2"')
  if (name === 'threshold') {
    return fc.oneof({ weight: 9, arbitrary: fc.constant(String(CROSSED)) }, aValue(schema, known, name))
  }
  if (name === 'id' && !path.includes('/{type}/')) {
    const some = anId(known, segmentOf(path))
    const crossed = known.ids.get('budgets')?.slice(0, 3) ?? []
    return path.includes('{threshold}') ? fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...crossed) }, some) : some
  }
  return aValue(example === undefined ? schema : { ...schema, example }, known, name)
}

function aTwist (operation: Operation): fc.Arbitrary<Twist> {
  const inPath = operation.parameters.some((one) => one.in === 'path')
  const takesBody = Object.keys(operation.body).length > 0
  return fc.oneof(
    { weight: takesBody ? 10 : 1, arbitrary: aBodyTwist() },
    { weight: 3, arbitrary: aQueryTwist(operation) },
    { weight: inPath ? 3 : 1, arbitrary: aPathTwist() },
    { weight: 3, arbitrary: aHeaderTwist() })
}

function aBodyTwist (): fc.Arbitrary<Twist> {
  const hostile = fc.constantFrom(...VALUES)
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(fc.nat(), hostile).map(([at, value]): Twist => (draft) =>
        ({ ...draft, body: replaced(draft.body, at, value) })),
    },
    {
      weight: 3,
      arbitrary: fc.nat().map((at): Twist => (draft) => ({ ...draft, body: replaced(draft.body, at, undefined) })),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom(...TEXTS), hostile).map(([name, value]): Twist => (draft) =>
        ({ ...draft, raw: withMember(draft.body, name, value) })),
    },
    {
      weight: 2,
      arbitrary: hostile.map((value): Twist => (draft) => ({ ...draft, raw: withDoubleMember(draft.body, value) })),
    },
    { weight: 2, arbitrary: fc.constantFrom(...NO_JSON).map((raw): Twist => (draft) => ({ ...draft, raw })) },
    { weight: 2, arbitrary: fc.constantFrom(...TYPES).map((type) => withHeader('content-type', type)) },
    { weight: 1, arbitrary: fc.constant<Twist>((draft) => ({ ...draft, raw: NO_UTF_8 })) },
    { weight: 1, arbitrary: fc.constant<Twist>((draft) => ({ ...draft, body: undefined })) })
}

/** {"??":1}, where both are no characters */
const NO_UTF_8 = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])

function withHeader (name: string, value: string): Twist {
  return (draft) => ({ ...draft, headers: { ...draft.headers, [name]: value } })
}

function aQueryTwist (operation: Operation): fc.Arbitrary<Twist> {
  const names = operation.parameters.filter((one) => one.in === 'query').map(({ name }) => name)
  const name = fc.constantFrom('colour', '__proto__', 'constructor', 'limit', 'cursor', 'a[b]', 'a[]', '', ...names, ...names)
  const text = fc.constantFrom(...TEXTS.filter(({ length }) => length < 6_000))
  return fc.oneof(
    fc.tuple(name, text).map(([one, value]): Twist => (draft) =>
      ({ ...draft, query: [...draft.query.filter(([other]) => other !== one), [one, value]] })),
    fc.tuple(name, text).map(([one, value]): Twist => (draft) => ({ ...draft, query: [...draft.query, [one, value], [one, '1']] })),
    fc.tuple(name, fc.constantFrom(...ESCAPES)).map(([one, value]): Twist => (draft) =>
      ({ ...draft, query: [...draft.query, [one, `\n${value}`]] })),
    fc.constantFrom(...LIMITS).map((value): Twist => (draft) =>
      ({ ...draft, query: [...draft.query.filter(([other]) => other !== 'limit'), ['limit', value]] })))
}

function aPathTwist (): fc.Arbitrary<Twist> {
  const twist = (segment: string): Twist => (draft) => ({
    ...draft, astray: true, segments: Object.fromEntries(Object.keys(draft.segments).map((name) => [name, segment])),
  })
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...TEXTS.filter(({ length }) => length < 6_000)).map(twist) },
    // a line break marks what is encoded already
    { weight: 2, arbitrary: fc.constantFrom(...ESCAPES).map((one) => twist(`\n${one}`)) })
}

function aHeaderTwist (): fc.Arbitrary<Twist> {
  return fc.constantFrom(...HEADERS).chain(([name, values]) =>
    fc.constantFrom(...values).map((value) => withHeader(name, value)))
}

function callOf ({ method, path, body: takes }: Operation, draft: Draft): Call {
  const target = path.replace(/\{(\w+)\}/g, (_, name: string) => encoded(draft.segments[name] ?? ''))
  const query = draft.query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&')
  const body = draft.raw ?? (draft.body === undefined ? null : JSON.stringify(draft.body))
  const [type] = Object.keys(takes)
  const read = draft.raw === null && type !== undefined && draft.body !== undefined
  const call: Call = {
    method,
    path: `${target}${query === '' ? '' : `?${query}`}`,
    headers: { ...body === null ? {} : { 'content-type': type ?? 'application/json' }, ...draft.headers },
    body,
    said: read ? JSON.parse(JSON.stringify(draft.body)) : undefined,
    astray: draft.astray,
  }
  // fast-check writes a failing call by this
  Object.defineProperty(call, fc.toStringMethod, { value: () => shown(call), enumerable: false })
  return call
}

export function shown ({ method, path, headers, body }: Call): string {
  const text = typeof body === 'string' ? body : body === null ? '' : `0x${body.toString('hex')}`
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${cut(value)}`)
  return [`${method} ${cut(path)}`, ...lines, '', cut(text)].join('\n')
}

function cut (text: string): string {
  return text.length > 1_500 ? `${text.slice(0, 1_500)}... (${text.length} characters)` : text
}

function encoded (text: string): string {
  return text.startsWith('\n') ? text.slice(1) : encodeURIComponent(Buffer.from(text).toString())
}

/** `value` with the `at`-th of all its members, however deep, replaced, or taken out */
function replaced (value: unknown, at: number, by: unknown): unknown {
  const copy: unknown = value === undefined ? {} : JSON.parse(JSON.stringify(value))
  const places = placesOf(copy)
  const place = places[at % Math.max(1, places.length)]
  if (place === undefined) return by
  if (by !== undefined || Array.isArray(place.of)) Object.assign(place.of, { [place.name]: by ?? null })
  else Reflect.deleteProperty(place.of, place.name)
  return copy
}

function placesOf (value: unknown): { of: object, name: string }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).slice(0, 50).flatMap(([name, member]) => [{ of: value, name }, ...placesOf(member)])
}

function withMember (body: unknown, name: string, value: unknown): string {
  const rest = JSON.stringify(body ?? {})
  const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`
  return rest.startsWith('{') ? `{${member}${rest === '{}' ? '' : ','}${rest.slice(1)}` : `{${member}}`
}

/** the first member stands there twice */
function withDoubleMember (body: unknown, value: unknown): string {
  const [name = 'name'] = Object.keys(typeof body === 'object' && body !== null ? body : {})
  return withMember(body, name, value)
}
