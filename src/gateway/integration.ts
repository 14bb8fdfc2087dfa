import { type IncomingHttpHeaders } from 'node:http'
import { Applicability, type AppliedBudget } from '../budget/applies.ts'
import { type Identity } from '../budget/budget.ts'
import { type BudgetRegistry } from '../budget/registry.ts'
import { type BudgetTracker, type CallHold } from '../budget/tracker.ts'
import { type Now } from '../clock.ts'
import { type Refusal } from '../errors.ts'
import { type Job, type KeptCall } from '../holds/job.ts'
import { type Jobs } from '../holds/jobs.ts'
import { EndedCall } from '../journal/ended-call.ts'
import { type Journal } from '../journal/journal.ts'
import { type RateLimiter } from '../limits/limiter.ts'
import { type Metrics } from '../metrics.ts'
import { formatNano } from '../money/amount.ts'
import { pinTerms } from '../pricing/pinned.ts'
import { labelOf, type PriceBook, type PricedModel } from '../pricing/price.ts'
import {
  type AnswerHead, type BillableEndpoint, type CallChanges, type CallRequest, isRefusal, type Provider,
} from '../providers/provider.ts'
import { type Meter, type Reading } from '../usage/meter.ts'
import { type Placed, Underway } from '../underway.ts'
import { within } from '../within.ts'
import { type CallEnd, type CallOpening, tokensIn, tokensOut, type Usage, type UsageEvent } from '../usage/usage.ts'
import { type CallEnding, type CallGate, type CallIntake, type OpenCall } from './call.ts'
import { newCallId } from './call-id.ts'
import { Candidates, type HeldCandidate } from './candidates.ts'
import { Decision, DEMO, upstreamOf } from './decision.ts'
import { finalCost, usedNano } from './final-cost.ts'
import { forEndUser } from './identify.ts'
import { type Kept, type Keeper } from './keeper.ts'
import { LimitedDesk, type LimitedHold } from './limited-desk.ts'

/**
 * BudgetIntegration: one call's life between the data plane and the business. A call is identified, quoted, held on
 * every budget that applies and journaled before `open` answers; its end is settled, journaled and handed on to the
 * ledger.
 *
 * Guaranteed: no call is forwarded without a hold and a record of it; every open call ends exactly once; a cost that
 * nobody can know is charged at the quote and marked. Fails closed.
 */
export interface IntegrationOptions {
  identify: (key: string | undefined, headers: IncomingHttpHeaders) => Identity | Refusal | Promise<Identity | Refusal>
  registry: Pick<BudgetRegistry, 'lookup'>
  prices: PriceBook
  tracker: BudgetTracker
  limiter: RateLimiter
  journal: Pick<Journal, 'append'>
  /** takes ended calls for the ledger; `backlogged`: it cannot take any more now */
  collector: { add: (event: UsageEvent) => void, readonly backlogged: boolean }
  /** holds calls that go on behind their answers, and hears of how they ended */
  keeper: Keeper
  jobs: Jobs
  metrics: Metrics
  log: {
    info (details: object, message: string): void
    warn (details: object, message: string): void
    error (details: object, message: string): void
  }
  now: Now
  /** what happens to calls to which no budget applies */
  unbudgeted: 'refuse' | 'allow'
  /** of an exchange rate; Infinity: the last one counts, however old it is */
  rateMaxAgeMs: number
}

export class BudgetIntegration implements CallGate {
  readonly #o: IntegrationOptions
  readonly #open = new Underway<Call>()
  readonly #decision: Decision<LimitedHold>
  readonly #desk: LimitedDesk
  /** ends that are not written to the journal yet */
  #ending = 0
  #allEnded: (() => void) | null = null

  constructor (options: IntegrationOptions) {
    this.#o = options
    const { registry, prices, tracker, limiter, unbudgeted, rateMaxAgeMs } = options
    const desk = this.#desk = new LimitedDesk(tracker, limiter)
    const applicability = new Applicability()
    const candidates = new Candidates({ prices, desk, unbudgeted, rateMaxAgeMs, applicability })
    this.#decision = new Decision({ registry, prices, candidates, unavailable: (error) => this.#unavailable(error) })
  }

