import { Type } from 'typebox'
import { shownPeriod } from '../../src/budget/period.ts'
import { NotFound } from '../../src/errors.ts'
import { parseAmount } from '../../src/money/amount.ts'
import { type AlertMark } from '../../src/reports/alert-store.ts'
import { renderAlert } from '../../src/reports/status.ts'
import { type Scope, type Tools } from './index.ts'
import { Id, Once, PageQuery, problems, Subject } from './schemas.ts'
import { AccountPageAnswer, ActiveAlert, StatusAnswer } from './status-schemas.ts'

const tags = ['budgets']

const AlertParams = Type.Object({
  ...Id.properties,
  threshold: Type.String({
    pattern: '^(\\d{1,4}|amount:\\d{1,10})(\\.\\d{1,9})?$', description: 'percent, as in activeAlerts, or amount: and the amount', examples: ['80', 'amount:250'],
  }),
})

const OfSubject = Type.Object({ subject: Type.Optional(Subject) }, { additionalProperties: false })

export function statusRoutes (scope: Scope, { guard, mutate, reporter }: Tools): void {
  scope.get('/budgets/:id/status', {
    config: { access: 'check' },
    schema: {
      summary: 'How a budget stands now',
      description: 'Over all gateways, with the figures that the next hold finds. Of a budget for each of many without a subject: the ' +
        'sums over all of them, with `subjects`, their number; then what gateways lease counts as held.',
      params: Id,
      querystring: OfSubject,
      response: { 200: StatusAnswer, ...problems(404) },
      tags,
    },
  }, async (request) => {
    const budget = await guard.budget(request, request.params.id)
    const subject = guard.subject(request, budget, request.query.subject)
    return subject === null ? await reporter.statusOfAll(budget) : await reporter.status(budget, subject)
  })

  scope.get('/budgets/:id/accounts', {
    config: { access: 'see' },
    schema: {
      summary: 'How the accounts of a budget stand now, most spent first',
      description: 'Of a budget for each of many, one for each subject that had calls in the period; of another its one. Who spends ' +
        'while pages are read may come twice.',
      params: Id,
      querystring: Type.Object(PageQuery, { additionalProperties: false }),
      response: { 200: AccountPageAnswer, ...problems(404) },
      tags,
    },
  }, async (request) => {
    const budget = await guard.budget(request, request.params.id)
    return await reporter.accounts(budget, request.query)
  })

  scope.post('/budgets/:id/alerts/:threshold/acknowledge', {
    config: { access: 'change' },
    schema: {
      summary: 'Acknowledge an alert',
      description: 'Of a threshold that was crossed in the period of the status. Once it is acknowledged it stays so, by ' +
        'whom and when it first was.',
      params: AlertParams,
      querystring: OfSubject,
      headers: Once,
      response: { 200: ActiveAlert, ...problems(404) },
      tags,
    },
  }, async (request, reply) => {
    const { id, threshold } = request.params
    const budget = await guard.budget(request, id)
    const subject = guard.oneSubject(request, budget, request.query.subject)
    const periodStart = shownPeriod(budget, Date.now()).start
    return await mutate(request, reply, async ({ alerts, audit }) => {
      const of = { budgetId: budget.id, subject, periodStart }
      const done = await alerts.acknowledge(of, markOf(threshold), request.actor.id)
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
