import type { Refusal } from '../errors.ts'
import type { RateStanding } from '../limits/limiter.ts'
import type { CallBound, PricedModel } from '../pricing/price.ts'
import type { PinnedTerms } from '../pricing/pinned.ts'
import type { Meter } from '../usage/meter.ts'

/** What the gateway reads of a billable request before it forwards it. */
export interface CallRequest {
  model: string
  stream: boolean
  bound: CallBound
  /** the client itself asked for usage in the stream; false: it is switched on upstream and taken out again */
  usageAsked: boolean
  /** of what was switched on, the client did ask for the figures at the end; absent: it did not */
  lastUsageAsked?: boolean
  /**
   * Tokens of stated thinking, for which a lowered output limit must leave room. 'open': the request lets a model that
   * thinks do so for as long as it likes. null: a lowered limit would not bound what the call costs.
   */
  thinking: number | 'open' | null
  /** true: it goes on at the provider behind its answer, which says no more than what it is called there */
  background?: boolean
  /** what an answer that does not say it has probably used, by the names in units.ts; absent: nobody knows */
  likely?: Readonly<Record<string, number>>
  /** for whom the client works, as the body says it and unchecked; null or absent: it does not say */
  endUser?: unknown
  /** where the body says so */
  endUserField: string
}

/** What goes upstream otherwise than the client asked. null: as it asked. */
export interface CallChanges {
  /** a name that the provider knows */
  model: string | null
  /** of each answer, thinking included; never above the client's own limit */
  outputTokens: number | null
}

export const AS_ASKED: CallChanges = { model: null, outputTokens: null }

export interface RenderedRefusal {
  status: number
  headers: Record<string, string>
  /** JSON text */
  body: string
}

/** Where a request goes beside its body. */
export interface Target {
  /** what the placeholders of the endpoint's path stand for, decoded */
  params: Readonly<Record<string, string>>
  /** '' or '?...', as it goes upstream */
  search: string
  /** of the request, by their names in lower case; absent: they are not known, and say nothing */
  headers?: Readonly<Record<string, string | string[] | undefined>>
  /** what is in the file that the endpoint reads; absent: it reads none, or nobody has fetched it */
  file?: Buffer
}

export const NO_PARAMS: Readonly<Record<string, string>> = {}
/** of a path without placeholders */
export const NO_TARGET: Target = { params: NO_PARAMS, search: '' }