  identify (key: string | undefined, headers: IncomingHttpHeaders): Identity | Refusal | Promise<Identity | Refusal> {
    return this.#o.identify(key, headers)
  }

  async open (intake: CallIntake, gone: () => boolean): Promise<OpenCall | Refusal> {
    const started = performance.now()
    let answer: OpenCall | Refusal
    try {
      answer = await this.#admit(intake, gone)
    } catch (error) {
      this.#o.log.error({ err: error }, 'a call could not be decided')
      answer = UNDECIDED
    }
    this.#o.metrics.decision.observe((performance.now() - started) / 1000)
    if (!isRefusal(answer)) return answer
    const named = { ...answer, callId: newCallId(this.#o.now()) }
    this.refused(named, intake.provider.name)
    return named
  }

  models (provider: string): string[] {
    const names = (of: string) => this.#o.prices.list(of, this.#o.now()).map(({ model }) => model)
    return [...names(provider), ...names(DEMO)]
  }

  refused (refusal: Refusal, provider: string | null): void {
    this.#o.metrics.refusals.inc({ reason: refusal.code })
    this.#o.log.info({ call: refusal.callId, reason: refusal.code, provider, budget: refusal.budget?.id }, 'refused')
  }

  get openCalls (): number { return this.#open.size }

  /** resolves once every call that is over is with the collector: its end is written to the journal first */
  async endsCollected (): Promise<void> {
    if (this.#ending > 0) await new Promise<void>((resolve) => { this.#allEnded = resolve })
  }

  /** when the oldest open call was opened, ms since the epoch; null: none is open */
  get oldestOpenedAt (): number | null {
    let oldest: number | null = null
    for (const { opening: { openedAt } } of this.#open.list()) oldest = Math.min(oldest ?? Infinity, openedAt)
    return oldest
  }

  async #admit (intake: CallIntake, gone: () => boolean): Promise<OpenCall | Refusal> {
    if (this.#o.collector.backlogged) return BACKLOG
    const request = intake.endpoint.read(intake.body, intake.bytes, intake.target)
    if (isRefusal(request)) return request
    const at = this.#o.now()
    const identity = forEndUser(intake.identity, request)
    if (isRefusal(identity)) return identity
    const { endpoint, provider } = intake
    const answer = this.#decision.of({ request, identity, provider: provider.name, endpoint: endpoint.name, at })
    const held = answer instanceof Promise ? await this.#inTime(answer) : answer
    if (isRefusal(held)) return held
    const upstream = upstreamOf(request, intake.provider.name)
    return await this.#begin(intake, identity, upstream, held, this.#openedAt(held.applied, at), gone)
  }

  /** whatever it waits for; what is held too late is given back */
  async #inTime (answer: Promise<HeldCandidate<LimitedHold> | Refusal>): Promise<HeldCandidate<LimitedHold> | Refusal> {
    return await within(answer, DECIDED_WITHIN_MS, TOO_LATE, (late) => {
      if (!isRefusal(late)) this.#desk.release(late.hold)
    })
  }

  /** the moment of the hold, which may have waited; a period that ended meanwhile is still the one it was held in */
  #openedAt (applied: readonly AppliedBudget[], asked: number): number {
    const now = this.#o.now()
    return applied.every(({ periodEnd }) => periodEnd === null || now < periodEnd) ? now : asked
  }

  /** held; journals the opening before anything of the call may be sent */
  async #begin (
    intake: CallIntake, identity: Identity, upstream: string, held: HeldCandidate<LimitedHold>, at: number,
    gone: () => boolean
  ): Promise<OpenCall | Refusal> {
    const { hold, model, request } = held
    const opening: CallOpening = {
      id: newCallId(at),
      openedAt: at,
      organizationId: identity.organizationId,
      teamId: identity.teamId,
      projectId: identity.projectId,
      userId: identity.userId,
      keyId: identity.keyId,
      sessionId: identity.sessionId,
      endUserId: identity.endUserId,
      tags: identity.tags,
      provider: upstream,
      endpoint: intake.endpoint.name,
      model: model.model,
      stream: request.stream,
      requestId: intake.requestId,
      quoteNano: held.quoteNano,
      priceVersion: model.priceVersion,
      holds: hold.holds,
    }
    let call: Call
    try {
      call = new Call(this, intake, held, opening)
    } catch (error) {
      this.#desk.release(hold)
      throw error
    }
    intake.body = undefined
    if (gone()) {
      this.#desk.release(hold)
      return GONE
    }
    const failed = await this.#journal(call)
    if (failed !== null) {
      this.#desk.release(hold)
      this.#o.log.error({ err: failed, call: opening.id }, 'the journal took no opening, so the call was not forwarded')
      return NO_JOURNAL
    }
    this.#open.add(call)
    this.#note(call, held)
    if (!gone()) return call
    call.release()
    return GONE
  }

  /** what policies have made of a call, and what those that are tried would have */
  #note ({ opening, changes }: Call, { shadow }: HeldCandidate<LimitedHold>): void {
    if (changes.model !== null) this.#o.metrics.changed.inc({ change: 'downgraded' })
    if (changes.outputTokens !== null) this.#o.metrics.changed.inc({ change: 'capped' })
    for (const { budget, verdict } of shadow) {
      this.#o.metrics.shadow.inc({ verdict })
      this.#o.log.info({ call: opening.id, budget: budget.id, verdict }, 'a budget in shadow mode would have acted')
    }
  }

  #journal (call: Call): Promise<Error | null> {
    return new Promise((resolve) => {
      call.openJson = this.#o.journal.append({ t: 'open', call: call.opening }, resolve)
    })
  }

