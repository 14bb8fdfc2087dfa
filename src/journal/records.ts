import { crc32 } from 'node:zlib'
import { quoted, quotedOrNull } from '../json-text.ts'
import { type AccountHold, type CallEnd, type CallOpening, type Charge, type Usage } from '../usage/usage.ts'
import { type JournalHeader, type JournalRecord } from './journal.ts'

/**
 * How a record looks in the file: one line, `<crc32 of the JSON, 8 hex digits> <JSON>\n`, UTF-8. Amounts are decimal
 * strings. JSON has no raw newline, so a line that does not end in one was never written whole, and every line can be
 * judged alone. A record that does not have the shape it should have is not a record, whatever its checksum says.
 */

/** Raised when an older reader could misread a newer file. */
export const FORMAT = 1

/** What the file says about itself, beside the calls. */
export type Mark =
  | { t: 'header', header: JournalHeader, segment: number }
  /** everything in earlier segments, and in `segment` before `offset`, was on stable storage at `at` */
  | { t: 'synced', at: number, segment: number, offset: number }
  /**
   * the life ended in order: everything before this line was on stable storage when it was written; and how many calls
   * PostgreSQL did not have by then, which an older version does not say
   */
  | { t: 'closed', at: number, unposted?: number }
  /** written where a write had failed, to see whether writing works again; says nothing */
  | { t: 'probe', at: number }

export type Line = JournalRecord | Mark

const CRC_DIGITS = 8
const SPACE = 0x20

export function encodeLine (line: Line): string {
  const json = textOf(line)
  return `${crc32(json).toString(16).padStart(CRC_DIGITS, '0')} ${json}\n`
}

/** `bytes` without the newline; null: not a whole record */
export function decodeLine (bytes: Buffer): Line | null {
  if (bytes.length < CRC_DIGITS + 3 || bytes[CRC_DIGITS] !== SPACE) return null
  const digits = bytes.toString('latin1', 0, CRC_DIGITS)
  if (!/^[0-9a-f]{8}$/.test(digits)) return null
  const json = bytes.subarray(CRC_DIGITS + 1)
  if (crc32(json) !== Number.parseInt(digits, 16)) return null
  try {
    return lineOf(new Fields(JSON.parse(json.toString('utf8'))))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ShapeError) return null
    throw error
  }
}

/** its JSON */
export function textOf (line: Line): string {
  switch (line.t) {
    case 'open': return openJson(line.call)
    case 'end': return endJson(line.end)
    case 'header': return JSON.stringify({ t: 'header', format: FORMAT, segment: line.segment, ...line.header })
    default: return JSON.stringify(line)
  }
}

export function openJson (call: CallOpening): string {
  return `{"t":"open","id":${quoted(call.id)},"at":${call.openedAt}` +
    `,"org":${quoted(call.organizationId)},"team":${quotedOrNull(call.teamId)}` +
    `,"project":${quotedOrNull(call.projectId)},"user":${quotedOrNull(call.userId)},"key":${quoted(call.keyId)}` +
    `,"session":${quotedOrNull(call.sessionId)}${call.endUserId === undefined ? '' : `,"endUser":${quoted(call.endUserId)}`},"tags":${call.tags === null ? 'null' : JSON.stringify(call.tags)}` +
    `,"provider":${quoted(call.provider)},"endpoint":${quoted(call.endpoint)},"model":${quoted(call.model)}` +
    `,"stream":${call.stream},"request":${quotedOrNull(call.requestId)}` +
    `,"quote":"${call.quoteNano}","price":${quoted(call.priceVersion)},"holds":${listJson(call.holds, holdJson)}}`
}

function listJson<T> (list: readonly T[], json: (one: T) => string): string {
  let text = ''
  for (const one of list) text += `${text === '' ? '[' : ','}${json(one)}`
  return text === '' ? '[]' : `${text}]`
}

function holdJson ({ accountId, quoteNano, rate, enforced }: AccountHold): string {
  return `[${accountId},"${quoteNano}",${quotedOrNull(rate)},${enforced}]`
}

export function endJson (end: CallEnd): string {
  return `{"t":"end","id":${quoted(end.id)},"at":${end.endedAt},"outcome":"${end.outcome}","status":${end.status}` +
    `,"certainty":"${end.certainty}","model":${quotedOrNull(end.modelUsed)}` +
    `,"usage":${end.usage === null ? 'null' : usageJson(end.usage)}` +
    `,"cost":"${end.costNano}","charges":${listJson(end.charges, chargeJson)}` +
    `,"request":${quotedOrNull(end.providerRequestId)}}`
}

/** what is absent is not written, so what an older version wrote reads the same */
function usageJson (usage: Usage): string {
  const { reportedNano } = usage
  return JSON.stringify(reportedNano === undefined ? usage : { ...usage, reportedNano: String(reportedNano) })
}

function chargeJson ({ accountId, amountNano, coveredNano }: Charge): string {
  return `[${accountId},"${amountNano}","${coveredNano}"]`
}

function lineOf (fields: Fields): Line {
  const t = fields.text('t')
  switch (t) {
    case 'open': return { t, call: openingOf(fields) }
    case 'end': return { t, end: endOf(fields) }
    case 'void': return { t, id: fields.text('id') }
    case 'header': return headerOf(fields)
    case 'synced':
      return { t, at: fields.count('at'), segment: fields.count('segment'), offset: fields.count('offset') }
    case 'closed': return { t, at: fields.count('at'), ...fields.has('unposted') ? { unposted: fields.count('unposted') } : {} }
    case 'probe': return { t, at: fields.count('at') }
    default: throw new ShapeError('t')
  }
}

