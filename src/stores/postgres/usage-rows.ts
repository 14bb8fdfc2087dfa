import { quoted } from '../../json-text.ts'

/** Rows as the JSON that the ledger reads: keys are column names, amounts are text, since numbers would round them. */
export function jsonOf (rows: object): string {
  return JSON.stringify(rows, (_key, value: unknown) => typeof value === 'string' ? cleaned(value) : value)
}

/** a member of an object that has others before it; nothing where it is null */
export function text (name: string, value: string | null): string {
  return value === null ? '' : `,"${name}":${quoted(value, (unclean) => JSON.stringify(cleaned(unclean)))}`
}

/** in what a provider or a client says; it must not keep an event from being recorded */
const UNSTORABLE = /[\0\p{Surrogate}]/gu

function cleaned (text: string): string { return text.replace(UNSTORABLE, '\uFFFD') }

/** The day (UTC) in a UUIDv7: fixed when the call opened, so a repeated event meets itself in the same partition. */
export function dayOf (id: string): string {
  const time = timeOf(openedAtOf(id))
  return time.slice(0, time.indexOf('T'))
}

/** The time in a UUIDv7, ms since the epoch. */
export function openedAtOf (id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** An id beyond it is none of ours: no day of PostgreSQL's calendar that ISO 8601 writes in four digits holds it. */
export const LAST_TIME = Date.UTC(9999, 11, 31)

/** A number that is no time stays visible in PostgreSQL's refusal. */
export function timeOf (ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms}T`
}
