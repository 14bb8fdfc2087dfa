import { type JobDesk } from '../../src/gateway/call.ts'
import { type Job } from '../../src/holds/job.ts'
import { pathTemplate } from '../../src/providers/paths.ts'
import { type Endpoint, type JobEndpoint, type Provider } from '../../src/providers/provider.ts'
import { type Reading } from '../../src/usage/meter.ts'
import { upstreamHeaders } from './headers.ts'
import { type Credential, type Upstream } from './upstream.ts'

/**
 * Asks providers what became of jobs that nobody fetches, with the provider's own credential. Which of them when, and
 * by which gateway, is not decided here.
 */
export interface JobAskerOptions {
  jobs: Pick<JobDesk, 'heard' | 'missed'>
  providers: readonly Provider[]
  upstreams: ReadonlyMap<string, Upstream>
  log: { warn (facts: object, sentence: string): void }
}

const WITHIN_MS = 60_000
/** of a day's work */
const RESULTS_WITHIN_MS = 600_000
const GONE = new Set([404, 410])

export class JobAsker {
  readonly #o: JobAskerOptions
  readonly #stop = new AbortController()

  constructor (options: JobAskerOptions) { this.#o = options }

  stop (): void { this.#stop.abort() }

  /** has it settled if it is over; never rejects */
  async ask (job: Job): Promise<void> {
    try {
      await this.#ask(job)
    } catch (err) {
      if (!this.#stop.signal.aborted) this.#o.log.warn({ err, ...named(job) }, 'a provider did not say what became of a job')
    }
  }

  async #ask (job: Job): Promise<void> {
    const provider = this.#o.providers.find(({ name }) => name === job.provider)
    const endpoint = provider?.endpoints.find((one) => isAsked(one, job)) as JobEndpoint | undefined
    const upstream = this.#o.upstreams.get(job.provider)
    const credential = upstream?.credential(job.organizationId ?? '') ?? null
    if (endpoint === undefined || upstream === undefined || credential === null) {
      throw new Error(`${job.provider} is not configured on this gateway`)
    }
    const way = { upstream, credential, job }
    const said = await this.#get(way, endpoint, {}, WITHIN_MS)
    if (said === null) return
    const { results } = said.reading.job ?? {}
    const read = results === undefined || endpoint.results === undefined || said.reading.final
      ? said
      : await this.#get(way, endpoint.results, results, RESULTS_WITHIN_MS)
    if (read !== null) await this.#o.jobs.heard(job, read.reading, read.status)
  }

  /** null: there is none, which was noted */
  async #get (
    { upstream, credential, job }: { upstream: Upstream, credential: Credential, job: Job },
    { path: template, meter: meterOf }: Pick<JobEndpoint, 'path' | 'meter'>, more: Readonly<Record<string, string>>, withinMs: number
  ): Promise<{ status: number, reading: Reading } | null> {
    const path = upstream.path(pathTemplate(template).fill({ job: job.jobId, ...more }))
    const sent = { method: 'GET' as const, path, headers: upstreamHeaders({}, [], null), body: null }
    const own = typeof credential === 'function' ? await credential({ ...sent, url: `${upstream.origin}${path}` }) : credential
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(withinMs)])
    const { statusCode: status, headers, body } = await upstream.pool.request({
      ...sent, headers: [...sent.headers, ...VERSION, ...own], signal,
    })
    if (status < 200 || status >= 300) {
      await body.dump()
      if (!GONE.has(status)) throw new Error(`it answered ${status}`)
      await this.#o.jobs.missed(job, status)
      return null
    }
    const meter = meterOf(job.terms, {
      status,
      headers,
      contentType: String(headers['content-type'] ?? ''),
      contentEncoding: String(headers['content-encoding'] ?? 'identity'),
    })
    for await (const chunk of body) meter.data(chunk as Buffer)
    meter.end()
    return { status, reading: meter.reading() }
  }
}

/** that every request to Anthropic must carry, and nobody else looks at */
const VERSION = ['anthropic-version', '2023-06-01']

function isAsked (endpoint: Endpoint, job: Job): boolean {
  return endpoint.kind === 'free' && endpoint.served === 'job' && endpoint.of === job.endpoint && endpoint.whileOpen === 'ask'
}

function named ({ id, jobId, provider }: Job) { return { call: id, job: jobId, provider } }
