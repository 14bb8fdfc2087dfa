import {
  type FastifyBaseLogger, type FastifyInstance, type FastifyPluginOptions, type FastifyRequest,
  type RawServerDefault,
} from 'fastify'
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { type GatewayInDoubt } from '../../src/account/lost-gateways.ts'
import { type AuditLog } from '../../src/access/audit.ts'
import { type Authenticator } from '../../src/access/authenticator.ts'
import { type Changes } from '../../src/access/changes.ts'
import { type AdjustmentReader, type ApprovalReader } from '../../src/budget/adjustments.ts'
import { type BudgetCatalog } from '../../src/budget/budget-catalog.ts'
import { type CallExplainer } from '../../src/gateway/explain.ts'
import { type HoldReader } from '../../src/holds/hold-store.ts'
import { type LongHolds } from '../../src/holds/long-holds.ts'
import { type AdminTokenStore } from '../../src/keys/admin-tokens.ts'
import { type KeyStore } from '../../src/keys/key.ts'
import { type RateStore } from '../../src/money/exchange-rates.ts'
import { type LivePrices } from '../../src/pricing/live-prices.ts'
import { type OverrideStore } from '../../src/pricing/overrides.ts'
import { type PriceBook } from '../../src/pricing/price.ts'
import { type BudgetReporter } from '../../src/reports/reporter.ts'
import { type UsageSummary } from '../../src/reports/summary.ts'
import { type UsageHistory } from '../../src/usage/history.ts'
import { adjustmentRoutes } from './adjustments.ts'
import { approvalRoutes } from './approvals.ts'
import { auditRoutes } from './audit.ts'
import { type UsageCollector } from '../../src/usage/usage-collector.ts'
import { budgetRoutes } from './budgets.ts'
import { constraintRoutes } from './constraints.ts'
import { explainRoutes } from './explain.ts'
import { admit, Guard, requireAccess } from './guard.ts'
import { gatewayRoutes } from './gateways.ts'
import { hierarchyRoutes } from './hierarchy.ts'
import { parseJsonAlone } from './json-body.ts'
import { holdRoutes } from './holds.ts'
import { keyRoutes } from './keys.ts'
import { mutateBy, type Mutate } from './mutation.ts'
import { Paths } from './paths.ts'
import { answerProblem } from './problem.ts'
import { statusRoutes } from './status.ts'
import { summaryRoutes } from './summary.ts'
import { tokenRoutes } from './tokens.ts'
import { usageRoutes } from './usage.ts'
import { priceRoutes } from './prices.ts'
import { rateRoutes } from './rates.ts'
import { serializerCompiler } from './serialization.ts'
import { refuseBrokenText, validatorCompiler } from './validation.ts'

/**
 * The control plane: the admin API under `/api/v1`. Every route demands a token, and says whose.
 * A change acts on this gateway before it is answered. Errors are problem+json (RFC 9457).
 */
export interface ControlOptions extends FastifyPluginOptions {
  budgets: Pick<BudgetCatalog, 'get' | 'several' | 'page' | 'forIdentity'>
  usage: UsageHistory
  reporter: Pick<BudgetReporter, 'status' | 'statusOfAll' | 'accounts' | 'hierarchy' | 'check'>
  explainer: Pick<CallExplainer, 'explain'>
  collector: Pick<UsageCollector, 'record'>
  summary: Pick<UsageSummary, 'of'>
  /** what models cost, for what definitions say of them */
  prices: PriceBook
  keyStore: Pick<KeyStore, 'page' | 'get'>
  holds: HoldReader
  /** that have leased something and do not answer */
  lostGateways: () => Promise<GatewayInDoubt[]>
  adjustments: AdjustmentReader
  approvals: ApprovalReader
  longHolds: LongHolds
  tokens: Pick<AdminTokenStore, 'page' | 'get'>
  rates: Pick<RateStore, 'page'>
  overrides: Pick<OverrideStore, 'page'>
  livePrices: Pick<LivePrices, 'check' | 'find' | 'providers'>
  authenticator: Pick<Authenticator, 'authenticate'>
  audit: AuditLog
  /** acts on this gateway before it answers */
  changes: Changes
  /** path of the page that explains the codes of errors */
  errorsPage: string
}

/** what routes work with, besides what they read */
export interface Tools extends ControlOptions {
  guard: Guard
  mutate: Mutate
}

export type Scope =
  FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>

const BODY_LIMIT = 1024 * 1024

export default async function control (app: FastifyInstance, options: ControlOptions): Promise<void> {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  scope.setValidatorCompiler(validatorCompiler)
  scope.setSerializerCompiler(serializerCompiler)
  scope.setErrorHandler((error, request, reply) => answerProblem(error, request, reply, options.errorsPage))
  parseJsonAlone(scope)
  const paths = new Paths(options.errorsPage)
  scope.setNotFoundHandler((request, reply) => paths.answer(request, reply))
  scope.addHook('onRoute', (route) => {
    route.bodyLimit ??= BODY_LIMIT
    paths.add(route)
  })
  await scope.register(async (guarded) => {
    const tools: Tools = { ...options, guard: new Guard(options.budgets), mutate: mutateBy(options.changes) }
    const typed = guarded.withTypeProvider<TypeBoxTypeProvider>()
    guarded.decorateRequest('actor')
    guarded.addHook('onRoute', requireAccess)
    guarded.addHook('onRequest', authenticate(options.authenticator))
    guarded.addHook('onRequest', admit)
    guarded.addHook('preValidation', refuseBrokenText)
    budgetRoutes(typed, tools)
    statusRoutes(typed, tools)
    adjustmentRoutes(typed, tools)
    approvalRoutes(typed, tools)
    hierarchyRoutes(typed, tools)
    constraintRoutes(typed, tools)
    explainRoutes(typed, tools)
    keyRoutes(typed, tools)
    summaryRoutes(typed, tools)
    holdRoutes(typed, tools)
    gatewayRoutes(typed, tools)
    tokenRoutes(typed, tools)
    auditRoutes(typed, tools)
    usageRoutes(typed, tools)
    rateRoutes(typed, tools)
    priceRoutes(typed, tools)
  })
}

function authenticate (authenticator: ControlOptions['authenticator']) {
  return async (request: FastifyRequest): Promise<void> => {
    request.actor = await authenticator.authenticate(request.headers, request.ip)
  }
}
