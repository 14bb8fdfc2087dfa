import { type Job, type JobEnd, type JobStore, type KeptCall } from '../../holds/job.ts'
import { pinnedTerms, pinnedText } from '../../pricing/pinned.ts'
import { amountJson, settledJson } from './hold-rows.ts'
import { bigintOf, idOf, type Queryable, reached } from './pool.ts'
import { jsonOf } from './usage-rows.ts'

/** Jobs in PostgreSQL: rows of `long_holds`, each ended by one statement. */
export class PostgresJobStore implements JobStore {
  readonly #database: Queryable

  constructor (database: Queryable) { this.#database = database }

  async find (provider: string, jobId: string): Promise<Job | null> {
    const [row] = await reached(this.#database.query<JobRow>({
      name: 'find_job', text: `${JOBS} where h.provider = $1 and h.job_id = $2`, values: [provider, jobId],
    }))
    return row === undefined ? null : jobOf(row)
  }

  async claim (most: number): Promise<Job[]> {
    const claimed = await reached(this.#database.query<{ id: string }>({
      name: 'claim_jobs', text: 'select claim_jobs as id from claim_jobs($1)', values: [most],
    }))
    if (claimed.length === 0) return []
    const rows = await reached(this.#database.query<JobRow>({
      text: `${JOBS} where h.id = any ($1) order by h.id`, values: [claimed.map(({ id }) => id)],
    }))
    return rows.map(jobOf)
  }

  async miss (id: string): Promise<number> {
    const [row] = await reached(this.#database.query<{ missed: number }>({
      text: 'update long_holds set missed = missed + 1 where id = $1 returning missed', values: [id],
    }))
    return row?.missed ?? 0
  }

  async ownerOf (provider: string, fileId: string): Promise<string | null> {
    const [row] = await reached(this.#database.query<{ organization_id: string }>({
      text: 'select organization_id from provider_files where provider = $1 and file_id = $2', values: [provider, fileId],
    }))
    return row?.organization_id ?? null
  }

  async addFiles (provider: string, fileIds: readonly string[], organizationId: string): Promise<void> {
    await reached(this.#database.query({
      text: 'insert into provider_files (provider, file_id, organization_id) select $1, f, $3 from unnest($2::text[]) f on conflict do nothing',
      values: [provider, fileIds, organizationId],
    }))
  }

  async end (id: string, end: JobEnd): Promise<boolean> {
    const [row] = await reached(this.#database.query<{ ended: boolean }>({
      text: 'select end_long_hold($1, $2, $3, $4) as ended',
      values: [id, end.to, endJson(end), end.to === 'settled' ? amountJson(end.costs) : '[]'],
    }))
    return row?.ended === true
  }
}

const JOBS = `
  select h.id, h.provider, h.job_id, h.job, h.endpoint, h.state, h.organization_id, h.opened_at, h.quote_nano, h.missed, (
    select coalesce(json_agg(json_build_object('account_id', r.account_id::text, 'rate', r.rate) order by r.account_id), '[]')
    from long_hold_accounts r where r.hold_id = h.id
  ) as accounts
  from long_holds h`

interface JobRow {
  id: string
  provider: string
  job_id: string
  job: unknown
  endpoint: string
  state: Job['state']
  organization_id: string | null
  opened_at: Date
  quote_nano: string
  missed: number
  accounts: { account_id: string, rate: string | null }[]
}

function jobOf (row: JobRow): Job {
  return {
    id: row.id,
    provider: row.provider,
    jobId: row.job_id,
    endpoint: row.endpoint,
    state: row.state,
    organizationId: row.organization_id,
    openedAt: row.opened_at.getTime(),
    quoteNano: bigintOf(row.quote_nano),
    terms: pinnedTerms(row.job),
    accounts: row.accounts.map(({ account_id: id, rate }) => ({ accountId: idOf(id), rate })),
    missed: row.missed,
  }
}

function endJson (end: JobEnd): string {
  if (end.to === 'uncertain') return JSON.stringify({ note: end.note, outcome: 'upstream_broken', status: end.status })
  const { costNano, usage, modelUsed, status, correctionId } = end
  const settlement = {
    outcome: 'settled' as const, cost: { amountNano: costNano, currency: 'USD' }, usage, modelUsed, requestId: null,
  }
  return JSON.stringify({ ...settledJson({ settlement, costNano, correctionId }), status })
}

/** what `keep_long` reads: the row, and what it holds on each account */
export function keptJson ({ opening, jobId, terms, expiresAt, pollInMs }: KeptCall): [string, string] {
  const hold = {
    id: opening.id,
    organization_id: opening.organizationId,
    team_id: opening.teamId,
    project_id: opening.projectId,
    user_id: opening.userId,
    key_id: opening.keyId,
    session_id: opening.sessionId,
    end_user_id: opening.endUserId ?? null,
    tags: opening.tags,
    provider: opening.provider,
    endpoint: opening.endpoint,
    model: opening.model,
    stream: opening.stream,
    request_id: opening.requestId,
    quote_nano: String(opening.quoteNano),
    price_version: opening.priceVersion,
    opened_at: new Date(opening.openedAt),
    expires_at: new Date(expiresAt),
    job_id: jobId,
    job: JSON.parse(pinnedText(terms)) as unknown,
    poll_in: pollInMs / 1_000,
  }
  const amounts = opening.holds.map(({ accountId, quoteNano, rate, enforced }) => ({
    account_id: accountId, quote_nano: String(quoteNano), held_nano: String(enforced ? quoteNano : 0n), rate,
  }))
  return [JSON.stringify(hold), jsonOf(amounts)]
}
