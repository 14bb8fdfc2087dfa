import { type FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { timeIn } from '../../src/budget/period.ts'
import { DIMENSIONS, type Summary } from '../../src/reports/summary.ts'
import { csvOf } from './csv.ts'
import { type Scope, type Tools } from './index.ts'
import { Id, Nullable, problems, Subject, Text, Time } from './schemas.ts'
import { largeSerializer } from './serialization.ts'

const GroupBy = Type.Union([
  Type.Enum(DIMENSIONS), Type.String({ pattern: '^tag:.{1,64}$', description: 'tag: and the name of a tag' }),
], { examples: ['model'] })
const Intervals = Type.Enum(['hour', 'day', 'week', 'month'], {
  description: 'of the calendar in the budget\'s time zone, weeks from Monday',
})
const Count = (description: string) => Type.Integer({ description, examples: [1200] })
const Figures = {
  inputTokens: Count('all that went in, read from and written to caches too'),
  outputTokens: Count('reasoning among them'),
}
const RECORDS = 'one per call, and one per correction'

const SummaryQuery = Type.Object({
  startDate: Type.Optional(Type.String({
    description: 'RFC 3339, widened to the hour, or a day of the budget\'s time zone; default: the start of the running period', examples: ['2026-11-01T00:00:00Z'],
  })),
  endDate: Type.Optional(Type.String({
    description: 'exclusive, as startDate; default: now where startDate is given, else the end of the period',
    examples: ['2026-12-01T00:00:00Z'],
  })),
  subject: Type.Optional(Subject),
  groupBy: Type.Optional(GroupBy),
  interval: Type.Optional(Intervals),
  format: Type.Optional(Type.Enum(['json', 'csv'], { description: 'default: what the header accept says, else json' })),
}, { additionalProperties: false })

const SummaryAnswer = Type.Object({
  budgetId: Type.String(),
  totalAmount: Text,
  currency: Type.String(),
  recordCount: Count(RECORDS),
  averagePerDay: Type.String({
    description: 'over the calendar days of the range until now, counted from when the budget begins; less than a day counts as one',
    examples: ['4.5'],
  }),
  ...Figures,
  bySource: Type.Record(Type.String(), Text, {
    description: 'relaycore, auterity or manual, where there is any', examples: [{ relaycore: '12.5' }],
  }),
  startDate: Time,
  endDate: Time,
  timezone: Type.String({ examples: ['Europe/Berlin'] }),
  groupBy: Nullable(GroupBy),
  interval: Nullable(Intervals),
  asOf: Type.String({
    description: 'what was recorded by then is in it. Calls that are open, or ended within the last second or so, are not: ' +
      'the status of the budget has them.',
    examples: ['2026-11-24T09:15:00.000Z'],
  }),
  groups: Type.Array(Type.Object({
    start: Nullable(Time),
    end: Nullable(Time),
    value: Nullable(Type.String({
      description: 'of what it is grouped by; null: all that has none, or no grouping was asked for', examples: ['gpt-4o'],
    })),
    amount: Text,
    recordCount: Count(RECORDS),
    ...Figures,
  }), { description: 'by time, then the greatest first; times without usage are left out; start and end are null without interval' }),
})

const CSV = 'text/csv'
const Csv = Type.String({
  description: 'the groups, a line each, with a header line',
  examples: ['start,end,model,amount,currency,recordCount,inputTokens,outputTokens\r\n,,gpt-4o,12.5,USD,3,1200,340\r\n'],
})

export function summaryRoutes (scope: Scope, { guard, summary }: Tools): void {
  scope.get('/budgets/:id/usage/summary', {
    config: { access: 'see' },
    schema: {
      summary: 'Sum up the usage of a budget',
      description: 'From sums that are kept by hour and by day, so that a year answers as fast as a day. A call counts in ' +
        'the hour in which it opened. Of the tags of one call the first 8 count, by name. At most 10,000 groups.',
      params: Id,
      querystring: SummaryQuery,
      response: {
        200: { content: { 'application/json': { schema: SummaryAnswer }, [CSV]: { schema: Csv } } },
        ...problems(404, 422),
      },
      tags: ['budgets'],
    },
    serializerCompiler: largeSerializer,
  }, async (request, reply) => {
    const { startDate, endDate, groupBy = null, interval = null } = request.query
    const budget = await guard.budget(request, request.params.id)
    const time = (field: string, text?: string) => text === undefined ? null : timeIn(budget.timezone, field, text)
    const subject = guard.subject(request, budget, request.query.subject)
    const found = await summary.of(budget, {
      subject: subject === '' ? null : subject,
      startDate: time('startDate', startDate),
      endDate: time('endDate', endDate),
      groupBy,
      interval,
    })
    reply.header('vary', 'accept')
    if (!wantsCsv(request, request.query.format)) return found
    return await reply.type(`${CSV}; charset=utf-8; header=present`)
      .header('content-disposition', `attachment; filename="usage-${budget.id}.csv"`).send(renderCsv(found))
  })
}

/** without a format, csv where the asker names it and nothing that JSON would be */
function wantsCsv ({ headers }: FastifyRequest, format: 'json' | 'csv' | undefined): boolean {
  if (format !== undefined) return format === 'csv'
  const types = (headers.accept ?? '').split(',').map((one) => one.split(';')[0]?.trim().toLowerCase())
  return types.includes(CSV) && !types.includes('application/json')
}

function renderCsv ({ groups, groupBy, currency }: Summary): string {
  const name = groupBy ?? 'value'
  const columns = ['start', 'end', name, 'amount', 'currency', 'recordCount', 'inputTokens', 'outputTokens']
  return csvOf(columns, groups.map(({ value, ...group }) => ({ ...group, currency, [name]: value })), [name])
}
