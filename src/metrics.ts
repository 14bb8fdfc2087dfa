import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/**
 * Every metric that the gateway exports, in one place: the table in README.md is kept equal to this list by a test.
 * Labels are bounded: providers, models and outcomes are those of the catalog, budgets those of the ledger up to a
 * number.
 */
export class Metrics {
  readonly registry = new Registry()

  readonly calls = this.#counter('relaycore_calls_total', 'Calls that were forwarded and ended',
    ['provider', 'model', 'outcome'])

  readonly callCost = this.#counter('relaycore_call_cost_usd_total', 'Cost of ended calls, USD', ['provider', 'model'])

  readonly tokens = this.#counter('relaycore_tokens_total', 'Tokens of text reported by providers', ['provider', 'model', 'kind'])

  readonly units = this.#counter('relaycore_units_total',
    'What providers reported beside tokens of text, by unit', ['provider', 'model', 'unit'])

  readonly refusals = this.#counter('relaycore_refusals_total', 'Requests that were not forwarded, by reason', ['reason'])

  readonly overloads = this.#counter('relaycore_overload_refusals_total',
    'Calls, WebSockets and connections that were refused because there are too many, by what there is too much of', ['limit'])

  readonly uncertain = this.#counter('relaycore_uncertain_calls_total',
    'Calls charged at their quote or at an estimate because their cost is not known', ['provider', 'certainty'])

  readonly unknownModels = this.#counter('relaycore_unknown_model_calls_total',
    'Calls of models without a price, by what was assumed instead: priced as another, or unpriced', ['provider', 'assumed'])

  readonly overruns = this.#counter('relaycore_overruns_total', 'Calls that cost more than was held for them', ['provider'])

  readonly outgrown = this.#counter('relaycore_outgrown_calls_total',
    'Answers that cost more than was held for them while they came: more was held, or they were cut', ['provider', 'result'])

  readonly changed = this.#counter('relaycore_changed_calls_total',
    'Calls that were forwarded otherwise than asked, by what was changed', ['change'])

  readonly shadow = this.#counter('relaycore_shadow_verdicts_total',
    'What budgets in shadow mode would have done to calls that were let through', ['verdict'])

  readonly decision = new Histogram({
    name: 'relaycore_decision_seconds',
    help: 'Time from a parsed request to its hold, or its refusal',
    buckets: [0.00001, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2],
    registers: [this.registry],
  })

  readonly openCalls = this.#gauge('relaycore_open_calls', 'Calls that are held and not ended')
  readonly requests = this.#gauge('relaycore_requests_under_way', 'Requests to providers that were let in and are not over')
  readonly requestBytes = this.#gauge('relaycore_request_bytes', 'Bytes of their bodies that are being read or kept')
  readonly sockets = this.#gauge('relaycore_websockets', 'WebSockets of clients')
  readonly waiting = this.#gauge('relaycore_calls_in_line', 'Calls that wait for a grant')
  readonly holdLag = this.#gauge('relaycore_hold_oldest_seconds', 'Age of the oldest open hold')
  readonly ledgerLag = this.#gauge('relaycore_ledger_lag_seconds', 'Age of the oldest ended call not yet recorded')
  readonly backlog = this.#gauge('relaycore_ledger_backlog_events', 'Ended calls not yet recorded')
  readonly recorded = this.#gauge('relaycore_ledger_recorded_events', 'Usage events recorded by this process')
  readonly setAside = this.#gauge('relaycore_ledger_set_aside_events', 'Usage events that PostgreSQL refused')
  readonly drift = this.#gauge('relaycore_ledger_drift', 'Figures of the ledger that are not what they are kept of, by kind', ['kind'])
  readonly driftFound = this.#gauge('relaycore_ledger_drift_found', 'Such figures found by this process', ['kind'])
  readonly driftHealed = this.#gauge('relaycore_ledger_drift_healed', 'Such figures made anew by this process', ['kind'])
  readonly journalBytes = this.#gauge('relaycore_journal_bytes', 'Bytes of the journal on disk')
  readonly copyBytes = this.#gauge('relaycore_journal_copy_bytes', 'Bytes of ended calls that Redis keeps until PostgreSQL has them')
  readonly copyLeftOut = this.#gauge('relaycore_journal_copy_left_out_calls', 'Ended calls of this process that the copy in Redis had no room for')
  readonly lostRecorded = this.#gauge('relaycore_silent_gateways_recorded_calls', 'Ended calls of silent gateways that this process recorded, from copies in Redis')
  readonly journalMaxBytes = this.#gauge('relaycore_journal_max_bytes', 'Bytes of the journal from which on no call is forwarded')
  readonly maxBacklog = this.#gauge('relaycore_ledger_max_backlog_events',
    'Ended calls not yet recorded from which on no call is forwarded')

  readonly silence = this.#gauge('relaycore_ledger_silent_seconds', 'How long PostgreSQL has not answered; 0 while it does')
  readonly grants = this.#gauge('relaycore_grants', 'Grant statements sent to PostgreSQL by this process')
  readonly failedOpen = this.#gauge('relaycore_calls_failed_open', 'Calls let through while PostgreSQL did not answer, by this process')
  readonly ratesAlone = this.#gauge('relaycore_rate_decisions_alone', 'Decisions about limited rates by own counts, since Redis did not answer, by this process')
  readonly queries = this.#gauge('relaycore_postgres_queries', 'Statements sent to PostgreSQL by this process')
  readonly redisCommands = this.#gauge('relaycore_redis_commands', 'Commands sent to Redis by this process')
  readonly redisUp = this.#gauge('relaycore_redis_up', '1 while the shared hot status is reachable')

  readonly budgetLimit = this.#gauge('relaycore_budget_limit', 'Enforced limit of a budget in its current period, in its currency',
    BUDGET_LABELS)

  readonly budgetSpent = this.#gauge('relaycore_budget_spent', 'Spent of a budget in its current period', BUDGET_LABELS)
  readonly budgetHeld = this.#gauge('relaycore_budget_held', 'Held of a budget by open calls, and in doubt', BUDGET_LABELS)
  readonly budgetRemaining = this.#gauge('relaycore_budget_remaining', 'What is left of a budget in its current period',
    BUDGET_LABELS)

  readonly #ended = new Map<string, Map<string, Tally>>()

  /** a call of this model has ended; labels are looked up once per scrape, not seven times per call */
  ended (provider: string, model: string): Tally {
    let models = this.#ended.get(provider)
    if (models === undefined) this.#ended.set(provider, models = new Map())
    let tally = models.get(model)
    if (tally === undefined) models.set(model, tally = new Tally())
    return tally
  }

  /** brings what was counted since the last scrape into the counters */
  flush (): void {
    for (const [provider, models] of this.#ended) {
      for (const [model, tally] of models) {
        const labels = { provider, model }
        for (const [outcome, count] of tally.outcomes) this.calls.inc({ ...labels, outcome }, count)
        this.callCost.inc(labels, Number(tally.costNano) / 1e9)
        this.tokens.inc({ ...labels, kind: 'input' }, tally.input)
        this.tokens.inc({ ...labels, kind: 'cached' }, tally.cached)
        this.tokens.inc({ ...labels, kind: 'output' }, tally.output)
        for (const [unit, count] of tally.units) this.units.inc({ ...labels, unit }, count)
      }
    }
    this.#ended.clear()
  }

  #counter<L extends string> (name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  #gauge<L extends string> (name: string, help: string, labelNames: L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }
}

/** what calls of one model have used since the last scrape */
export class Tally {
  readonly outcomes = new Map<string, number>()
  costNano = 0n
  input = 0
  cached = 0
  output = 0
  readonly units = new Map<string, number>()

  addUnits (units: Record<string, number>): void {
    for (const [unit, count] of Object.entries(units)) {
      // a size of image is no label
      const name = unit.replace(/\/.*/, '')
      this.units.set(name, (this.units.get(name) ?? 0) + count)
    }
  }

  count (outcome: string): void { this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1) }
}

const BUDGET_LABELS: ('budget' | 'name' | 'scope' | 'currency')[] = ['budget', 'name', 'scope', 'currency']
