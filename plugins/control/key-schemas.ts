import { Type } from 'typebox'
import { IDENTITY_HEADERS } from '../../src/keys/key.ts'
import { Nullable, PageAnswer, PageQuery, RateLimits, Time } from './schemas.ts'

/** Shapes of gateway keys. */
const Headers = (description: string) => Type.Array(Type.Enum([...IDENTITY_HEADERS]), {
  maxItems: 5, description: `${description}: the part behind x-relaycore-`, examples: [['user', 'tags']],
})
const Name = (description: string) => Type.String({ minLength: 1, maxLength: 256, pattern: '\\S', description })

const Terms = {
  name: Name('for people'),
  allowHeaders: Headers('identity headers that count when a call carries them'),
  requireHeaders: Headers('identity headers that a call must carry'),
  endUser: Type.Enum(['ignore', 'allow', 'require'], {
    description: 'whether the end user that a call names in its body counts (OpenAI safety_identifier or user, Anthropic metadata.user_id)',
  }),
  allowedProviders: Nullable(Type.Array(Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,99}$' }), {
    minItems: 1, maxItems: 100, description: 'null: every provider', examples: [['openai']],
  })),
  allowedModels: Nullable(Type.Array(Type.String({ minLength: 1, maxLength: 256, pattern: '^\\S+$' }), {
    minItems: 1, maxItems: 100, description: 'names, or patterns with *; null: every model', examples: [['gpt-4o*']],
  })),
  rateLimits: Nullable(RateLimits),
  expiresAt: Nullable(Type.String({ description: 'RFC 3339, in the future; null: never', examples: ['2027-01-01T00:00:00Z'] })),
}

const Scope = {
  organizationId: Name('whose calls these are'),
  teamId: Nullable(Name('whose calls these are')),
  projectId: Nullable(Name('whose calls these are')),
  userId: Nullable(Name('whose calls these are')),
}

export const NewKey = Type.Object({
  ...Type.Partial(Type.Object({ ...Terms, ...Scope })).properties,
  name: Terms.name,
  organizationId: Scope.organizationId,
}, { additionalProperties: false, examples: [{ name: 'search service', organizationId: 'acme', teamId: 'search' }] })

export const KeyChange = Type.Partial(Type.Object({
  ...Terms, disabled: Type.Boolean({ description: 'refused until it is enabled again' }),
}), { additionalProperties: false, description: 'absent fields stay, null takes away', examples: [{ disabled: true }] })

export const Rotation = Type.Object({
  overlapSeconds: Type.Optional(Type.Integer({
    minimum: 0, maximum: 30 * 86_400, description: 'how long the secret before works beside the new one; 0 if not given',
  })),
}, { additionalProperties: false, examples: [{ overlapSeconds: 3600 }] })

export const KeyAnswer = Type.Object({
  id: Type.String({ description: 'UUID; stays through rotations' }),
  key: Type.Optional(Type.String({ description: 'the secret itself: shown once, in the answer that made it' })),
  hint: Type.String({ description: 'the beginning of the secret', examples: ['rk_Ab3d...'] }),
  ...Terms,
  ...Scope,
  disabled: Type.Boolean(),
  createdAt: Time,
  updatedAt: Time,
  disabledAt: Nullable(Time),
  revokedAt: Nullable(Time),
  version: Type.Integer({ description: 'also the ETag' }),
})

export const KeyListQuery = Type.Object({
  ...PageQuery,
  organizationId: Type.Optional(Name('exactly')),
  teamId: Type.Optional(Name('exactly')),
  projectId: Type.Optional(Name('exactly')),
  userId: Type.Optional(Name('exactly')),
  includeRevoked: Type.Boolean({ default: false, description: 'revoked ones too' }),
  total: Type.Boolean({ default: false, description: 'whether to count all pages' }),
}, { additionalProperties: false })

export const KeyPageAnswer = Type.Object({ keys: Type.Array(KeyAnswer), ...PageAnswer })