  #unavailable (error: unknown): Refusal {
    this.#o.log.error({ err: error }, 'the budgets of a call could not be read')
    return {
      code: 'ledger_unavailable',
      message: 'The budgets of this call could not be read from PostgreSQL, so the call was not forwarded.',
      retryable: true,
      retryAfterMs: 2_000,
    }
  }

  /** the budget headers of an answer: of the budget with the least left */
  headersOf ({ opening, hold, changes, because, asked, provider }: Call): Record<string, string> {
    const headers: Record<string, string> = {
      'x-relaycore-call-id': opening.id,
      'x-relaycore-quote': formatNano(opening.quoteNano),
    }
    if (changes.model !== null) {
      headers['x-relaycore-model-requested'] = asked
      headers['x-relaycore-model-used'] = changes.model
    }
    if (changes.outputTokens !== null) headers['x-relaycore-output-limit'] = String(changes.outputTokens)
    if (hold.taken !== undefined) {
      Object.assign(headers, provider.dialect.rateHeaders(hold.taken.standing, this.#o.now()))
    }
    if (because !== '') headers['x-relaycore-changed'] = because
    let tightest: { applied: AppliedBudget, limit: bigint, rest: bigint } | null = null
    for (let i = 0; i < hold.holds.length; i++) {
      const lease = this.#o.tracker.view(hold.holds[i]?.accountId as number)
      const figures = lease?.figures
      if (lease === null || figures === null || figures === undefined || figures.limitNano === null) continue
      const rest = figures.limitNano - figures.settledNano - (lease.consumed - figures.postedNano) - lease.held -
        figures.longHeldNano
      if (tightest !== null && rest >= tightest.rest) continue
      tightest = { applied: hold.applied[i] as AppliedBudget, limit: figures.limitNano, rest }
    }
    if (tightest === null) return headers
    const { applied: { budget, periodEnd }, limit, rest } = tightest
    headers['x-relaycore-budget'] = budget.id
    headers['x-relaycore-budget-limit'] = `${formatNano(limit)} ${budget.currency}`
    headers['x-relaycore-budget-remaining'] = `${formatNano(rest > 0n ? rest : 0n)} ${budget.currency}`
    if (periodEnd !== null) headers['x-relaycore-budget-reset'] = new Date(periodEnd).toISOString()
    return headers
  }

  /**
   * An answer that costs more than its quote while it comes: its provider keeps to no bound, or tools are open-ended.
   * It is held in slices, so that it goes on as long as its budgets have room.
   */
  extend (call: Call, costNano: bigint): Refusal | null | Promise<Refusal | null> {
    const { opening, hold } = call
    const moreNano = costNano - opening.quoteNano + opening.quoteNano / 4n
    const told = (more: CallHold | Refusal): Refusal | null => {
      if (call.over) {
        if (!isRefusal(more)) this.#desk.release(more)
        return null
      }
      this.#o.metrics.outgrown.inc({ provider: call.upstream, result: isRefusal(more) ? 'cut' : 'extended' })
      if (isRefusal(more)) return outgrown(more)
      this.#desk.join(hold, more)
      opening.quoteNano += moreNano
      call.openJson = this.#o.journal.append({ t: 'open', call: opening }, (error) => {
        // only a crash before its end would charge it too little
        if (error !== null) this.#o.log.error({ err: error, call: call.id }, 'the journal took no extension of a call')
      })
      return null
    }
    const more = this.#desk.extend(hold, moreNano)
    return more instanceof Promise ? more.then(told) : told(more)
  }

  /**
   * It goes on at its provider behind its answer: before anybody hears of that, a row of the ledger holds it. null: it
   * does, or the call is charged at its quote.
   */
  async keep (call: Call, jobId: string): Promise<Refusal | null> {
    const { opening, request, asked, model } = call
    call.keeping = 'under way'
    const kept: KeptCall = {
      opening,
      jobId,
      terms: pinTerms(asked, model, request.bound),
      expiresAt: opening.openedAt + LONGEST_MS,
      pollInMs: POLL_AFTER_MS,
    }
    return await this.#o.keeper.keep(kept, (result) => { this.#kept(call, kept, result) })
  }

  #kept (call: Call, { opening, jobId, terms }: KeptCall, result: Kept): void {
    // whoever recovers this process life looks for the row
    if (result === 'unknown') return
    if (!result.kept) {
      call.keeping = 'no'
      if (call.ending !== null) this.ended(call, call.ending)
      return
    }
    this.#open.delete(call)
    this.#desk.kept(call.hold, result.accounts)
    this.#o.journal.append({ t: 'void', id: call.id })
    call.keeping = {
      id: opening.id,
      provider: opening.provider,
      jobId,
      endpoint: opening.endpoint,
      state: 'open',
      organizationId: opening.organizationId,
      openedAt: opening.openedAt,
      quoteNano: opening.quoteNano,
      terms,
      accounts: opening.holds,
      missed: 0,
    }
    this.#o.log.info({ call: call.id, job: jobId, provider: call.upstream, model: opening.model }, 'a call goes on as a job')
  }

  /** its stream went on until the job was over */
  async heard (job: Job, reading: Reading, status: number | null): Promise<null> {
    await this.#o.jobs.heard(job, reading, status)
    return null
  }

  /** nothing of the call reached its provider */
  released (call: Call): void {
    this.#open.delete(call)
    this.#desk.release(call.hold)
    this.#o.journal.append({ t: 'void', id: call.id })
    this.#o.metrics.ended(call.upstream, labelOf(call.model)).count('released')
    this.#o.log.info({ call: call.id, provider: call.upstream, model: call.opening.model }, 'released')
  }

  ended (call: Call, ending: CallEnding): void {
    this.#open.delete(call)
    const { opening } = call
    const answered = this.#answered(call, ending.reading?.modelUsed ?? null)
    // one that goes on behind its answer, of which nobody knows how, may cost all of it, whatever was seen
    const lost = call.request.background === true && ending.reading?.final !== true && (ending.status ?? 0) < 400
    const { costNano, certainty, outcome } = lost
      ? { costNano: opening.quoteNano, certainty: 'uncertain' as const, outcome: ending.outcome }
      : finalCost(ending, call.model, call.request.bound, opening.quoteNano, answered)
    const end: CallEnd = {
      id: call.id,
      endedAt: Math.max(this.#o.now(), opening.openedAt),
      outcome,
      status: ending.status,
      certainty,
      modelUsed: ending.reading?.modelUsed ?? null,
      usage: ending.reading?.usage ?? null,
      costNano,
      charges: this.#desk.settle(call.hold, costNano, tokensOf(ending.reading?.usage ?? null)),
      providerRequestId: ending.reading?.providerRequestId ?? null,
    }
    this.#ending++
    const endJson = this.#o.journal.append({ t: 'end', end }, (error) => {
      // the ledger has it all the same; only a crash before that would leave the call uncertain
      if (error !== null) this.#o.log.error({ err: error, call: call.id }, 'the journal took no end of a call')
      this.#o.collector.add(new EndedCall(opening.id, call.openJson, endJson, end.charges))
      if (--this.#ending === 0) this.#allEnded?.()
    })
    this.#count(call, end)
    this.#report(call, end, ending)
  }

  #answered (call: Call, used: string | null): PricedModel | null | undefined {
    const { opening, request: { model: asked } } = call
    const answered = this.#o.prices.answered?.(call.upstream, asked, used, opening.openedAt)
    if (answered === undefined) return undefined
    const line = { call: call.id, provider: call.upstream, deployment: asked, model: opening.model, answeredBy: used }
    this.#o.log.warn(line, 'a deployment was answered by another model than the settings say; the dearer one is charged')
    return answered
  }

  #count (call: Call, end: CallEnd): void {
    const { metrics } = this.#o
    const tally = metrics.ended(call.upstream, labelOf(call.model))
    const { assumed } = call.model
    if (assumed !== undefined) metrics.unknownModels.inc({ provider: call.upstream, assumed })
    tally.count(end.outcome)
    tally.costNano += end.costNano
    if (end.certainty !== 'exact') metrics.uncertain.inc({ provider: call.upstream, certainty: end.certainty })
    if (end.costNano > call.opening.quoteNano) metrics.overruns.inc({ provider: call.upstream })
    if (end.usage === null) return
    tally.input += end.usage.inputTokens
    tally.cached += end.usage.cacheReadTokens
    tally.output += end.usage.outputTokens
    if (end.usage.units !== undefined) tally.addUnits(end.usage.units)
  }

  /** one line per call; no keys, no prompts, no answers */
  #report ({ opening, upstream, changes, asked }: Call, end: CallEnd, { error }: CallEnding): void {
    const line = {
      call: opening.id,
      key: opening.keyId,
      provider: upstream,
      model: opening.model,
      outcome: end.outcome,
      status: end.status,
      certainty: end.certainty,
      quote: formatNano(opening.quoteNano),
      cost: formatNano(end.costNano),
      ms: end.endedAt - opening.openedAt,
      ...changes.model === null ? {} : { asked },
      ...changes.outputTokens === null ? {} : { outputLimit: changes.outputTokens },
      ...error === null ? {} : { error: error.message },
    }
    if (end.costNano > opening.quoteNano) this.#o.log.error(line, 'a call cost more than its quote')
    else this.#o.log.info(line, 'call')
  }
}

