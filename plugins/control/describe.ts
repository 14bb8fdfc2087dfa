import { type FastifySchema } from 'fastify'
import { STATUS_CODES } from 'node:http'
import { ADMIN_CODES, type AdminCode } from '../../src/error-codes.ts'
import { exampleOf, type Shape } from './examples.ts'
import { ERRORS_PAGE, PROBLEM_TYPE } from './problem.ts'
import { Once, Problem } from './schemas.ts'

declare module 'fastify' {
  interface FastifySchema {
    /** codes that this route alone can answer with; those that all routes of its kind share are added to them */
    errors?: readonly AdminCode[]
    /** headers of its answers, by their names in ANSWER_HEADERS */
    answerHeaders?: readonly AnswerHeader[]
  }
}

/**
 * What the API's description says of a route beyond its own schemas: every error that it can answer with, with an
 * example, and the headers. Most follow from what the route takes, so a new route is described without being listed.
 */
export const TAGS = [
  { name: 'budgets', description: 'Amounts per period for an organization, a team, a project or a user.' },
  { name: 'adjustments', description: 'What is added to the amount of a budget for a time, or moved to another one.' },
  { name: 'approvals', description: 'Asking for more where a budget requires approval, and deciding on it.' },
  { name: 'usage', description: 'What was spent: history, and usage that no gateway metered.' },
  { name: 'keys', description: 'Gateway keys: what AI clients call with, and whom they call for.' },
  { name: 'tokens', description: 'Tokens of the admin API: who may ask it, as what, and how far that goes.' },
  { name: 'audit', description: 'Who changed what, when and from where. Nothing in it is ever changed or removed.' },
  { name: 'holds', description: 'Amounts that other systems set aside, and settle at any gateway.' },
  { name: 'gateways', description: 'Those that have leased something and do not answer, until somebody gives them up.' },
  { name: 'prices', description: 'What models cost here otherwise than in the catalog.' },
  { name: 'exchange rates', description: 'Units of a currency per USD: budgets may be in any currency that has a rate.' },
]

const ANSWER_HEADERS = {
  etag: { type: 'string', description: 'The version of the object, for If-Match.', examples: ['"7"'] },
  location: { type: 'string', description: 'Path of the object that was made.', examples: ['/api/v1/budgets/01912d68'] },
  'retry-after': { type: 'integer', description: 'Seconds after which to try again.', examples: [1] },
  'www-authenticate': { type: 'string', description: 'The scheme that is asked for.', examples: ['Bearer'] },
}

export type AnswerHeader = keyof typeof ANSWER_HEADERS

const OF_STATUS: Record<string, AnswerHeader[]> = {
  201: ['location'], 401: ['www-authenticate'], 429: ['retry-after'], 503: ['retry-after'],
}

const DONE: Record<string, string> = { 200: 'What was asked for.', 201: 'It is made.', 204: 'It is done; there is nothing to tell.' }

interface Route {
  schema?: FastifySchema
  url: string
  route: { method: string | string[] }
}

/** a route's schema, completed */
export function describeRoute ({ schema: own = {}, url, route }: Route) {
  if (own.hide === true) return { schema: own, url }
  const schema = !CHANGING.has(methodOf(route)) ? own : { ...own, headers: withOnce(own.headers as Shape | undefined) }
  const declared = (schema.response ?? {}) as Record<string, Answer>
  const answers = Object.fromEntries(Object.entries(declared)
    .filter(([status]) => Number(status) < 400).map(([status, answer]) => [status, withExample(answer)]))
  const response = Object.entries({ ...answers, ...problems(codesOf(schema, Object.keys(declared), route)) })
    .map(([status, answer]) => [status, answerOf(status, answer, schema.answerHeaders)] as const)
  return {
    url,
    schema: {
      operationId: operationId(route, url),
      ...schema,
      ...schema.body === undefined ? {} : { body: withExample(schema.body as Answer) },
      ...schema.querystring === undefined ? {} : { querystring: inWords(withDefaults(schema.querystring as Shape)) },
      ...schema.headers === undefined ? {} : { headers: inWords(schema.headers as Shape) },
      response: Object.fromEntries(response),
    },
  }
}

/** that change something by their name: they go through `mutate`, which takes a key */
const CHANGING = new Set(['PUT', 'PATCH', 'DELETE'])

function withOnce (headers: Shape = { type: 'object' }): Shape {
  return { ...headers, properties: { ...headers.properties, ...Once.properties } }
}

/** An example of a parameter would be filled in by the reference page, and be sent: a key of yesterday, a filter. */
function inWords (parameters: Shape): Shape {
  const told = Object.entries(parameters.properties ?? {}).map(([name, one]): [string, Shape] => {
    const { examples: [example] = [], ...rest } = one
    if (example === undefined) return [name, rest]
    return [name, { ...rest, description: `${rest.description ?? name}, e.g. ${String(example)}` }]
  })
  return { ...parameters, properties: Object.fromEntries(told) }
}

