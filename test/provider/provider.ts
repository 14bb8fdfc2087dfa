import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { answerFast } from './fast.ts'
import {
  type Answer, chatEvents, chatJson, type DialectName, errorJson, messageEvents, messageJson, type ReportedUsage,
} from './wire.ts'

/**
 * A provider for tests that keeps its own books: what it was asked, when, and what it reported to have consumed.
 * It speaks both dialects for any model name and misbehaves as it is told, per request: by the header
 * `x-test-behaviour` or the body's `metadata.behaviour` (JSON of a Behaviour), or by a `behave` function.
 */
export interface Behaviour {
  /** before the first header */
  delayMs?: number
  /** the first header waits for it, e.g. for the test to go on */
  until?: Promise<unknown>
  /** waits until `/__open/NAME` is asked for: a stream behind its first event, another answer before its head */
  gate?: string
  /** pieces of text in the answer, each an event of a stream */
  pieces?: number
  /** of each piece at least */
  pieceBytes?: number
  /** between the events of a stream */
  gapMs?: number
  /** an error answer of this status */
  status?: number
  /** added to the answer's headers */
  headers?: Record<string, string>
  fault?: Fault
  /** with the fault `cut` or `hang`: after how many events, or bytes of an answer that is no stream */
  after?: number
  omitUsage?: boolean
  /** compresses although nobody asked for it */
  gzip?: boolean
  /** what the call consumes, in full or in part; may be more than was asked for */
  usage?: Partial<ReportedUsage>
  /** the answer's body as is, instead of one made up */
  body?: string
  contentType?: string
}

export type Fault =
  | 'garbage'    // 200 with something that is no JSON
  | 'cut'        // the connection breaks in the middle of the answer
  | 'hang'       // the answer begins and never goes on
  | 'never'      // no answer at all
  | 'close'      // the connection ends before an answer
  | 'reset'      // the same, by a reset

/** One request as the provider saw it. Times are ms since the epoch with fractions, comparable over processes. */
export interface Entry {
  id: string
  /** the client's x-request-id */
  requestId: string | null
  method: string
  path: string
  headers: IncomingHttpHeaders
  dialect: DialectName
  model: string | null
  stream: boolean
  arrivedAt: number
  finishedAt: number | null
  status: number | null
  /** finished: all of the answer was handed over; aborted: the other side left; broken: by our own fault */
  outcome: 'open' | 'finished' | 'aborted' | 'broken'
  /** what it consumed; null where nothing was consumed */
  usage: ReportedUsage | null
  /** whether the usage was in what was sent */
  reported: boolean
  /** the request's bytes, base64; null where bodies are not kept */
  body: string | null
}

export interface ProviderOptions {
  port?: number
  /** decides per request; what it leaves out is taken from header or metadata */
  behave?: (entry: Entry, body: unknown) => Behaviour | undefined
  keepBodies?: boolean
  /** answers from memory without reading the request or keeping books: for benches */
  fast?: boolean
}

export interface TestProvider {
  url: string
  port: number
  books: Entry[]
  /** 'arrived' and 'finished', with the entry */
  events: EventEmitter<{ arrived: [Entry], finished: [Entry] }>
  /** set to change the behaviour of requests that come from now on */
  behave: ProviderOptions['behave']
  /** connections accepted so far */
  connections: () => number
  close: () => Promise<void>
}