class Call implements OpenCall, Placed {
  place = -1
  readonly hold: LimitedHold
  readonly opening: CallOpening
  /** as the journal has it */
  openJson: Buffer = NO_JSON
  readonly model: PricedModel
  readonly request: CallRequest
  readonly changes: CallChanges
  /** the model that the client named */
  readonly asked: string
  /** by which budgets it was changed */
  readonly because: string
  /** what goes upstream */
  readonly body: Buffer
  readonly provider: Provider
  readonly #gate: BudgetIntegration
  readonly #endpoint: BillableEndpoint
  over = false
  /** whether a row of the ledger holds it, and the job that it is then */
  keeping: 'no' | 'under way' | Job = 'no'
  /** how it ended meanwhile */
  ending: CallEnding | null = null

  constructor (gate: BudgetIntegration, intake: CallIntake, held: HeldCandidate<LimitedHold>, opening: CallOpening) {
    this.#gate = gate
    this.provider = intake.provider
    this.#endpoint = intake.endpoint
    this.request = held.request
    this.model = held.model
    this.hold = held.hold
    this.changes = held.changes
    this.asked = held.asked
    this.because = held.because
    this.opening = opening
    this.body = intake.endpoint.forwardBody(held.request, intake.body, intake.bytes, held.changes, held.model)
  }