/** what has a default need not be sent */
function withDefaults (query: Shape): Shape {
  const required = (query.required ?? []).filter((name) => query.properties?.[name]?.default === undefined)
  return { ...query, required }
}

/** in each of its media types, where it has several */
function withExample (shape: Answer & Shape): Answer {
  if (shape.type === 'null') return shape
  if (shape.content === undefined) return { examples: [exampleOf(shape)], ...shape }
  return {
    ...shape,
    content: Object.fromEntries(Object.entries(shape.content).map(([type, media]) =>
      [type, { example: exampleOf(media.schema), ...media }])),
  }
}

/** GET /api/v1/budgets/:id/status is getBudgetStatus */
function operationId (route: Route['route'], url: string): string {
  const parts = url.replace(/^.*\/api\/v\d+/, '').split('/').slice(1)
  const words = parts.flatMap((part, i) => part.startsWith(':') ? [] : [parts[i + 1]?.startsWith(':') === true ? part.replace(/s$/, '') : part])
  return [methodOf(route).toLowerCase(), ...words.flatMap((word) => word.split('-')).map((word) =>
    word.charAt(0).toUpperCase() + word.slice(1))].join('')
}

function methodOf ({ method }: Route['route']): string { return [method].flat()[0] ?? 'GET' }

interface Answer {
  description?: string
  headers?: object
  content?: Record<string, { schema: Shape }>
}

function answerOf (status: string, answer: Answer, own: readonly AnswerHeader[] = []): Answer {
  const names = [...OF_STATUS[status] ?? [], ...status.startsWith('2') ? own : []]
  const headers = Object.fromEntries(names.map((name) => [name, ANSWER_HEADERS[name]]))
  return {
    ...answer,
    description: answer.description ?? DONE[status] ?? '',
    ...names.length === 0 ? {} : { headers: { ...headers, ...answer.headers } },
  }
}

const OF_ALL: AdminCode[] = ['unauthorized', 'forbidden', 'too_many_failures', 'internal_error', 'dependency_unavailable']

/** what a route can refuse follows from what it takes; of a status that it names without codes, all */
function codesOf (
  { body, params, querystring, headers, errors = [] }: FastifySchema, statuses: string[], route: Route['route']
): AdminCode[] {
  const codes = new Set<AdminCode>([...OF_ALL, ...errors])
  if ((body ?? params ?? querystring ?? headers) !== undefined) codes.add('invalid_field')
  if (params !== undefined) codes.add('not_found').add('url_too_long')
  // a body that nobody asked for is read all the same
  if (body !== undefined || methodOf(route) !== 'GET') codes.add('invalid_body').add('body_too_large').add('unsupported_media_type')
  const said = new Set([...codes].map((code) => ADMIN_CODES[code].status))
  for (const code of CODES) {
    const { status } = ADMIN_CODES[code]
    if (statuses.includes(String(status)) && !said.has(status) && !OF_HOLDS.has(code)) codes.add(code)
  }
  if ('idempotency-key' in ((headers as Shape | undefined)?.properties ?? {})) codes.add('idempotency_key_reused')
  return [...codes]
}

const CODES = Object.keys(ADMIN_CODES) as AdminCode[]
/** only routes that say so have these */
const OF_HOLDS = new Set<AdminCode>([
  'hold_settled', 'no_budget', 'quote_exceeds_budget', 'budget_exhausted', 'approval_required', 'budget_in_doubt', 'budget_held',
  'budget_paused',
])

function problems (codes: AdminCode[]): Record<string, Answer> {
  const statuses = [...new Set(codes.map((code) => ADMIN_CODES[code].status))]
  return Object.fromEntries(statuses.map((status) =>
    [status, problemAnswer(codes.filter((code) => ADMIN_CODES[code].status === status).sort())]))
}

function problemAnswer (codes: AdminCode[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${ADMIN_CODES[code].meaning}`).join('\n\n'),
    content: {
      [PROBLEM_TYPE]: {
        schema: { allOf: [Problem, { type: 'object', required: ['code'], properties: { code: { type: 'string', enum: codes } } }] },
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }])),
      },
    },
  }
}

function problemExample (code: AdminCode): object {
  const { status, meaning } = ADMIN_CODES[code]
  const general = { type: `${ERRORS_PAGE}#${code}`, title: STATUS_CODES[status], status, detail: meaning, code, requestId: 'req-1f' }
  if (code !== 'invalid_field') return general
  const expected = 'an ISO 4217 code in capital letters, e.g. "USD"'
  return { ...general, detail: `currency must be ${expected}; got "usd"`, field: 'currency', expected }
}
