import { type IncomingHttpHeaders } from 'node:http'
import { type Dispatcher } from 'undici'
import { type JobDesk } from '../../src/gateway/call.ts'
import { type Job } from '../../src/holds/job.ts'
import { pathTemplate } from '../../src/providers/paths.ts'
import { type Endpoint, type JobEndpoint, type Provider } from '../../src/providers/provider.ts'
import { MAX_METERED_BYTES } from '../../src/usage/body-meter.ts'
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
    const endpoint = provider?.endpoints.find((one) => isAsked(one, job))
    const upstream = this.#o.upstreams.get(job.provider)
    const credential = upstream?.credential(job.organizationId ?? '') ?? null
    if (endpoint === undefined || upstream === undefined || credential === null) {
      throw new Error(`${job.provider} is not configured on this gateway`)
    }
    const { path, meter: meterOf } = endpoint as JobEndpoint
    const { status, headers, body } = await this.#get(upstream, credential, pathTemplate(path).fill({ job: job.jobId }))
    if (GONE.has(status)) {
      await this.#o.jobs.missed(job, status)
      return
    }
    if (status < 200 || status >= 300) throw new Error(`it answered ${status}`)
    const meter = meterOf(job.terms, {
      status,
      headers,
      contentType: String(headers['content-type'] ?? ''),
      contentEncoding: String(headers['content-encoding'] ?? 'identity'),
    })
    meter.data(body)
    meter.end()
    await this.#o.jobs.heard(job, meter.reading(), status)
  }

  async #get (
    upstream: Upstream, credential: Credential, path: string
  ): Promise<{ status: number, headers: IncomingHttpHeaders, body: Buffer }> {
    const { origin, pool } = upstream
    const sent = { method: 'GET' as const, path: upstream.path(path), headers: upstreamHeaders({}, [], null), body: null }
    const own = typeof credential === 'function' ? await credential({ ...sent, url: `${origin}${sent.path}` }) : credential
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(WITHIN_MS)])
    const answer = await pool.request({ ...sent, headers: [...sent.headers, ...own], signal })
    return { status: answer.statusCode, headers: answer.headers, body: await whole(answer) }
  }
}

async function whole ({ body }: Dispatcher.ResponseData): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > MAX_METERED_BYTES) throw new Error(`it answered more than ${MAX_METERED_BYTES} bytes`)
  }
  return Buffer.concat(chunks)
}

function isAsked (endpoint: Endpoint, job: Job): boolean {
  return endpoint.kind === 'free' && endpoint.served === 'job' && endpoint.of === job.endpoint && endpoint.whileOpen === 'ask'
}

function named ({ id, jobId, provider }: Job) { return { call: id, job: jobId, provider } }
