import { type Now } from '../clock.ts'
import { type Refusal } from '../errors.ts'
import { type NamedJob } from '../gateway/call.ts'
import { newCallId } from '../gateway/call-id.ts'
import { usedNano } from '../gateway/final-cost.ts'
import { type Metrics } from '../metrics.ts'
import { convertNano, formatNano } from '../money/amount.ts'
import { labelOf, type PriceBook } from '../pricing/price.ts'
import { type Reading } from '../usage/meter.ts'
import { type Job, type JobEnd, type JobStore } from './job.ts'

/**
 * What becomes of jobs: whoever hears how one ended settles it, at whatever gateway, and its row in PostgreSQL decides
 * that it is settled once. A job belongs to the organization whose key made it, and to nobody else at the same
 * provider's credential.
 */
export interface JobsOptions {
  store: JobStore
  prices: Pick<PriceBook, 'answered'>
  tracker: { refresh (accountIds: readonly number[]): Promise<void> }
  metrics: Metrics
  log: {
    info (details: object, message: string): void
    warn (details: object, message: string): void
    error (details: object, message: string): void
  }
  now: Now
}

/** so often in a row a provider must say that it does not know a job */
const MISSES = 3
/** asked about at a time */
const AT_ONCE = 8

export class Jobs {
  readonly #o: JobsOptions
  /** null: this gateway serves no calls, and asks nobody */
  #ask: ((job: Job) => Promise<void>) | null = null
  #looking: Promise<void> | null = null
  readonly #asking = new Map<string, Promise<void>>()

