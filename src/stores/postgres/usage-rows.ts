import { quoted } from '../../json-text.ts'

/** Rows as the JSON that the ledger reads: keys are column names, amounts are text, since numbers would round them. */
export function jsonOf (rows: object): string {
  return JSON.stringify(rows, (_key, value: unknown) => typeof value === 'string' ? cleaned(value) : value)
}

/** a member of an object that has others before it; nothing where it is null */
export function text (name: string, value: string | null): string {
  return value === null ? '' : `,"${name}":${quoted(value, cleanJson)}`
}

/** in what a provider or a client says; it must not keep an event from being recorded */
const UNSTORABLE = /[\0\p{Surrogate}]/gu

function cleanJson (text: string): string { return JSON.stringify(cleaned(text)) }

function cleaned (text: string): string { return text.replace(UNSTORABLE, '\uFFFD') }

/** The day (UTC) in a UUIDv7: fixed when the call opened, so a repeated event meets itself in the same partition. */
export function dayOf (id: string): string {
  const openedAt = openedAtOf(id)
  const number = Math.floor(openedAt / DAY_MS)
  // nearly all ids of a batch are of one day
  if (number !== lastDay.number) {
    const time = timeOf(openedAt)
    lastDay = { number, text: time.slice(0, time.indexOf('T')) }
  }
  return lastDay.text
}

const DAY_MS = 86_400_000
let lastDay = { number: NaN, text: '' }

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
