import { Type } from 'typebox'
import { shownPeriod } from '../../src/budget/period.ts'
import { NotFound } from '../../src/errors.ts'
import { parseAmount } from '../../src/money/amount.ts'
import { type AlertMark } from '../../src/reports/alert-store.ts'
import { renderAlert } from '../../src/reports/status.ts'
import { type Scope, type Tools } from './index.ts'
import { Id, Once, problems } from './schemas.ts'
import { ActiveAlert, StatusAnswer } from './status-schemas.ts'

const tags = ['budgets']

const AlertParams = Type.Object({
  ...Id.properties,
  threshold: Type.String({
    pattern: '^(\\d{1,4}|amount:\\d{1,10})(\\.\\d{1,9})?$', description: 'percent, as in activeAlerts, or amount: and the amount', examples: ['80', 'amount:250'],
  }),
})

const OfSubject = Type.Object({
  subject: Type.Optional(Type.String({
    minLength: 1, maxLength: 256, description: 'of a budget for each of many: whose account', examples: ['alice'],
  })),
}, { additionalProperties: false })

export function statusRoutes (scope: Scope, { guard, mutate, reporter }: Tools): void {
  scope.get('/budgets/:id/status', {
    config: { access: 'check' },
    schema: {
      summary: 'How a budget stands now',
      description: 'Over all gateways, with the figures that the next hold finds.',
      params: Id,
      querystring: OfSubject,
      response: { 200: StatusAnswer, ...problems(404) },
      tags,
    },
  }, async (request) => {
    const budget = await guard.budget(request, request.params.id)
    return await reporter.status(budget, guard.subject(request, budget, request.query.subject))
  })

  scope.post('/budgets/:id/alerts/:threshold/acknowledge', {
    config: { access: 'change' },
    schema: {
      summary: 'Acknowledge an alert',
      description: 'Of a threshold that was crossed in the period of the status. Once it is acknowledged it stays so, by ' +
        'whom and when it first was.',
      params: AlertParams,
      headers: Once,
      response: { 200: ActiveAlert, ...problems(404) },
      tags,
    },
  }, async (request, reply) => {
    const { id, threshold } = request.params
    const budget = await guard.budget(request, id)
    const periodStart = shownPeriod(budget, Date.now()).start
    return await mutate(request, reply, async ({ alerts, audit }) => {
      const done = await alerts.acknowledge({ budgetId: budget.id, periodStart }, markOf(threshold), request.actor.id)
      if (done === null) throw new NotFound(`Budget ${id} has not crossed ${threshold.replace(/^(\d.*)/, '$1 %').replace('amount:', '')} in this period`)
      const after = renderAlert(done.alert)
      if (done.first) {
        const before = { ...after, acknowledged: false, acknowledgedBy: null, acknowledgedAt: null }
        audit.note({ ...OF_ALERT, objectId: budget.id, before, after, ...await audit.ownersOf(budget.id) })
      }
      return { status: 200, body: after }
    })
  })
}

function markOf (text: string): AlertMark {
  return text.startsWith('amount:') ? { amountNano: parseAmount(text.slice('amount:'.length)) ?? 0n } : { percent: text }
}

/** by the id of its budget */
const OF_ALERT = { action: 'alert.acknowledged', objectType: 'alert' }
