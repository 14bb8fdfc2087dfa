import type { Usage } from './usage.ts'

/** What a meter has read of an answer so far. */
export interface Reading {
  /** null: no usage block was seen */
  usage: Usage | null
  /** false: the usage seen is a running figure of an unfinished stream (Anthropic message_start), not the final one */
  final: boolean
  /** not final, yet all that was used so far: what an answer that is cut here has cost. Absent: it is not */
  running?: boolean
  /** the usage is worked out from what was seen, since the answer says none. Absent: it says it */
  estimated?: boolean
  /** what other models have used within the call, which is no part of `usage`; absent: none has */
  others?: readonly { model: string, usage: Usage }[]
  modelUsed: string | null
  providerRequestId: string | null
  /** what the answer says of a job that goes on at the provider behind it; absent: it is of none */
  job?: JobReading
  /** nano-USD, of several requests that were each priced by themselves; `usage` is their sum */
  costNano?: bigint
  /** true: an answer of 400 and above that the provider bills all the same, without saying how much */
  billed?: boolean
  /**
   * bytes of answer body seen, after decoding: an upper bound of the tokens that were visibly put out; Infinity where
   * the answer is in an encoding that has not been, or cannot be, decoded
   */
  bodyBytes: number
}

export interface JobReading {
  /** what the provider calls it; null: only of the one that was asked about can it be */
  id: string | null
  /** it will not go on: what it used is in the same reading, or in its results, or nobody says it */
  over: boolean
  /** its results say what it used: what placeholders in their path stand for, besides `{job}` */
  results?: Readonly<Record<string, string>>
  /** files at the provider that it has made */
  files?: readonly string[]
}

/**
 * Reads the usage out of one passing answer. Never holds the answer up: `data` returns at once what to pass on,
 * which is the very same Buffer unless something that the client did not ask for has to be taken out.
 */
export interface Meter {
  /** grows with each figure of usage, and with what is said of a job; absent: there is none before the end */
  readonly counted?: number
  /** of what was passed on last, the bytes at its end that belong to an event whose end has not come */
  readonly unfinished?: number
  /** null: nothing to pass on yet (only the unfinished event of a stream that is being filtered) */
  data (chunk: Buffer): Buffer | null
  /** the answer is over: what was still kept back, if anything */
  end (): Buffer | null
  reading (): Reading
}
