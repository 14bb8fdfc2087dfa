import { type GatewayInDoubt } from '../account/lost-gateways.ts'
import { DRIFT_KINDS, type DriftKind } from '../auditor/drift.ts'
import { clockOf, lasting, ok, problem, warning, type Finding } from './finding.ts'

export interface DatabaseFacts {
  /** 160004 */
  version: number
  schema: { known: number, found: number | null, fits: boolean }
  user: string
  /** what a gateway needs and this user may not: rights on tables, functions */
  missing: string[]
  superuser: boolean
  /** of its clock over ours */
  aheadMs: number
  settings: { fsync: boolean, fullPageWrites: boolean, synchronousCommit: string, maxConnections: number }
  connections: number
  /** the oldest transaction of others in this database; null: none */
  longest: { ms: number, who: string } | null
  pooled: boolean
  /** false: statements of a transaction may reach several servers */
  transactions: boolean
  /** it is another machine, and what is said on the way is not encrypted */
  plain: boolean
  /** null: the schema is not that of this program, so nothing more is asked */
  ledger: LedgerFacts | null
}

export interface LedgerFacts {
  gateways: {
    live: number
    /** how long the first of them has run; null: none does */
    oldestMs: number | null
    silent: Pick<GatewayInDoubt, 'incarnation' | 'host' | 'state' | 'silentMs' | 'accounts'>[]
  }
  uncertainLastDay: number
  callsLastDay: number
  overdueHolds: number
  /** what the default partitions hold; imported: usage that was recorded of earlier months, and nothing else */
  defaultRows: 'none' | 'imported' | 'calls'
  /** months from now on that have their partitions, this one included */
  monthsAhead: number
  budgets: number
  keys: number
  /** currencies of budgets, and how old the newest rate of each is; null: there is none */
  rates: { currency: string, ageMs: number | null }[]
  drifts: Partial<Record<DriftKind, number>>
  /** since the auditor looked, and since it had read all accounts; null: never */
  lookedMs: number | null
  turnMs: number | null
}

interface Terms {
  rateMaxAgeMs: number
  auditorMs: number
  /** the database is the gateway's own, and so is its owner */
  embedded: boolean
}

const ABOUT = 'PostgreSQL'
const OLDEST = 140_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE

export function judgeDatabase (facts: DatabaseFacts, terms: Terms): Finding[] {
  return [
    ...judgeServer(facts),
    ...judgeSchema(facts, terms),
    ...facts.ledger === null ? [] : [...judgeGateways(facts.ledger), ...judgeLedger(facts.ledger, terms)],
  ]
}

export function unreachable (about: string, why: string, todo: string): Finding { return problem(about, `it does not answer: ${why}`, todo) }

function judgeServer (facts: DatabaseFacts): Finding[] {
  const { version, settings, connections, longest } = facts
  const found = [
    version >= OLDEST
      ? ok(ABOUT, `it answers, version ${Math.floor(version / 10_000)}.${version % 10_000}`)
      : problem(ABOUT, `it is of version ${Math.floor(version / 10_000)}`, 'use PostgreSQL 14 or later'),
    clockOf(ABOUT, facts.aheadMs),
  ]
  if (!settings.fsync) {
    found.push(problem(ABOUT, 'fsync is off: a crash of its machine may lose or break the ledger', 'set fsync = on'))
  }
  if (!settings.fullPageWrites) {
    found.push(problem(ABOUT, 'full_page_writes is off: a crash of its machine may break the ledger', 'set full_page_writes = on'))
  }
  if (settings.synchronousCommit === 'off') {
    found.push(problem(ABOUT, 'synchronous_commit is off: what it says is recorded may be gone after a crash, and the journal has ' +
      'forgotten it by then', 'set synchronous_commit = on, for the database or for the gateways\' role'))
  }
  const left = settings.maxConnections - connections
  const says = `${connections} of ${settings.maxConnections} connections are in use`
  // each gateway takes up to twelve
  if (left > Math.max(12, settings.maxConnections / 10)) found.push(ok(ABOUT, says))
  else found.push(warning(ABOUT, says, 'raise max_connections, or put a pooler between: a gateway takes up to twelve'))
  if (longest !== null && longest.ms > 5 * MINUTE) {
    found.push(warning(ABOUT, `a transaction of ${longest.who} is open for ${lasting(longest.ms)}`,
      'end it: what it has locked waits, and nothing that was changed since can be cleaned up'))
  }
  if (facts.pooled) {
    if (facts.transactions) found.push(ok(ABOUT, 'a pooler stands between; transactions hold together'))
    else found.push(problem(ABOUT, 'a pooler stands between that gives each statement another server', 'use pool_mode = transaction or session'))
  }
  if (facts.plain) {
    found.push(warning(ABOUT, 'it is on another machine, and what is said on the way is not encrypted', 'add sslmode=verify-full to DATABASE_URL'))
  }
  return found
}

function judgeSchema (
  { schema: { known, found, fits }, missing, superuser, user }: DatabaseFacts, { embedded }: Terms
): Finding[] {
  const about = 'schema'
  if (found === null) return [problem(about, 'the database has no ledger', 'run `relaycore migrate`, or start a gateway as the owner of the database')]
  if (found < known) return [problem(about, `it is of version ${found}, this program knows ${known}`, 'run `relaycore migrate`')]
  if (!fits) {
    return [problem(about, `it is of version ${found}, this program knows ${known}`, 'use the newer program: this one does not start')]
  }
  const judged = [ok(about, found > known
    ? `version ${found}; this program knows ${known}, and may run on it`
    : `version ${found}, that of this program`)]
  if (missing.length > 0) {
    judged.push(problem(about, `${user} may not: ${missing.join(', ')}`, `as the owner: \`relaycore migrate --grant ${user}\``))
  } else if (superuser && !embedded) {
    judged.push(warning(about, `${user} is a superuser, who can rewrite the audit log`,
      'let gateways run as a role that owns nothing: README, Operate, least privilege'))
  } else judged.push(ok(about, `${user} may do what a gateway needs`))
  return judged
}

