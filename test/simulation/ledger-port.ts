import { type MessagePort } from 'node:worker_threads'
import {
  AuthorityUnavailableError, BatchRefusedError, NotLiveError,
} from '../../src/account/authority.ts'
import { type AccountBooks, type LeaseBooks } from '../account/memory-authority.ts'
import { type Ledger, type SimAuthority } from './ledger.ts'
import { type PostgresLedger } from './postgres-ledger.ts'

/**
 * The real ledger for a thread of simulations. Drivers of databases need timers that are real, and that thread has
 * none: here is what it asks, and there, in the thread that started it, who answers.
 */
interface Question { no: number, name: string, args: unknown[], now: number }
interface Answer { no: number, value?: unknown, error?: { kind: string, message: string } }

const ERRORS = { AuthorityUnavailableError, BatchRefusedError, NotLiveError }
export const AUTHORITY = [
  'join', 'unbegun', 'ensureAccounts', 'grant', 'heartbeat', 'inspect', 'post', 'keep', 'beginRecovery', 'closeLeases',
  'silent',
] as const satisfies (keyof SimAuthority)[]

/** at whatever time they are asked */
const TIMELESS = new Set(['books', 'leases', 'costOf', 'longHolds'])
/** they change nothing that the books show */
const QUIET = new Set([...TIMELESS, 'join', 'unbegun', 'heartbeat', 'inspect', 'silent'])

/** until the port is closed */
export function answerAt (port: MessagePort, ledger: PostgresLedger): void {
  const answer = async ({ name, args, now }: Question): Promise<unknown> => {
    if (!TIMELESS.has(name)) await ledger.setClock(now)
    const of: object = AUTHORITY.some((one) => one === name) ? ledger.authority : ledger
    return await (of as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]?.(...args)
  }
  port.on('message', (question: Question) => {
    const { no } = question
    answer(question).then((value) => { port.postMessage({ no, value } satisfies Answer) }, (error: unknown) => {
      const { constructor: { name: kind }, message } = error instanceof Error ? error : new Error(String(error))
      port.postMessage({ no, error: { kind, message } } satisfies Answer)
    })
  })
}

/** what is asked is asked at the time that it has by then */
export class LedgerPort implements Ledger {
  readonly authority: SimAuthority
  readonly #port: MessagePort
  readonly #asked = new Map<number, (answer: Answer) => void>()
  #no = 0
  #now = 0
  #books: Promise<AccountBooks[]> | null = null
  #leases: Promise<LeaseBooks[]> | null = null

  constructor (port: MessagePort) {
    this.#port = port
    port.on('message', (answer: Answer) => {
      this.#asked.get(answer.no)?.(answer)
      this.#asked.delete(answer.no)
    })
    const methods = AUTHORITY.map((name) => [name, (...args: unknown[]) => this.#ask(name, ...args)])
    this.authority = Object.fromEntries(methods) as unknown as SimAuthority
  }

  async #ask<T> (name: string, ...args: unknown[]): Promise<T> {
    const no = ++this.#no
    if (!QUIET.has(name)) this.#books = this.#leases = null
    this.#port.postMessage({ no, name, args, now: this.#now } satisfies Question)
    const { value, error } = await new Promise<Answer>((resolve) => { this.#asked.set(no, resolve) })
    if (error === undefined) return value as T
    const Kind = ERRORS[error.kind as keyof typeof ERRORS] ?? Error
    throw new Kind(error.message)
  }

  setClock (now: number): null {
    this.#now = now
    return null
  }

  empty (): Promise<void> { return this.#ask('empty') }
  defineBudget (limitNano: bigint | null): Promise<string> { return this.#ask('defineBudget', limitNano) }
  setLimit (id: string, limitNano: bigint): Promise<void> { return this.#ask('setLimit', id, limitNano) }
  writeOff (incarnation: number): Promise<boolean> { return this.#ask('writeOff', incarnation) }
  settleLongHold (id: string, costNano: bigint): Promise<void> { return this.#ask('settleLongHold', id, costNano) }

  /** read once while nobody asks for anything that may change them */
  books (): Promise<AccountBooks[]> {
    this.#books ??= this.#ask('books')
    return this.#books
  }

  leases (): Promise<LeaseBooks[]> {
    this.#leases ??= this.#ask('leases')
    return this.#leases
  }

  costOf (callId: string): Promise<bigint | null> { return this.#ask('costOf', callId) }
  longHolds (): Promise<string[]> { return this.#ask('longHolds') }
  close (): void { this.#port.close() }
}