  get id (): string { return this.opening.id }
  get upstream (): string { return this.opening.provider }
  get changedModel (): string | null { return this.changes.model }
  get headers (): Record<string, string> { return this.#gate.headersOf(this) }

  cover (reading: Reading): Refusal | null | Promise<Refusal | null> {
    const { job } = reading
    if (job !== undefined && job.id !== null) {
      if (typeof this.keeping === 'object') return job.over ? this.#gate.heard(this.keeping, reading, null) : null
      if (!this.over && this.keeping === 'no' && !job.over) return this.#gate.keep(this, job.id)
    }
    // an answer that has come to its end is what it is: nothing is won by cutting it
    const used = this.over || reading.final ? null : usedNano(reading, this.model, this.request.bound)
    return used === null || used <= this.opening.quoteNano ? null : this.#gate.extend(this, used)
  }

  meter (answer: AnswerHead): Meter {
    return this.#endpoint.meter(this.request, answer, this.model)
  }

  release (): void {
    if (this.over) return
    this.over = true
    this.#gate.released(this)
  }

  settle (ending: CallEnding): void {
    if (this.over) return
    this.over = true
    if (this.keeping === 'no') this.#gate.ended(this, ending)
    else this.ending = ending
  }
}

/** the refusal of more, told in the middle of an answer */
function outgrown (refusal: Refusal): Refusal {
  return {
    ...refusal,
    message: `The answer cost more than what was held for this call, and was ended: no more could be held. ${refusal.message}`,
    retryable: false,
  }
}

/** null: nobody knows them */
function tokensOf (usage: Usage | null): number | null {
  return usage === null ? null : tokensIn(usage) + tokensOut(usage)
}

const NO_JSON = Buffer.alloc(0)

/** A job that has not been heard of for so long is uncertain. Responses are kept for less, batches end within a day. */
const LONGEST_MS = 3 * 86_400_000
const POLL_AFTER_MS = 15_000

/** A call that has to wait for the ledger is decided in so long, or refused. */
const DECIDED_WITHIN_MS = 5_000

const TOO_LATE: Refusal = {
  code: 'ledger_unavailable',
  message: 'The budget ledger (PostgreSQL) did not answer in time, so the call was not forwarded.',
  retryable: true,
  retryAfterMs: 2_000,
}

const BACKLOG: Refusal = {
  code: 'ledger_backlog',
  message: 'Too many finished calls wait to be recorded in PostgreSQL, so no further call is forwarded until it catches up.',
  retryable: true,
  retryAfterMs: 5_000,
}

const NO_JOURNAL: Refusal = {
  code: 'journal_unavailable',
  message: 'The gateway cannot write its journal (see its log), so no call is forwarded.',
  retryable: true,
  retryAfterMs: 5_000,
}

const UNDECIDED: Refusal = {
  code: 'internal_error',
  message: 'The gateway failed while it decided about this call (see its log); the call was not forwarded.',
  retryable: false,
}

const GONE: Refusal = { code: 'client_gone', message: 'The client left before the call was forwarded.', retryable: false }