function judgeGateways ({ gateways: { live, silent } }: LedgerFacts): Finding[] {
  const found = [live > 0 ? ok('gateways', `${live} answer`) : warning('gateways', 'none answers', 'start one')]
  for (const { incarnation, host, state, silentMs, accounts } of silent) {
    found.push(problem('gateways', `gateway ${incarnation} on ${host} (${state}) is silent for ${lasting(silentMs)}, and what it leased ` +
      `of ${accounts} accounts is in doubt`, `start it again on its journal; if that is lost: \`relaycore reconcile --write-off ${incarnation}\``))
  }
  return found
}

function judgeLedger (facts: LedgerFacts, { rateMaxAgeMs, auditorMs }: Terms): Finding[] {
  const about = 'ledger'
  const found: Finding[] = []
  const { uncertainLastDay: uncertain, callsLastDay: calls } = facts
  const says = `${uncertain} of ${calls} calls since yesterday are uncertain: charged at the most they can have cost`
  if (uncertain === 0) found.push(ok(about, `no call of the ${calls} since yesterday is uncertain`))
  else {
    found.push(uncertain * 100 > calls
      ? warning(about, says, 'look at their outcomes (GET /api/v1/budgets/:id/usage): crashes, aborted streams, or a provider that says no usage')
      : ok(about, says))
  }
  if (facts.overdueHolds > 0) {
    found.push(warning(about, `${facts.overdueHolds} long holds are past their deadline`, 'start a gateway, or `relaycore reconcile --apply`'))
  }
  if (facts.defaultRows === 'imported') found.push(ok(about, 'the default partitions hold usage that was recorded of months before the first partition'))
  if (facts.defaultRows === 'calls') {
    found.push(warning(about, 'the default partitions hold calls, or usage of this month or later', 'they are of months without a partition: see whether clocks of gateways are wrong'))
  }
  if (facts.monthsAhead >= 2) found.push(ok(about, `this month and the next ${facts.monthsAhead - 1} have their partitions`))
  else {
    found.push(problem(about, facts.monthsAhead === 0 ? 'this month has no partition' : 'the next month has no partition',
      'start a gateway, which makes them, or `relaycore migrate`'))
  }
  if (facts.budgets === 0) found.push(warning(about, 'there is no budget', 'make one: a call to which none applies is refused'))
  if (facts.keys === 0) found.push(warning(about, 'there is no gateway key', '`relaycore keys create`'))
  for (const { currency, ageMs } of facts.rates) {
    if (ageMs === null) {
      found.push(problem(about, `budgets in ${currency} have no exchange rate: their calls are refused`,
        'set RELAYCORE_RATES_URL, or add one: POST /api/v1/exchange-rates'))
    } else if (ageMs > rateMaxAgeMs) {
      found.push(problem(about, `the rate of ${currency} is ${lasting(ageMs)} old, and calls on its budgets are refused for it`,
        'see why RELAYCORE_RATES_URL brings none, or add one'))
    } else if (ageMs > 7 * 24 * HOUR) {
      found.push(warning(about, `the rate of ${currency} is ${lasting(ageMs)} old`, 'set RELAYCORE_RATES_URL, or add a newer one'))
    }
  }
  return [...found, ...judgeDrift(facts, auditorMs)]
}

function judgeDrift ({ drifts, lookedMs, turnMs, gateways: { oldestMs } }: LedgerFacts, auditorMs: number): Finding[] {
  const about = 'auditor'
  const wrong = DRIFT_KINDS.flatMap((kind) => (drifts[kind] ?? 0) === 0 ? [] : [`${kind} (${drifts[kind]})`])
  const found: Finding[] = []
  if (wrong.length > 0) {
    found.push(problem(about, `the ledger does not agree with itself: ${wrong.join(', ')}`,
      'look at `relaycore reconcile`, and let it repair what it can: `relaycore reconcile --apply`'))
  }
  if (auditorMs === 0) found.push(warning(about, 'it is switched off', 'set RELAYCORE_AUDITOR_MS, or run `relaycore reconcile --all` now and then'))
  else if (lookedMs === null && oldestMs !== null && oldestMs < 2 * auditorMs) {
    found.push(ok(about, `it has not looked yet: the gateway started ${lasting(oldestMs)} ago, and looks each ${lasting(auditorMs)}`))
  } else if (lookedMs === null) found.push(warning(about, 'it has never looked', 'start a gateway, or see what its log says'))
  else if (lookedMs > Math.max(10 * auditorMs, 10 * MINUTE)) {
    found.push(warning(about, `it looked ${lasting(lookedMs)} ago`, 'start a gateway, or see what its log says'))
  } else if (wrong.length === 0) {
    found.push(ok(about, `the ledger agrees with itself; it looked ${lasting(lookedMs)} ago, and had read all accounts ` +
      (turnMs === null ? 'not yet' : `${lasting(turnMs)} ago`)))
  }
  return found
}