export function openingOf (fields: Fields): CallOpening {
  return {
    id: fields.text('id'),
    openedAt: fields.count('at'),
    organizationId: fields.text('org'),
    teamId: fields.textOrNull('team'),
    projectId: fields.textOrNull('project'),
    userId: fields.textOrNull('user'),
    keyId: fields.text('key'),
    sessionId: fields.textOrNull('session'),
    ...fields.has('endUser') ? { endUserId: fields.text('endUser') } : {},
    tags: fields.tags('tags'),
    provider: fields.text('provider'),
    endpoint: fields.text('endpoint'),
    model: fields.text('model'),
    stream: fields.flag('stream'),
    requestId: fields.textOrNull('request'),
    quoteNano: fields.nano('quote'),
    priceVersion: fields.text('price'),
    holds: fields.list('holds').map(holdOf),
  }
}

export function endOf (fields: Fields): CallEnd {
  return {
    id: fields.text('id'),
    endedAt: fields.count('at'),
    outcome: fields.oneOf('outcome', ['completed', 'client_gone', 'upstream_error', 'upstream_broken', 'budget_cut', 'crashed']),
    status: fields.countOrNull('status'),
    certainty: fields.oneOf('certainty', ['exact', 'estimated', 'uncertain']),
    modelUsed: fields.textOrNull('model'),
    usage: fields.isNull('usage') ? null : usageOf(fields.inner('usage')),
    costNano: fields.nano('cost'),
    charges: fields.list('charges').map(chargeOf),
    providerRequestId: fields.textOrNull('request'),
  }
}

function headerOf (fields: Fields): Line {
  const header: JournalHeader = {
    journalId: fields.text('journalId'),
    incarnation: fields.count('incarnation'),
    bootId: fields.text('bootId'),
    host: fields.text('host'),
    pid: fields.count('pid'),
    startedAt: fields.count('startedAt'),
  }
  if (fields.count('format') > FORMAT) throw new FormatError(header)
  return { t: 'header', header, segment: fields.count('segment') }
}

function holdOf (fields: Fields): AccountHold {
  return {
    accountId: fields.count(0),
    quoteNano: fields.nano(1),
    rate: fields.textOrNull(2),
    enforced: fields.flag(3),
  }
}

function chargeOf (fields: Fields): Charge {
  return { accountId: fields.count(0), amountNano: fields.nano(1), coveredNano: fields.nano(2) }
}

function usageOf (fields: Fields): Usage {
  return {
    inputTokens: fields.count('inputTokens'),
    cacheReadTokens: fields.count('cacheReadTokens'),
    cacheWrite5mTokens: fields.count('cacheWrite5mTokens'),
    cacheWrite1hTokens: fields.count('cacheWrite1hTokens'),
    outputTokens: fields.count('outputTokens'),
    reasoningTokens: fields.count('reasoningTokens'),
    webSearches: fields.count('webSearches'),
    tier: fields.textOrNull('tier'),
    ...fields.has('units') ? { units: fields.counts('units') } : {},
    ...fields.has('reportedNano') ? { reportedNano: fields.nano('reportedNano') } : {},
  }
}

/** a field is missing or is not what it should be */
export class ShapeError extends Error {}

/** A newer program wrote this file. Nothing of it may be guessed, so the start ends with this error. */
export class FormatError extends Error {
  readonly code = 'journal_format'

  constructor (header: JournalHeader) {
    super(`The journal of incarnation ${header.incarnation} was written by a newer version. Start that version, ` +
      'or let it post its calls first.')
  }
}

/** Reads an object or array of unknown shape field by field; throws where a field is not what it should be. */
export class Fields {
  readonly #of: Record<string | number, unknown>

  constructor (value: unknown) {
    if (typeof value !== 'object' || value === null) throw new ShapeError('not an object')
    this.#of = value as Record<string | number, unknown>
  }

  isNull (key: string | number): boolean { return this.#of[key] === null }

  has (key: string): boolean { return this.#of[key] !== undefined }

  text (key: string | number): string {
    const value = this.#of[key]
    if (typeof value !== 'string') throw new ShapeError(String(key))
    return value
  }

  textOrNull (key: string | number): string | null { return this.isNull(key) ? null : this.text(key) }

  /** a whole number, exact in a double */
  count (key: string | number): number {
    const value = this.#of[key]
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new ShapeError(String(key))
    return value
  }

  countOrNull (key: string | number): number | null { return this.isNull(key) ? null : this.count(key) }

  flag (key: string | number): boolean {
    const value = this.#of[key]
    if (typeof value !== 'boolean') throw new ShapeError(String(key))
    return value
  }

  nano (key: string | number): bigint {
    const value = this.text(key)
    if (!/^-?\d{1,30}$/.test(value)) throw new ShapeError(String(key))
    return BigInt(value)
  }

  oneOf<T extends string> (key: string | number, words: readonly T[]): T {
    const value = this.text(key)
    const word = words.find((one) => one === value)
    if (word === undefined) throw new ShapeError(String(key))
    return word
  }

  list (key: string | number): Fields[] {
    const value = this.#of[key]
    if (!Array.isArray(value)) throw new ShapeError(String(key))
    return value.map((one) => new Fields(one))
  }

  inner (key: string | number): Fields { return new Fields(this.#of[key]) }

  /** counts by name */
  counts (key: string): Record<string, number> {
    const value = this.inner(key)
    return Object.fromEntries(Object.keys(this.#of[key] as object).map((name) => [name, value.count(name)]))
  }

  tags (key: string | number): Record<string, string> | null {
    const value = this.#of[key]
    if (value === null) return null
    if (typeof value !== 'object' || Array.isArray(value)) throw new ShapeError(String(key))
    for (const one of Object.values(value as object)) if (typeof one !== 'string') throw new ShapeError(String(key))
    return value as Record<string, string>
  }
}
