import {
  AuthorityUnavailableError, BatchRefusedError, NotLiveError, type AccountFigures, type AccountSpec, type Authority,
  type EnsuredAccount, type GrantAnswer, type GrantRequest, type KeptCharge, type LeaseFigures, type LeaseReturn,
  type LeaseTotals, type PostAnswer,
} from '../../account/authority.ts'
import { type GatewayInDoubt } from '../../account/lost-gateways.ts'
import { type KeptCall } from '../../holds/job.ts'
import { EndedCall } from '../../journal/ended-call.ts'
import { type UsageEvent } from '../../usage/usage.ts'
import { Database, bigintOf, idOf, sqlStateOf, type DatabaseOptions, type Query } from './pool.ts'
import { keptJson } from './job-store.ts'
import { postedCalls } from './posted-calls.ts'
import { jsonOf } from './usage-rows.ts'

/**
 * The authority: one call of one SQL function per method, so each is one statement and one transaction, and PostgreSQL
 * alone decides. Grants and posts have connections of their own, so that a long post does not keep calls waiting.
 * Fails closed: what did not come back in time is an error to the caller, whatever PostgreSQL made of it.
 */
export interface PostgresAuthorityOptions extends Omit<DatabaseOptions, 'max' | 'statementTimeoutMs'> {
  /** calls wait for a grant; default 3 s */
  grantTimeoutMs?: number
  /** default 20 s */
  postTimeoutMs?: number
}

const GRANT_TIMEOUT_MS = 3_000
const POST_TIMEOUT_MS = 20_000
/**
 * Where somebody has locked an account for long, a post that waits for it keeps those waiting who want the accounts
 * that it has locked already: it gives up before they do.
 */
const POST_LOCK_MS = 2_500

export const FIGURES = 'account_id, limit_nano, settled_nano, leased_nano, budget_version, granted_nano, posted_nano, holders, ' +
  'in_doubt_nano, in_doubt_since, in_doubt_holder, answered_at, long_held_nano, long_hold, long_held_until, total_nano'

/** The events in one row: the driver takes longer for a row of each than for all else that a post needs of it. */
const POST = `
  with answer as materialized (select event_id, ${FIGURES} from post_usage($1, $2, $3))
  select null as inserted, ${FIGURES} from answer where event_id is null
  union all
  select string_agg(event_id::text, ','), ${FIGURES.replaceAll(/\w+/g, 'null')} from answer where event_id is not null`

/** One statement, so that what is posted and what is settled are of the same instant. */
const INSPECT = `
  select ${FIGURES}, (
    select coalesce(json_agg(json_build_object('account_id', l.account_id::text, 'incarnation', l.incarnation::text,
      'rest_nano', (l.granted_nano - l.returned_nano - l.posted_nano)::text, 'posted_nano', l.posted_nano::text,
      'responds', responds(g)) order by l.incarnation), '[]')
    from leases l join gateways g on g.incarnation = l.incarnation
    where l.account_id = f.account_id and l.state <> 'closed' and l.granted_nano > l.returned_nano + l.posted_nano
  ) as leases
  from account_figures(0, $1) f`

/** A lease that its gateway has let go of moves no more: it may be read as it was before the statement. */
const ENSURE = `
  select e.ordinal, e.account_id, e.currency, l.granted_nano, l.returned_nano, l.posted_nano
  from ensure_accounts($1) e left join leases l on l.account_id = e.account_id and l.incarnation = $2::bigint`

interface EnsuredRow {
  ordinal: number
  account_id: string
  currency: string
  granted_nano: string | null
  returned_nano: string | null
  posted_nano: string | null
}

function totalsOf (row: EnsuredRow): LeaseTotals | null {
  const { granted_nano: granted, returned_nano: returned, posted_nano: posted } = row
  if (granted === null || returned === null || posted === null) return null
  return { grantedNano: bigintOf(granted), returnedNano: bigintOf(returned), postedNano: bigintOf(posted) }
}

