import { Type } from 'typebox'
import { Nullable, PageAnswer, PageQuery, Time } from './schemas.ts'

/** Shapes of the audit log. */
const State = (description: string) => Nullable(Type.Object({}, { additionalProperties: true, description }))
const Exactly = (description: string, example: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 256, description, examples: [example] }))
const Moment = (description: string) =>
  Type.Optional(Type.String({ maxLength: 64, description, examples: ['2026-11-01T00:00:00Z'] }))

export const AuditQueryString = Type.Object({
  ...PageQuery,
  actor: Exactly('id of who changed something', '01912d68-783e-7a03-8467-5661c1243ad4'),
  action: Exactly('exactly', 'budget.changed'),
  objectType: Exactly('of what was changed', 'budget'),
  objectId: Exactly('of what was changed', '01912d68-783e-7a03-8467-5661c1243ad4'),
  from: Moment('the first moment, RFC 3339'),
  to: Moment('the moment after the last, RFC 3339'),
}, { additionalProperties: false })

export const AuditEntryAnswer = Type.Object({
  id: Type.String({ description: 'UUID' }),
  at: Time,
  actor: Type.Object({
    id: Type.String({ description: 'of the token, or what its issuer calls who asks' }),
    name: Type.String({ examples: ['Ada'] }),
    role: Type.String({
      description: 'administrator, manager, or system for what the gateway does by itself', examples: ['administrator'],
    }),
  }),
  requestId: Nullable(Type.String({
    description: 'by which the gateway\'s log and the answer name it; null: no request', examples: ['req-1f'],
  })),
  from: Nullable(Type.String({
    description: 'address of who asked, or the host of a command', examples: ['10.1.2.3'],
  })),
  action: Type.String({ examples: ['budget.changed'] }),
  objectType: Type.String({ examples: ['budget'] }),
  objectId: Type.String({ examples: ['01912d68-783e-7a03-8467-5661c1243ad4'] }),
  organizationId: Nullable(Type.String({ description: 'whose object it is; null: of none, or of another one before' })),
  before: State('the object as it was; null: it was made'),
  after: State('the object as it became; null: it is gone'),
  seq: Type.Optional(Type.Integer({ description: 'its number in the log; for those whose reach is everything' })),
  hash: Type.Optional(Type.String({
    description: 'SHA-256 over the hash before it and this entry, in hex; for those whose reach is everything',
    examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
  })),
})

export const AuditPageAnswer = Type.Object({
  entries: Type.Array(AuditEntryAnswer),
  count: PageAnswer.count,
  limit: PageAnswer.limit,
  nextCursor: PageAnswer.nextCursor,
})
