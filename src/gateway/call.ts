import { type IncomingHttpHeaders } from 'node:http'
import { type Identity } from '../budget/budget.ts'
import { type Refusal } from '../errors.ts'
import { type Job } from '../holds/job.ts'
import { type AnswerHead, type BillableEndpoint, type CallRequest, type Provider, type Target } from '../providers/provider.ts'
import { type Meter, type Reading } from '../usage/meter.ts'
import { type CallOutcome } from '../usage/usage.ts'

/** One billable request whose key was good, before anything is held for it. */
export interface CallIntake {
  /** the dialect of the path; the model may be served by another upstream (`demo-*`) */
  provider: Provider
  endpoint: BillableEndpoint
  identity: Identity
  target: Target
  /**
   * What was read of `bytes`: their JSON, or the fields of a form. The gate lets go of it when it has decided: it may
   * be long, and what waits with the call, for the journal and for the answer, would keep it.
   */
  body: unknown
  bytes: Buffer
  /** the client's own x-request-id, for correlation */
  requestId: string | null
}

/** What is known when the exchange with the provider is over. */
export interface CallEnding {
  outcome: CallOutcome
  /** the provider's status, null when it never answered */
  status: number | null
  /** null where no answer began */
  reading: Reading | null
  error: Error | null
}

/** A call that is held and journaled: it must end by exactly one of `release` and `settle` (more are ignored). */
export interface OpenCall {
  readonly id: string
  readonly request: CallRequest
  /** which upstream serves it: the dialect's own name, or `demo` */
  readonly upstream: string
  /** what goes upstream */
  readonly body: Buffer
  /** the model that goes upstream where it is not the one that was asked for, else null */
  readonly changedModel: string | null
  /** x-relaycore-call-id and the budget headers, for the answer */
  readonly headers: Record<string, string>
  meter (answer: AnswerHead): Meter
  /**
   * The answer has used this much so far. Where that costs more than is held for it, more is held, or it is said why it
   * may not go on; null: it may. What says that it goes on as a job is held for that long first. A promise only where
   * PostgreSQL has to be asked.
   */
  cover (reading: Reading): Refusal | null | Promise<Refusal | null>
  /** no byte of it reached the provider */
  release (): void
  settle (ending: CallEnding): void
}

/** A job as its provider names it: `of` is the endpoint that made it. */
export interface NamedJob { provider: string, of: string, jobId: string }

/** What the data plane and those who keep the jobs need of each other; nothing of it rejects. */
export interface JobDesk {
  /** of this organization; a refusal where it has no such job */
  find (named: NamedJob, organizationId: string): Promise<Job | Refusal>
  /** null: this file at the provider is this organization's */
  fileRefusal (provider: string, fileId: string, organizationId: string): Promise<Refusal | null>
  /** from now on they are; why it cannot be known, null: it is */
  addFiles (provider: string, fileIds: readonly string[], organizationId: string): Promise<Refusal | null>
  /** how a provider is asked about one: by whom its answer is heard */
  askedBy (ask: (job: Job) => Promise<void>): void
  /** an answer said this of it: where it is over, it is settled */
  heard (job: Job, reading: Reading, status: number | null): Promise<void>
  /** its provider says that there is none */
  missed (job: Job, status: number): Promise<void>
}

/** The business behind the data plane: who is asking, and may this call go. Refusals are values; nothing throws. */
export interface CallGate {
  /** who the key and the identity headers speak for; a promise only where the key is not in memory */
  identify (key: string | undefined, headers: IncomingHttpHeaders): Identity | Refusal | Promise<Identity | Refusal>
  /** `signal`-like: `gone()` is asked after every wait, so that a client that left is released at once */
  open (intake: CallIntake, gone: () => boolean): Promise<OpenCall | Refusal>
  /** the catalog's models of a dialect, for GET /v1/models */
  models (provider: string): string[]
  /** counts and logs a refusal that the data plane made itself (no key, bad path, bad body) */
  refused (refusal: Refusal, provider: string | null): void
}