export async function startProvider (options: ProviderOptions = {}): Promise<TestProvider> {
  const books: Entry[] = []
  const events: TestProvider['events'] = new EventEmitter()
  events.setMaxListeners(0)
  let connections = 0
  const gates = new Map<string, Gate>()
  const gateOf = (name: string): Gate => {
    const gate = gates.get(name) ?? newGate()
    gates.set(name, gate)
    return gate
  }
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/__open/') === true) {
      gateOf(request.url.slice('/__open/'.length)).open()
      sendJson(response, 200, {})
    } else if (request.url?.startsWith('/__books') === true) {
      if (request.method === 'DELETE') books.length = 0
      sendJson(response, 200, books)
    } else if (options.fast === true) {
      answerFast(request, response)
    } else {
      serve(request, response).catch((error: unknown) => { response.destroy(error as Error) })
    }
  })
  server.on('connection', () => { connections++ })
  server.keepAliveTimeout = 60_000
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const provider: TestProvider = {
    url: `http://127.0.0.1:${port}`,
    port,
    books,
    events,
    behave: options.behave,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return provider

  async function serve (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = newEntry(request, books.length)
    books.push(entry)
    const end = (outcome: Entry['outcome']): void => {
      if (entry.outcome !== 'open') return
      entry.outcome = outcome
      entry.finishedAt = now()
      events.emit('finished', entry)
    }
    response.once('close', () => { end(response.writableFinished ? 'finished' : 'aborted') })
    const bytes = await readAll(request)
    if (bytes === null) return
    const body = parse(bytes)
    describe(entry, body)
    if (options.keepBodies !== false) entry.body = bytes.toString('base64')
    const behaviour = { ...toldBehaviour(request, body), ...provider.behave?.(entry, body) }
    const opened = behaviour.gate === undefined ? undefined : gateOf(behaviour.gate).opened
    events.emit('arrived', entry)
    if (!entry.stream) await opened
    await answer(entry, body, bytes.length, behaviour, response, () => { end('broken') }, opened)
  }
}

interface Gate { opened: Promise<void>, open: () => void }

function newGate (): Gate {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => { open = resolve })
  return { opened, open }
}

/** A behaviour as a request carries it: spread into its headers. */
export function behaviourHeader (behaviour: Behaviour): Record<string, string> {
  return { 'x-test-behaviour': JSON.stringify(behaviour) }
}

async function answer (
  entry: Entry, body: unknown, bytes: number, behaviour: Behaviour, response: ServerResponse, broke: () => void,
  opened?: Promise<void>
): Promise<void> {
  const { fault } = behaviour
  if (behaviour.delayMs !== undefined) await wait(behaviour.delayMs)
  await behaviour.until
  if (response.destroyed || fault === 'never') return
  if (fault === 'close' || fault === 'reset') {
    broke()
    if (fault === 'reset') response.socket?.resetAndDestroy()
    else response.socket?.destroy()
    return
  }
  const status = behaviour.status ?? (entry.path.includes('/v1/') && isKnown(entry) ? 200 : 404)
  entry.status = status
  if (status >= 400) {
    setHeaders(entry, behaviour, response)
    sendJson(response, status, errorJson(entry.dialect, status, entry.id))
    return
  }
  await answerWell(entry, body, bytes, behaviour, response, broke, opened)
}

async function answerWell (
  entry: Entry, body: unknown, bytes: number, behaviour: Behaviour, response: ServerResponse, broke: () => void,
  opened?: Promise<void>
): Promise<void> {
  const parts = answerParts(entry, body, bytes, behaviour)
  const encoded = behaviour.gzip === true ? [gzipSync(parts.join(''))] : parts.map((part) => Buffer.from(part))
  setHeaders(entry, behaviour, response)
  if (behaviour.gzip === true) response.setHeader('content-encoding', 'gzip')
  const json = entry.stream ? 'text/event-stream; charset=utf-8' : 'application/json'
  response.setHeader('content-type', behaviour.contentType ?? json)
  const length = encoded.reduce((sum, part) => sum + part.length, 0)
  if (!entry.stream) response.setHeader('content-length', length)
  response.writeHead(entry.status ?? 200)
  if (entry.stream) response.flushHeaders()
  const breaks = behaviour.fault === 'cut' || behaviour.fault === 'hang'
  const after = breaks ? behaviour.after ?? 1 : Infinity
  const pieces = breaks && !entry.stream ? bytewise(encoded, after) : encoded.slice(0, after)
  for (const piece of pieces) {
    if (response.destroyed) return
    if (!response.write(piece)) await drained(response)
    await opened
    if (behaviour.gapMs !== undefined) await wait(behaviour.gapMs)
  }
  if (behaviour.fault === 'hang') return
  if (behaviour.fault === 'cut') {
    broke()
    // what was written is sent first: the other side gets that much and no more
    response.socket?.destroySoon()
    return
  }
  response.end()
}

