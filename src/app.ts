import fp from 'fastify-plugin'
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { describeRoute, TAGS } from '../plugins/control/describe.ts'
import control from '../plugins/control/index.ts'
import { answerProblem, ERRORS_PAGE } from '../plugins/control/problem.ts'
import { frameworkErrors } from '../plugins/gateway/framework-errors.ts'
import gateway, { newExchanges } from '../plugins/gateway/gateway.ts'
import errorsPage from '../plugins/openapi/errors-page.ts'
import openapi from '../plugins/openapi/index.ts'
import health from '../plugins/operations/health.ts'
import metrics from '../plugins/operations/metrics.ts'
import { type Core } from './core.ts'
import { CallExplainer } from './gateway/explain.ts'
import { collectGauges } from './gauges.ts'
import { parseBody } from './providers/body.ts'
import { BudgetReporter } from './reports/reporter.ts'
import { UsageSummary } from './reports/summary.ts'
import { PostgresAdjustmentReader } from './stores/postgres/adjustment-store.ts'
import { PostgresApprovalStore } from './stores/postgres/approval-store.ts'
import { PostgresReportStore } from './stores/postgres/report-store.ts'
import { systemNow } from './clock.ts'
import { UsageCollector } from './usage/usage-collector.ts'
import { VERSION } from './version.ts'

/**
 * The web around the business, composed: the data plane (`/openai/v1`, `/anthropic/v1`, `/v1`), the admin API
 * (`/api/v1`) with its reference (`/docs`), health and metrics. Register it in any Fastify app with an open Core;
 * closing the app closes neither.
 */
export interface RelaycoreOptions {
  core: Core
  /** base URL of the built-in demo provider; absent: `demo-*` models are refused */
  demoUrl?: string
  /** what of it, where calls and administration have a port each; absent: all of it. Health is part of both. */
  serve?: 'calls' | 'admin'
}

async function relaycorePlugin (app: FastifyInstance, options: RelaycoreOptions): Promise<void> {
  const { core, serve } = options
  if (serve !== 'admin') await callPlane(app, options)
  if (serve !== 'calls') await app.register(async (admin) => await adminPlane(admin, core))
  await app.register(health, { notReady: () => core.notReady() })
}

async function callPlane (app: FastifyInstance, { core, demoUrl }: RelaycoreOptions): Promise<void> {
  const { config } = core
  const limits = {
    bodyBytes: config.bodyLimit,
    // as many as calls may be under way: none waits for a connection
    connections: config.maxCalls + config.drainCalls,
    headersTimeoutMs: config.headersTimeoutMs,
    bodyTimeoutMs: config.bodyTimeoutMs,
    socketIdleMs: config.socketIdleMs === 0 ? Infinity : config.socketIdleMs,
  }
  const drain = { ms: config.drainMs, bytes: config.drainBytes, calls: config.drainCalls }
  await app.register(gateway, {
    gate: core.gate,
    jobs: core.jobs,
    providers: core.providers.map(({ provider }) => provider),
    upstreams: upstreamsOf(core, demoUrl),
    limits,
    drain,
    exchanges: newExchanges({ limits, drain }),
    load: core.load,
    onDisconnect: {
      ...Object.fromEntries(core.providers.map(({ provider, onDisconnect }) => [provider.name, onDisconnect])),
      demo: config.onDisconnect,
    },
    closeTimeoutMs: config.shutdownMs,
  })
}

export const relaycore = fp(relaycorePlugin, { name: 'relaycore', fastify: '5.x', encapsulate: true })

const ADMIN_PREFIX = '/api/v1'

/**
 * Fastify refuses a malformed URL before any plugin hears of it. As the server option `frameworkErrors` this answers in
 * the form of the path. `mount`: the prefix under which `relaycore` is registered.
 */
export function malformedRequests (core: Core, mount = '') {
  const ofCalls = frameworkErrors({ gate: core.gate, providers: core.providers.map(({ provider }) => provider), mount })
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    if ((request.raw.url ?? '').startsWith(`${mount}${ADMIN_PREFIX}/`)) void answerProblem(error, request, reply, `${mount}${ERRORS_PAGE}`)
    else ofCalls(error, request, reply)
  }
}

/** what a browser is to make of answers that are no page: nothing, and to keep none, since some show secrets once */
const INERT = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
}

async function adminPlane (admin: FastifyInstance, core: Core): Promise<void> {
  admin.addHook('onSend', (_request, reply, _payload, done) => {
    for (const [name, value] of Object.entries(INERT)) if (!reply.hasHeader(name)) reply.header(name, value)
    done()
  })
  await admin.register(metrics, {
    metrics: core.metrics, collect: () => { collectGauges(core) }, token: core.config.metricsToken,
  })
  await admin.register(openapi, { version: VERSION, base: ADMIN_PREFIX, tags: TAGS, describeRoute })
  await admin.register(errorsPage, { path: ERRORS_PAGE })
  const { registry, prices } = core
  const reporter = new BudgetReporter({
    store: new PostgresReportStore(core.database),
    hot: core.hot,
    tracker: core.tracker,
    prices,
    incarnation: core.incarnation,
    now: systemNow,
  })
  await admin.register(control, {
    prefix: ADMIN_PREFIX,
    budgets: core.budgets,
    usage: core.usage,
    collector: new UsageCollector({ now: systemNow }),
    reporter,
    explainer: new CallExplainer({
      ...core.terms,
      registry,
      prices,
      keys: core.keyStore,
      providers: core.providers.map(({ provider }) => provider),
      limiter: core.limiter,
      parse: parseBody,
      standings: (asked, now) => reporter.standings(asked, now),
      now: systemNow,
    }),
    summary: new UsageSummary({ sums: core.sums, now: systemNow }),
    prices,
    rates: core.rates,
    overrides: core.overrides,
    livePrices: core.livePrices,
    keyStore: core.keyStore,
    tokens: core.tokenStore,
    authenticator: core.authenticator,
    changes: core.changes,
    audit: core.audit,
    holds: core.holds,
    adjustments: new PostgresAdjustmentReader(core.database),
    approvals: new PostgresApprovalStore(core.database),
    longHolds: core.longHolds,
    lostGateways: () => core.authority.gateways(),
    errorsPage: `${admin.prefix}${ERRORS_PAGE}`,
  })
}

function upstreamsOf ({ providers, keyFile }: Core, demoUrl: string | undefined) {
  const known = providers.map(({ provider: { name }, url, ...upstream }) => [name, {
    ...upstream,
    ...url === null
      ? { url: NOWHERE, apiKey: null }
      : { url, ...keyFile === null ? {} : { keyOf: (organizationId: string) => keyFile.keyOf(name, organizationId) } },
  }] as const)
  return {
    ...Object.fromEntries(known),
    ...demoUrl === undefined ? {} : { demo: { url: demoUrl, apiKey: null, settingName: null } },
  }
}

/** of a provider whose address is not known: without a credential nothing goes there */
const NOWHERE = 'https://upstream.invalid'