/** How an answer begins. */
export interface AnswerHead {
  status: number
  /** '' where there is none */
  contentType: string
  contentEncoding: string
  /** by their names in lower case */
  headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface BillableEndpoint {
  kind: 'billable'
  /** written to the ledger, e.g. `chat.completions` */
  name: string
  method: 'POST'
  /** as the provider has it, from its host on, e.g. `/v1/chat/completions`; placeholders as in paths.ts */
  path: string
  /** for the table of the docs: where the model, the bound of the output and the usage are */
  about: EndpointTable
  /** where it is not the provider's own */
  dialect?: Dialect
  /** 'form': the body is a multipart form (form.ts); 'either': it is that or JSON. Absent: it is JSON. */
  takes?: 'form' | 'either'
  /** `body` is what was read of `bytes`. Pure, linear in the body, never throws. */
  read (body: unknown, bytes: Buffer, target: Target): CallRequest | Refusal
  /** a file at the provider that what is asked for stands in: which one, and where it is, `{file}` in the path */
  reads?: { file (body: unknown): string | Refusal, path: string }
  /**
   * The bytes to send: `bytes` itself unless something of it is changed, usage reporting must be switched on, or what
   * the quote is for must be said. A model that stands in the path is changed there. `priced`: by what it was quoted.
   */
  forwardBody (call: CallRequest, body: unknown, bytes: Buffer, changes: CallChanges, priced?: PricedModel): Buffer
  /** `priced`: by what it was quoted */
  meter (call: CallRequest, answer: AnswerHead, priced?: PricedModel): Meter
  /** absent: over HTTP alone */
  socket?: StreamCalls | TalkCalls
}

/**
 * Calls over a WebSocket at the endpoint's own path: each of the client's messages of this type is a call, its body,
 * and is answered by the events of a stream, one in each message.
 */
export interface StreamCalls {
  kind: 'stream'
  /** `type` of the client's messages */
  creates: string
  /** fields of such a message that only make sense over HTTP, or cannot be metered here */
  refused: readonly string[]
  /** `type` of the messages that end a call; `error` does too */
  ends: ReadonlySet<string>
}

/** A conversation over a WebSocket, and over nothing else. */
export interface TalkCalls {
  kind: 'talk'
  /** of a new conversation; a refusal where its request is none */
  begin (target: Target): Talk | Refusal
}

/** What one conversation has come to. Pure but for that; never throws. */
export interface Talk {
  /**
   * What a message of the client's makes: a refusal; null: no call, and it goes on; else a call, by what the endpoint
   * reads it from, that is made with the message, or that the provider may make by itself once it has it.
   */
  fromClient (message: Record<string, unknown>): Refusal | { makes: null } | {
    makes: Record<string, unknown>
    when: 'asked' | 'by itself'
  }
  /** 'fails': what was asked for by the message of this id will not begin */
  fromProvider (message: Buffer): { what: 'begins' | 'ends' | 'fails', id: string } | null
}

export interface EndpointTable {
  model: string
  /** the field of the request that bounds the output */
  output: string
  usage: string
}

/** Answered by the gateway itself or passed on without a hold: known to cost nothing. */
export interface FreeEndpoint {
  kind: 'free'
  name: string
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  dialect?: Dialect
  /** 'models': answered from the catalog, all of them or `{model+}`; 'forward': passed on with the credential */
  served: 'models' | 'forward'
}

/**
 * About a call that goes on behind its answer, `{job}` in the path: passed on for those whose it is. What its answers
 * say of the job's end settles the call.
 */
export interface JobEndpoint extends Omit<FreeEndpoint, 'served'> {
  served: 'job'
  /** the name of the endpoint that makes such jobs */
  of: string
  /** of a job that is not over; 'ask': gateways ask here by themselves; 'refuse': nobody could ask afterwards */
  whileOpen: 'ask' | 'pass' | 'refuse'
  /** where gateways read what a job used that its answers do not say: the path, and what reads it */
  results?: Pick<JobEndpoint, 'path' | 'meter'>
  meter (terms: PinnedTerms, answer: AnswerHead): Meter
}

/** About files at the provider: brought by an organization and then, `{file}` in the path, passed on for it alone. */
export interface FileEndpoint extends Omit<FreeEndpoint, 'served'> { served: 'file' }

export type Endpoint = BillableEndpoint | FreeEndpoint | JobEndpoint | FileEndpoint

/** How the clients of one family of SDKs are talked to. */
export interface Dialect {
  name: string
  /** true: only clients of this family send such headers */
  speaks (headers: Readonly<Record<string, unknown>>): boolean
  /** answer of GET /models and GET /models/:id for the catalog's models; undefined id: the list; null: not there */
  renderModels (models: string[], id?: string): string | null
  renderRefusal (refusal: Refusal, callId: string, userAgent: string): RenderedRefusal
  /**
   * The event that ends a stream of server-sent events for good, as the provider itself tells of an error in one;
   * absent: it has no way to, and its connection is broken off.
   */
  renderCut? (refusal: Refusal, callId: string): string
  /** how the provider itself tells of limited rates, at `now` (ms since the epoch) */
  rateHeaders (standing: RateStanding, now: number): Record<string, string>
}

/** A request as it goes to a provider, for those that want it signed. */
export interface Outgoing {
  method: string
  /** whole */
  url: string
  headers: readonly string[]
  body: Buffer | null
}

/** headers, [name, value, ...], that make a request the gateway's own */
export type Sign = (request: Outgoing) => readonly string[] | Promise<readonly string[]>

/** One provider: where it is, what its paths are, how it is paid, and how its clients are talked to. */
export interface Provider {
  /** the path prefix; also what the catalog, budgets' filters, usage events and settings call it */
  name: string
  /** for people */
  title: string
  /** its own address; null: only its operator knows it */
  url: string | null
  /** what clients' base URLs end in, and an operator may therefore write at the end of the address or leave out */
  base: string
  /** true: it is served at the gateway's root too, beside others of the same paths */
  atRoot: boolean
  /** false: a server that may ask for no key */
  needsKey: boolean
  /** true: its names of models are its operator's own, and none has a price before the settings say what it is */
  deployments?: boolean
  /** the catalog's providers that have its prices, the first one first, where that is not the one of its name */
  pricesOf?: readonly string[]
  /** the catalog's name of what paths and bodies call a model; null: it says of no model which one it is */
  catalogName? (model: string): string | null
  /** of a provider whose address and credential are what its own SDKs read, where no settings say otherwise */
  fromEnv? (env: NodeJS.ProcessEnv, settings: FromSettings): FromEnv
  dialect: Dialect
  endpoints: Endpoint[]
  /** headers that carry the provider's own credential upstream */
  credential (apiKey: string): Record<string, string>
}

export interface FromSettings {
  region?: string | undefined
  project?: string | undefined
  url: string | null
}

export interface FromEnv {
  /** null: nothing says where it is */
  url: string | null
  /** null: there is no credential to sign with */
  sign: Sign | null
  /** what has to be set where the one or the other is missing */
  missing: string
  /** its own, where the settings narrow them; absent: all of the provider's as they are */
  endpoints?: Endpoint[]
}

export function isRefusal (value: object): value is Refusal {
  return 'code' in value && 'retryable' in value
}