/** until more may be written, or nobody is there any more */
async function drained (response: ServerResponse): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
  over.abort()
}

function answerParts (entry: Entry, body: unknown, bytes: number, behaviour: Behaviour): string[] {
  if (behaviour.fault === 'garbage') return ['<html>the provider is confused</html>']
  if (behaviour.body !== undefined) return [behaviour.body]
  const usage = consumption(body, bytes, behaviour)
  if (/\/count_tokens(\?|$)/.test(entry.path)) return [JSON.stringify({ input_tokens: usage.input })]
  entry.usage = usage
  const includeUsage = entry.stream && field(field(body, 'stream_options'), 'include_usage') === true
  const made: Answer = {
    id: entry.id,
    model: entry.model ?? 'unknown',
    usage,
    usageShown: behaviour.omitUsage !== true,
    pieces: Array.from({ length: behaviour.pieces ?? 3 }, (_, i) => ` word${i}`.padEnd(behaviour.pieceBytes ?? 0)),
    n: number(field(body, 'n')) ?? 1,
  }
  entry.reported = made.usageShown && (entry.dialect === 'anthropic' || !entry.stream || includeUsage)
  if (entry.dialect === 'openai') {
    return entry.stream ? chatEvents(made, includeUsage) : [JSON.stringify(chatJson(made))]
  }
  return entry.stream ? messageEvents(made) : [JSON.stringify(messageJson(made))]
}

/** Never more than was asked for, unless told so; different from request to request, the same for the same one. */
function consumption (body: unknown, bytes: number, behaviour: Behaviour): ReportedUsage {
  const limit = number(field(body, 'max_completion_tokens')) ?? number(field(body, 'max_tokens')) ?? 64
  const n = number(field(body, 'n')) ?? 1
  const spread = (bytes * 2_654_435_761 % 1000) / 1000
  const output = Math.max(1, Math.floor(limit * n * spread))
  const usage = { input: Math.max(1, Math.floor(bytes / 4)), output, cacheRead: 0, cacheWrite: 0, reasoning: 0 }
  return { ...usage, ...behaviour.usage }
}

function newEntry (request: IncomingMessage, index: number): Entry {
  const path = request.url ?? ''
  const requestId = request.headers['x-request-id']
  const dialect = path.includes('/messages') ? 'anthropic' : 'openai'
  return {
    id: dialect === 'openai' ? `chatcmpl-test${index}` : `msg_test${index}`,
    requestId: typeof requestId === 'string' ? requestId : null,
    method: request.method ?? '',
    path,
    headers: request.headers,
    dialect,
    model: null,
    stream: false,
    arrivedAt: now(),
    finishedAt: null,
    status: null,
    outcome: 'open',
    usage: null,
    reported: false,
    body: null,
  }
}

function describe (entry: Entry, body: unknown): void {
  const model = field(body, 'model')
  entry.model = typeof model === 'string' ? model : null
  entry.stream = field(body, 'stream') === true
}

function isKnown (entry: Entry): boolean {
  return entry.method === 'POST' && /\/v1\/(chat\/completions|messages|messages\/count_tokens)(\?|$)/.test(entry.path)
}

function toldBehaviour (request: IncomingMessage, body: unknown): Behaviour {
  const told = request.headers['x-test-behaviour'] ?? field(field(body, 'metadata'), 'behaviour')
  return typeof told === 'string' ? JSON.parse(told) as Behaviour : {}
}

function setHeaders (entry: Entry, behaviour: Behaviour, response: ServerResponse): void {
  response.setHeader(entry.dialect === 'openai' ? 'x-request-id' : 'request-id', `req_${entry.id}`)
  for (const [name, value] of Object.entries(behaviour.headers ?? {})) response.setHeader(name, value)
}

function sendJson (response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

function bytewise (parts: Buffer[], count: number): Buffer[] {
  return [Buffer.concat(parts).subarray(0, count)]
}

async function readAll (request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    // the other side left while it sent: 'close' has told the books
    return null
  }
  return Buffer.concat(chunks)
}

function parse (bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
}

function field (value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function number (value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function now (): number {
  return performance.timeOrigin + performance.now()
}
