import { Type } from 'typebox'
import { BudgetAnswer, ScopeParams, Warnings } from './budget-schemas.ts'
import { type Scope, type Tools } from './index.ts'
import { problems } from './schemas.ts'
import { largeSerializer } from './serialization.ts'
import { NodeStatus } from './status-schemas.ts'

const HierarchyQuery = Type.Object({
  includeInactive: Type.Boolean({
    default: false,
    description: 'archived ones too; without them, those below an archived budget are shown below what is above it, as they ' +
      'are held',
  }),
}, { additionalProperties: false })

const Node = Type.Object({
  ...BudgetAnswer.properties,
  status: NodeStatus,
  warnings: Warnings,
  children: Type.Array(Type.Object({}, {
    additionalProperties: true, sameAs: 'BudgetNode', description: 'the budgets right below', examples: [{}],
  }), { examples: [[]] }),
}, { title: 'BudgetNode' })

const HierarchyAnswer = Type.Object({
  hierarchy: Type.Array(Node, { description: 'the topmost budgets of the scope, the oldest first' }),
  count: Type.Integer({ description: 'of all budgets in all trees' }),
})

export function hierarchyRoutes (scope: Scope, { guard, reporter }: Tools): void {
  scope.get('/budgets/hierarchy/:type/:id', {
    config: { access: 'see' },
    schema: {
      summary: 'The budgets of a scope, and all below them',
      description: 'Each with its status: what is spent on a budget below is spent on it too, and what came in at the budget ' +
        'itself is told apart. Of more than 5,000 budgets ask in parts.',
      params: ScopeParams,
      querystring: HierarchyQuery,
      response: { 200: HierarchyAnswer, ...problems(422) },
      tags: ['budgets'],
    },
    serializerCompiler: largeSerializer,
  }, async (request) => await reporter.hierarchy(request.params, {
    reach: guard.reach(request), includeArchived: request.query.includeInactive,
  }))
}
