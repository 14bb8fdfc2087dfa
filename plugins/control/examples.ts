/**
 * An example of what a schema describes, made from the schema itself: so every body and answer has one, and it is never
 * out of date. A schema's own `examples` come first; then its enum or default; then what its name usually means.
 */
export interface Shape {
  type?: string
  examples?: unknown[]
  default?: unknown
  enum?: unknown[]
  const?: unknown
  anyOf?: Shape[]
  allOf?: Shape[]
  properties?: Record<string, Shape>
  required?: string[]
  description?: string
  items?: Shape
  minimum?: number
}

const USUAL: Record<string, unknown> = {
  id: '01912d68-783e-7a03-8467-5661c1243ad4',
  budgetId: '01912d68-783e-7a03-8467-5661c1243ad4',
  parentBudgetId: null,
  name: 'Search team',
  description: 'What the search team may spend',
  organizationId: 'acme',
  scopeType: 'team',
  scopeId: 'search',
  teamId: 'search',
  projectId: null,
  userId: null,
  createdBy: 'ada',
  amount: '250',
  limit: '250',
  enforcedLimit: '250',
  currentAmount: '112.5',
  remaining: '137.25',
  held: '0.25',
  inDoubt: '0',
  leased: '1.5',
  burnRate: '4.5',
  projectedTotal: '139.5',
  currency: 'USD',
  percentUsed: 45,
  daysRemaining: 6,
  period: 'monthly',
  timezone: 'Europe/Berlin',
  mode: 'enforced',
  paused: false,
  recurring: true,
  heldIsUpperBound: false,
  status: 'normal',
  filters: { models: ['gpt-4o*'] },
  alerts: { threshold: 80, actions: ['notify'], notificationChannels: [], message: null },
  activeAlerts: {
    threshold: 80,
    triggeredAt: '2026-11-19T08:30:00.000Z',
    actions: ['notify'],
    acknowledged: false,
    acknowledgedBy: null,
    acknowledgedAt: null,
  },
  tags: { costCenter: '4711' },
  metadata: { requestId: 'req-1f', modelId: 'gpt-4o' },
  startDate: '2026-11-01T00:00:00.000Z',
  periodStart: '2026-11-01T00:00:00.000Z',
  endDate: null,
  archivedAt: null,
  revokedAt: null,
  periodEnd: '2026-12-01T00:00:00.000Z',
  quote: '0.0124',
  source: 'relaycore',
  certainty: 'exact',
  key: 'rk_5Yb2kq8RzW1nX4vT7cJ0mH3sL6pD9fGa',
  hint: 'rk_5Yb2…9fGa',
  nextCursor: null,
  version: 7,
  count: 1,
}

const TIME = '2026-11-24T09:15:00.000Z'

export function exampleOf (shape: Shape, name = ''): unknown {
  const [own] = shape.examples ?? []
  if (own !== undefined) return own
  if (shape.const !== undefined) return shape.const
  if (shape.type === 'array') return [exampleOf(shape.items ?? {}, name)]
  if (shape.enum !== undefined) return shape.enum.find((one) => one === USUAL[name]) ?? shape.enum[0]
  if (shape.properties !== undefined && Object.keys(shape.properties).length > 0) {
    return Object.fromEntries(Object.entries(shape.properties).map(([key, one]) => [key, exampleOf(one, key)]))
  }
  if (shape.anyOf !== undefined) return ofUnion(shape.anyOf, name)
  const usual = USUAL[name]
  return typed(usual, shape.type) ? usual : shape.default ?? plain(shape, name)
}

function ofUnion (variants: Shape[], name: string): unknown {
  if (USUAL[name] === null && variants.some(({ type }) => type === 'null')) return null
  const fitting = variants.find(({ type }) => USUAL[name] !== undefined && typed(USUAL[name], type))
  return exampleOf(fitting ?? variants.find(({ type }) => type !== 'null') ?? {}, name)
}

function typed (value: unknown, type: string | undefined): boolean {
  if (value === undefined) return false
  if (type === undefined) return true
  const found = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return type === 'integer' ? Number.isInteger(value) : found === type
}

function plain ({ type, minimum = 1 }: Shape, name: string): unknown {
  if (type === 'integer' || type === 'number') return minimum
  if (type === 'boolean') return true
  if (type === 'null') return null
  if (type === 'object') return {}
  return /(At|Date|Start|End|^timestamp|Updated)$/.test(name) ? TIME : 'text'
}