  constructor (options: JobsOptions) { this.#o = options }

  /** what an organization calls by this name; never rejects */
  async find ({ provider, of, jobId }: NamedJob, organizationId: string): Promise<Job | Refusal> {
    try {
      const job = await this.#o.store.find(provider, jobId)
      return job?.organizationId === organizationId && job.endpoint === of ? job : unknownJob(jobId)
    } catch (err) {
      this.#o.log.error({ err, job: jobId }, 'whose a job is could not be read')
      return UNREAD
    }
  }

  askedBy (ask: (job: Job) => Promise<void>): void { this.#ask = ask }

  /** Asks about those that nobody has fetched for a while; each gateway looks, and each job is asked about by one. */
  async look (): Promise<void> {
    this.#looking ??= this.#look().finally(() => { this.#looking = null })
    await this.#looking
  }

  async fileRefusal (provider: string, fileId: string, organizationId: string): Promise<Refusal | null> {
    try {
      return await this.#o.store.ownerOf(provider, fileId) === organizationId ? null : unknownFile(fileId)
    } catch (err) {
      this.#o.log.error({ err, file: fileId }, 'whose a file is could not be read')
      return UNREAD
    }
  }

  async addFiles (provider: string, fileIds: readonly string[], organizationId: string): Promise<Refusal | null> {
    try {
      await this.#o.store.addFiles(provider, fileIds, organizationId)
      return null
    } catch (err) {
      this.#o.log.error({ err, files: fileIds }, 'whose files are could not be recorded')
      return UNREAD
    }
  }

  /** What an answer about a job says: once it is over it is settled. Never rejects; what fails is asked for again. */
  async heard (job: Job, reading: Reading, status: number | null): Promise<void> {
    const said = reading.job
    if (said?.over !== true || (said.id !== null && said.id !== job.jobId)) return
    if (said.files !== undefined && job.organizationId !== null) {
      await this.addFiles(job.provider, said.files, job.organizationId)
    }
    if (said.results !== undefined && !reading.final) {
      // nobody waits for what may be long
      if (job.state === 'open') void this.#askOnce(job)
      return
    }
    await this.#end(job, reading.final
      ? this.#settled(job, reading, status)
      : {
          to: 'uncertain', note: 'The provider says that it ended, and not what it used.', status,
        }, reading)
  }

  /** the provider says that there is no such job; believed when it says so again */
  async missed (job: Job, status: number): Promise<void> {
    try {
      if (await this.#o.store.miss(job.id) < MISSES) return
    } catch (err) {
      this.#o.log.warn({ err, job: job.jobId }, 'that a provider does not know a job could not be noted')
      return
    }
    await this.#end(job, { to: 'uncertain', note: 'Its provider does not know it any more.', status }, null)
  }

  #settled (job: Job, reading: Reading, status: number | null): JobEnd {
    const { asked, model, bound } = job.terms
    const answered = this.#o.prices.answered?.(job.provider, asked, reading.modelUsed, job.openedAt)
    const costNano = usedNano(reading, model, bound, answered)
    if (costNano === null) return { to: 'uncertain', note: 'What it used has no price.', status }
    return {
      to: 'settled',
      costNano,
      costs: job.accounts.map(({ accountId, rate }) => ({ accountId, amountNano: convertNano(costNano, rate) })),
      usage: reading.usage,
      modelUsed: reading.modelUsed,
      status,
      correctionId: newCallId(job.openedAt),
    }
  }

  /** until all that is being asked about has been answered */
  async idle (): Promise<void> { await Promise.all(this.#asking.values()) }

  /** while one is being asked about, nobody else here asks about it */
  #askOnce (job: Job): Promise<void> {
    let asking = this.#asking.get(job.id)
    if (asking === undefined) {
      asking = (this.#ask?.(job) ?? Promise.resolve()).finally(() => { this.#asking.delete(job.id) })
      this.#asking.set(job.id, asking)
    }
    return asking
  }

  async #look (): Promise<void> {
    if (this.#ask === null) return
    try {
      let jobs: Job[]
      do {
        jobs = await this.#o.store.claim(AT_ONCE)
        await Promise.all(jobs.map((job) => this.#askOnce(job)))
      } while (jobs.length === AT_ONCE)
    } catch (err) {
      this.#o.log.warn({ err }, 'which jobs are to be asked about could not be looked up')
    }
  }

  async #end (job: Job, end: JobEnd, reading: Reading | null): Promise<void> {
    const line = { call: job.id, job: job.jobId, provider: job.provider, model: job.terms.model.model }
    try {
      if (!await this.#o.store.end(job.id, end)) return
      await this.#o.tracker.refresh(job.accounts.map(({ accountId }) => accountId))
    } catch (err) {
      this.#o.log.error({ err, ...line }, 'the end of a job could not be recorded; it will be asked for again')
      return
    }
    this.#count(job, end, reading)
    if (end.to === 'settled') this.#o.log.info({ ...line, cost: formatNano(end.costNano) }, 'a job was settled')
    else this.#o.log.warn({ ...line, note: end.note }, 'a job is charged at its quote')
  }

  #count ({ provider, terms: { model }, quoteNano }: Job, end: JobEnd, reading: Reading | null): void {
    const { metrics } = this.#o
    const tally = metrics.ended(provider, labelOf(model))
    tally.count(end.to === 'settled' ? 'completed' : 'upstream_broken')
    tally.costNano += end.to === 'settled' ? end.costNano : quoteNano
    if (end.to === 'uncertain') metrics.uncertain.inc({ provider, certainty: 'uncertain' })
    else if (end.costNano > quoteNano) metrics.overruns.inc({ provider })
    const usage = reading?.usage ?? null
    if (usage === null) return
    tally.input += usage.inputTokens
    tally.cached += usage.cacheReadTokens
    tally.output += usage.outputTokens
    if (usage.units !== undefined) tally.addUnits(usage.units)
  }
}

function unknownJob (jobId: string): Refusal {
  return {
    code: 'job_not_found',
    message: `There is no ${JSON.stringify(jobId.slice(0, 100))} that a key of this organization made in the background through this gateway.`,
    retryable: false,
  }
}

function unknownFile (fileId: string): Refusal {
  return {
    code: 'job_not_found',
    message: `There is no file ${JSON.stringify(fileId.slice(0, 100))} that a key of this organization brought or made through this gateway.`,
    retryable: false,
  }
}

const UNREAD: Refusal = {
  code: 'ledger_unavailable',
  message: 'Whose this is could not be looked up in PostgreSQL.',
  retryable: true,
  retryAfterMs: 2_000,
}