interface LeaseRow {
  account_id: string
  incarnation: string
  rest_nano: string
  posted_nano: string
  responds: boolean
}

export interface FiguresRow {
  account_id: string
  limit_nano: string | null
  settled_nano: string
  leased_nano: string
  budget_version: string
  granted_nano: string
  posted_nano: string
  holders: number
  in_doubt_nano: string
  in_doubt_since: Date | null
  in_doubt_holder: string | null
  answered_at: Date
  long_held_nano: string
  long_hold: string | null
  long_held_until: Date | null
  total_nano: string
}

export class PostgresAuthority implements Authority {
  readonly #grants: Database
  readonly #posts: Database
  /** what a start and a stop wait for */
  readonly #closings: Database

  constructor (options: PostgresAuthorityOptions) {
    const { grantTimeoutMs = GRANT_TIMEOUT_MS, postTimeoutMs = POST_TIMEOUT_MS, ...common } = options
    const name = options.applicationName ?? 'relaycore'
    this.#grants = new Database({
      ...common,
      applicationName: `${name} grants`,
      max: 4,
      // where connections run out it keeps the one that it has
      min: 1,
      statementTimeoutMs: grantTimeoutMs,
    })
    const posts = { ...common, applicationName: `${name} posts`, statementTimeoutMs: postTimeoutMs }
    this.#posts = new Database({ ...posts, max: 2, min: 1, lockTimeoutMs: Math.min(POST_LOCK_MS, postTimeoutMs) })
    this.#closings = new Database({ ...posts, max: 1 })
  }

  /** Statements sent so far, for the metric and the bench. */
  get queries (): { grants: number, posts: number } {
    return { grants: this.#grants.queries, posts: this.#posts.queries + this.#closings.queries }
  }

  async join (journalId: string, host: string): Promise<number> {
    const [row] = await run<{ incarnation: string }>(this.#grants, {
      text: 'insert into gateways (journal_id, host) values ($1, $2) returning incarnation',
      values: [journalId, host],
    })
    if (row === undefined) throw new Error('PostgreSQL returned no row for an insert')
    return idOf(row.incarnation)
  }

  async unbegun (journalId: string): Promise<number[]> {
    const rows = await run<{ incarnation: string }>(this.#grants, {
      text: `select g.incarnation from gateways g where g.journal_id = $1 and g.state = 'live'
        and not exists (select from leases l where l.incarnation = g.incarnation) order by 1`,
      values: [journalId],
    })
    return rows.map(({ incarnation }) => idOf(incarnation))
  }

  async ensureAccounts (specs: AccountSpec[], incarnation?: number): Promise<EnsuredAccount[]> {
    if (specs.length === 0) return []
    const rows = await run<EnsuredRow>(this.#grants, {
      name: 'ensure_accounts', text: ENSURE, values: [accountSpecs(specs), incarnation ?? null],
    })
    const found = new Map(rows.map((row) => [row.ordinal, row]))
    return specs.map((spec, ordinal) => {
      const row = found.get(ordinal)
      if (row === undefined) throw new Error(`The ledger has no budget ${spec.budgetId}`)
      return { accountId: idOf(row.account_id), currency: row.currency, lease: totalsOf(row) }
    })
  }

  async grant (incarnation: number, request: GrantRequest): Promise<GrantAnswer> {
    const needs = request.calls.flatMap(({ needs }, call) => needs.map((need) => ({ call, ...need })))
    const rows = await run<{ call: number } | ({ call: null } & FiguresRow)>(this.#grants, {
      name: 'grant_leases',
      text: `select call, ${FIGURES} from grant_leases($1, $2, $3, $4, $5, $6)`,
      values: [
        incarnation,
        needs.map(({ call }) => call), needs.map(({ accountId }) => accountId), needs.map(({ needNano }) => needNano),
        request.extras.map(({ accountId }) => accountId), request.extras.map(({ extraNano }) => extraNano),
      ],
    })
    // A call that needs nothing is not asked about.
    const granted = request.calls.map(({ needs }) => needs.length === 0)
    const accounts: AccountFigures[] = []
    for (const row of rows) {
      if (row.call === null) accounts.push(figuresOf(row))
      else granted[row.call] = true
    }
    return { granted, accounts }
  }

  async heartbeat (incarnation: number, accountIds: number[]): Promise<AccountFigures[]> {
    const rows = await run<FiguresRow>(this.#grants, {
      name: 'beat', text: `select ${FIGURES} from beat($1, $2)`, values: [incarnation, accountIds],
    })
    return rows.map(figuresOf)
  }

  async inspect (accountIds: number[]): Promise<{ accounts: AccountFigures[], leases: LeaseFigures[] }> {
    const rows = await run<FiguresRow & { leases: LeaseRow[] }>(this.#grants, {
      name: 'inspect', text: INSPECT, values: [accountIds],
    })
    return { accounts: rows.map(figuresOf), leases: rows.flatMap((row) => row.leases.map(leaseOf)) }
  }

  async post (incarnation: number, batch: UsageEvent[], returns: LeaseReturn[]): Promise<PostAnswer> {
    // Twice in one batch is once; that one event charges one account twice is for PostgreSQL to refuse.
    const calls = new Map<string, EndedCall>()
    for (const event of batch) {
      const call = EndedCall.of(event)
      calls.set(call.id, call)
    }
    const rows = await run<FiguresRow | { account_id: null, inserted: string | null }>(this.#posts, {
      name: 'post_usage',
      text: POST,
      values: [incarnation, postedCalls([...calls.values()]), jsonOf(returns.map(returnRow))],
    })
    const inserted: string[] = []
    const accounts: AccountFigures[] = []
    for (const row of rows) {
      if (row.account_id !== null) accounts.push(figuresOf(row))
      else if (row.inserted !== null) inserted.push(...row.inserted.split(','))
    }
    return { inserted, accounts }
  }

  async keep (incarnation: number, call: KeptCall): Promise<{ kept: boolean, accounts: AccountFigures[] }> {
    const rows = await run<(FiguresRow | { account_id: null }) & { kept: boolean }>(this.#grants, {
      name: 'keep_long', text: `select kept, ${FIGURES} from keep_long($1, $2, $3)`, values: [incarnation, ...keptJson(call)],
    })
    const accounts = rows.flatMap((row) => row.account_id === null ? [] : [figuresOf(row)])
    return { kept: rows[0]?.kept === true, accounts }
  }

  async beginRecovery (incarnation: number, journalId?: string): Promise<void> {
    const values = [incarnation, ...journalId === undefined ? [] : [journalId]]
    await run(this.#closings, { text: `select begin_recovery(${values.map((_, i) => `$${i + 1}`).join(', ')})`, values })
  }

  async closeLeases (incarnation: number, kept: KeptCharge[]): Promise<void> {
    const rows = kept.map(({ callId, accountId, keptNano }) =>
      ({ event_id: callId, account_id: accountId, kept_nano: String(keptNano) }))
    await run(this.#closings, { text: 'select close_leases($1, $2)', values: [incarnation, jsonOf(rows)] })
  }

  async gateways (): Promise<GatewayInDoubt[]> {
    const rows = await run<InDoubtRow>(this.#grants, { text: IN_DOUBT })
    return rows.map((row) => ({
      incarnation: idOf(row.incarnation),
      host: row.host,
      state: row.state,
      since: row.heartbeat_at.getTime(),
      silentMs: row.silent_ms,
      accounts: row.accounts,
    }))
  }

  async silent (withinMs: number): Promise<number[]> {
    const rows = await run<{ incarnation: string }>(this.#grants, { text: SILENT, values: [withinMs] })
    return rows.map(({ incarnation }) => idOf(incarnation))
  }

  async close (): Promise<void> {
    await Promise.all([this.#grants, this.#posts, this.#closings].map((one) => one.close()))
  }
}

interface InDoubtRow {
  incarnation: string
  host: string
  state: string
  heartbeat_at: Date
  silent_ms: number
  accounts: number
}

const SILENT = `
  select g.incarnation from gateways g where g.state <> 'closed' and not responds(g)
    and g.heartbeat_at > clock_timestamp() - $1 * interval '1 millisecond' order by 1`

const IN_DOUBT = `
  select g.incarnation, g.host, g.state, g.heartbeat_at, count(*)::integer as accounts,
    greatest(0, extract(epoch from clock_timestamp() - g.heartbeat_at)::double precision * 1000) as silent_ms
  from gateways g join leases l on l.incarnation = g.incarnation and l.state <> 'closed'
    and l.granted_nano > l.returned_nano + l.posted_nano
  where g.state in ('recovering', 'closed') or (g.state = 'live' and not responds(g))
  group by g.incarnation order by g.incarnation`

async function run<R extends object> (database: Database, query: Query): Promise<R[]> {
  try {
    return await database.query<R>(query)
  } catch (error) {
    throw authorityError(error)
  }
}

/** 22: a value that does not fit; 23: a rule of the schema; 54: a limit of PostgreSQL. All else may pass. */
function authorityError (error: unknown): Error {
  const state = sqlStateOf(error)
  const cause = { cause: error }
  const said = error instanceof Error ? error.message : String(error)
  if (state === 'RC001') return new NotLiveError(said, cause)
  if (state === 'RC002') return new Error(said, cause)
  if (state !== undefined && /^(22|23|54)/.test(state)) return new BatchRefusedError(`${said} (SQLSTATE ${state})`, cause)
  return new AuthorityUnavailableError(`PostgreSQL did not answer: ${said}`, cause)
}

export function figuresOf (row: FiguresRow): AccountFigures {
  const { long_hold: id, long_held_until: until } = row
  return {
    accountId: idOf(row.account_id),
    limitNano: row.limit_nano === null ? null : bigintOf(row.limit_nano),
    totalNano: bigintOf(row.total_nano),
    settledNano: bigintOf(row.settled_nano),
    leasedNano: bigintOf(row.leased_nano),
    budgetVersion: idOf(row.budget_version),
    grantedNano: bigintOf(row.granted_nano),
    postedNano: bigintOf(row.posted_nano),
    holders: row.holders,
    inDoubtNano: bigintOf(row.in_doubt_nano),
    inDoubtSince: row.in_doubt_since === null ? null : row.in_doubt_since.getTime(),
    inDoubtHolder: row.in_doubt_holder,
    longHeldNano: bigintOf(row.long_held_nano),
    longHold: id === null || until === null ? null : { id, until: until.getTime() },
    at: row.answered_at.getTime(),
  }
}

function leaseOf (row: LeaseRow): LeaseFigures {
  return {
    accountId: idOf(row.account_id),
    incarnation: idOf(row.incarnation),
    restNano: bigintOf(row.rest_nano),
    postedNano: bigintOf(row.posted_nano),
    responds: row.responds,
  }
}

/** as `ensure_accounts` reads them */
export function accountSpecs (specs: AccountSpec[]): string { return jsonOf(specs.map(specRow)) }

function specRow (spec: AccountSpec, ordinal: number) {
  return {
    ordinal,
    budget_id: spec.budgetId,
    subject: spec.subject,
    period_start: new Date(spec.periodStart),
    period_end: spec.periodEnd === null ? null : new Date(spec.periodEnd),
    ...spec.earlier === undefined
      ? {}
      : { earlier: spec.earlier.map(({ start, end }) => [new Date(start), new Date(end)]) },
  }
}

function returnRow ({ accountId, returnedNano }: LeaseReturn) {
  return { account_id: accountId, returned_nano: String(returnedNano) }
}
