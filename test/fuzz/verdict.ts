import { Value } from 'typebox/value'
import { ADMIN_CODES } from '../../src/error-codes.ts'
import { type Call } from './calls.ts'
import { type Operation } from './description.ts'
import { TEXTS } from './hostile.ts'

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  /** until it was complete */
  ms: number
}

const DEADLINE_MS = 10_000
const PROBLEM = 'application/problem+json'
/** of requests that reach no route */
const OF_NO_ROUTE = new Set(['route_not_found', 'method_not_allowed', 'invalid_url'])

/** what no answer may tell, unless this request said it, or an earlier one that made the object */
const INSIDE = [
  /\n\s+at .+:\d+/, /node:internal|node_modules/, /\.(?:ts|js):\d+/,
  /\b(?:budget_(?:definitions|accounts|usage_records)|usage_events|api_keys|admin_tokens|idempotency_keys|pg_[a-z]+)\b/,
  /\bselect\s[\w\s,.*()]+\sfrom\s|\binsert into\b|\bdelete from\b/i,
  /\brelation "|\bcolumn "|syntax error at|violates|duplicate key value|invalid input syntax/i,
  /postgres(?:ql)?:\/\//, /\/(?:root|home|tmp|work|usr|var|etc)\//,
]

/** What is wrong with an answer; empty: nothing. `secrets`: texts that it may not hold unless the request did. */
export function faultsOf (operation: Operation, call: Call, answer: Answer, secrets: readonly string[]): string[] {
  return [
    ...answer.ms > DEADLINE_MS ? [`it took ${Math.round(answer.ms)} ms`] : [],
    ...answer.status >= 500 ? [`it is a ${answer.status}`] : [],
    ...shapeFaults(operation, call, answer),
    ...leaks(call, answer, secrets),
  ]
}

function shapeFaults (operation: Operation, call: Call, { status, headers, text }: Answer): string[] {
  const type = String(headers['content-type'] ?? '').split(';')[0] ?? ''
  const problem = type === PROBLEM ? parsed(text) as { code?: string, status?: number, field?: string } : null
  if (problem !== null) {
    const code = problem.code as keyof typeof ADMIN_CODES
    if (!Object.hasOwn(ADMIN_CODES, code)) return [`its code ${code} is not known`]
    if (ADMIN_CODES[code].status !== status || problem.status !== status) return [`its code ${code} is not of ${status}`]
    if (code === 'invalid_field' && typeof problem.field !== 'string') return ['it names no field']
    if (call.astray && OF_NO_ROUTE.has(code)) return []
  }
  const described = operation.answers.get(status)
  if (described === undefined) return [`its status ${status} is not described`]
  if (Object.keys(described).length === 0) return text === '' ? [] : ['it has a body that is not described']
  const schema = described[type]
  if (schema === undefined) return [`its type ${type} is not described for ${status}`]
  const value = type.endsWith('json') ? parsed(text) : text
  const wrong = Value.Errors(schema, value).map(({ instancePath, message }) => `${instancePath} ${message}`)
  if (wrong.length > 0) return [`it is not as described: ${wrong.slice(0, 3).join('; ')}`]
  return status < 300 ? forbiddenFaults(operation, call) : []
}

/** what the description forbids is not done */
function forbiddenFaults ({ body }: Operation, { said }: Call): string[] {
  const [schema] = Object.values(body)
  if (said === undefined || schema === undefined || Value.Check(schema, said)) return []
  const [first] = Value.Errors(schema, said)
  return [`it was accepted, though the description forbids it: ${first?.instancePath} ${first?.message}`]
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return { code: 'none: it is no JSON' }
  }
}

function leaks (call: Call, { text, headers }: Answer, secrets: readonly string[]): string[] {
  const asked = `${call.path}\n${decoded(call.path)}\n${Object.values(call.headers).join('\n')}\n${String(call.body)}`
  const found = INSIDE.map((pattern) => pattern.exec(text)?.[0])
    .filter((one) => one !== undefined && !asked.includes(one) && !TEXTS.some((said) => said.includes(one)))
  const told = `${text}\n${Object.values(headers).flat().join('\n')}`
  const betrayed = secrets.filter((one) => told.includes(one) && !asked.includes(one))
  return [...found, ...betrayed].map((one) => `it tells ${one}`)
}

function decoded (path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString())
}
