import { type TSchema, Type } from 'typebox'
import { MOST } from '../../src/limits/rate-limits.ts'

/** Shapes of the admin API: validation of what comes in, and the description of what goes out. */
export const Time = Type.String({ description: 'RFC 3339, in UTC', examples: ['2026-12-01T00:00:00.000Z'] })
export const Nullable = <T extends TSchema> (schema: T) => Type.Union([schema, Type.Null()])

export const UUID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'

export const Text = Type.String({
  description: 'decimal amount in the currency of the budget, without exponent or trailing zeros', examples: ['12.5'],
})

export const Subject = Type.String({
  minLength: 1, maxLength: 256, description: 'of a budget for each of many: whose account', examples: ['alice'],
})

/** of keys and of budgets */
export const RateLimits = Type.Object({
  requestsPerMinute: Type.Optional(Nullable(Type.Integer({ minimum: 1, maximum: MOST, examples: [60] }))),
  tokensPerMinute: Type.Optional(Nullable(Type.Integer({
    minimum: 1, maximum: MOST, description: 'input and output together: at the start of a call the most that it may use, at its end what it used', examples: [100_000],
  }))),
  concurrentCalls: Type.Optional(Nullable(Type.Integer({ minimum: 1, maximum: MOST, examples: [10] }))),
}, { additionalProperties: false, description: 'calls past them are refused with 429 and when to try again; null: none', examples: [{ requestsPerMinute: 60 }] })

export const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64, description: 'UUID' }) })

export const Problem = Type.Object({
  type: Type.String({ description: 'a reference to where the gateway explains the code' }),
  title: Type.String({ description: 'of the status' }),
  status: Type.Integer(),
  detail: Type.String({ description: 'what is wrong with this request, for people' }),
  code: Type.String({ description: 'stable, for programs; /docs/errors has them all' }),
  requestId: Type.String({ description: 'by which the gateway\'s log and audit log name this request' }),
  field: Type.Optional(Type.String({ description: 'which one is wrong, e.g. alerts/0/threshold' })),
  expected: Type.Optional(Type.String({ description: 'what would be right' })),
  remedy: Type.Optional(Type.String({ description: 'what would help, where a budget refuses' })),
  budget: Type.Optional(Type.Object({
    id: Type.String(),
    name: Type.String(),
    scopeType: Type.String(),
    scopeId: Type.String(),
    subject: Type.Optional(Type.String({ description: 'of a budget for each of many: whose account' })),
    currency: Type.String(),
    limit: Text,
    spent: Text,
    held: Text,
    needed: Text,
    remaining: Text,
    resetsAt: Nullable(Time),
  }, { description: 'the budget that has not enough' })),
  hold: Type.Optional(Type.Object({ id: Type.String(), until: Time }, { description: 'the long hold in the way' })),
}, { title: 'Problem', description: 'RFC 9457' })

/** the problems of a route that has these besides those that every route has */
export function problems (...statuses: (404 | 409 | 412 | 413 | 422 | 429)[]): Record<number, typeof Problem> {
  return Object.fromEntries([400, 401, 403, ...statuses, 503].map((status) => [status, Problem]))
}

export const IfMatch = Type.Object({
  'if-match': Type.Optional(Type.String({
    description: 'the ETag that the change is based on, or *; another version by now: 412', examples: ['"42"'],
  })),
})

export const IfNoneMatch = Type.Object({
  'if-none-match': Type.Optional(Type.String({ description: 'an ETag that is known already: 304 where it is still so' })),
})

export const Once = Type.Object({
  'idempotency-key': Type.Optional(Type.String({
    description: '1 to 255 visible ASCII characters, best random: the same request again has the same answer for a day, ' +
      'and happens once',
    examples: ['01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55'],
  })),
})

export const PageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'most that are answered at once' }),
  cursor: Type.Optional(Type.String({ maxLength: 4096, description: 'nextCursor of the page before' })),
}

export const PageAnswer = {
  count: Type.Integer({ description: 'of this page' }),
  limit: Type.Integer(),
  nextCursor: Nullable(Type.String({ description: 'of the next page; null: this is the last' })),
  total: Type.Optional(Type.Integer({ description: 'of all pages, where total=true asks for it' })),
}
