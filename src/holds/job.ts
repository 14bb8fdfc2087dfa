import { type PinnedTerms } from '../pricing/pinned.ts'
import { type CallOpening, type Usage } from '../usage/usage.ts'
import { type HoldState } from './hold.ts'

/**
 * A job: a call that goes on at its provider behind its answer (a response in the background, a batch). It is held by
 * a row in PostgreSQL, which any gateway settles once it hears how the job ended.
 */
export interface Job {
  /** of the hold, the call and its usage event */
  id: string
  provider: string
  /** what the provider calls it */
  jobId: string
  /** that made it */
  endpoint: string
  state: HoldState
  organizationId: string | null
  openedAt: number
  /** nano-USD */
  quoteNano: bigint
  terms: PinnedTerms
  /** what it is held on; `rate` as in AccountHold */
  accounts: { accountId: number, rate: string | null }[]
  /** how often in a row the provider did not know it */
  missed: number
}

/** A call that becomes a job, with all that its row needs. */
export interface KeptCall {
  opening: CallOpening
  jobId: string
  terms: PinnedTerms
  /** ms since the epoch: from then on it is uncertain */
  expiresAt: number
  /** gateways ask about it by themselves from so many ms on */
  pollInMs: number
}

/** How a job ended: at a cost, or so that nobody can say what it cost. */
export type JobEnd =
  | {
    to: 'settled'
    /** nano-USD */
    costNano: bigint
    costs: { accountId: number, amountNano: bigint }[]
    usage: Usage | null
    modelUsed: string | null
    /** the provider's of the answer that told */
    status: number | null
    /** of the event by which an uncertain one is corrected */
    correctionId: string
  }
  | { to: 'uncertain', note: string, status: number | null }

export interface JobStore {
  /** null: no call through any gateway made it */
  find (provider: string, jobId: string): Promise<Job | null>
  /** those that are to be asked about now, at most so many, for this gateway alone for a while */
  claim (most: number): Promise<Job[]>
  /** the provider did not know it; answers how often in a row by now */
  miss (id: string): Promise<number>
  /** whose a file at a provider is; null: nobody's */
  ownerOf (provider: string, fileId: string): Promise<string | null>
  /** those that are somebody's already stay so */
  addFiles (provider: string, fileIds: readonly string[], organizationId: string): Promise<void>
  /** false: it had ended already */
  end (id: string, end: JobEnd): Promise<boolean>
}
