import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { answerChat, type ChatAnswer } from './chat.ts'
import { answerMessages, countTokens } from './messages.ts'
import { field } from './reply.ts'

/**
 * The built-in provider of the models `demo-*`: a server on loopback that speaks both dialects, so that the whole way
 * of a call works without a network and without an account. It keeps nothing and needs no credential.
 */
export interface DemoProvider {
  url: string
  close: () => Promise<void>
}

export interface DemoOptions {
  /** between two words of a stream */
  gapMs?: number
  /** ms since the epoch, for `created` */
  now?: () => number
}

type DialectName = 'openai' | 'anthropic'

const DEFAULT_GAP_MS = 15
/** more than the gateway lets through by default */
const MAX_BODY_BYTES = 64 * 1024 * 1024

export async function startDemoProvider (options: DemoOptions = {}): Promise<DemoProvider> {
  const gapMs = options.gapMs ?? DEFAULT_GAP_MS
  const now = options.now ?? Date.now
  let served = 0
  const server = createServer((request, response) => {
    answer(request, response, served++, gapMs, now()).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)))
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function answer (
  request: IncomingMessage, response: ServerResponse, serial: number, gapMs: number, now: number
): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? ''
  const dialect = path.startsWith('/v1/messages') ? 'anthropic' : 'openai'
  const bytes = await readBody(request)
  if (bytes === null) return
  const body = parse(bytes)
  const wrong = whatIsWrong(request.method ?? '', path, body)
  if (wrong !== null) {
    sendJson(response, wrong.status, errorOf(dialect, wrong.status, wrong.message))
    return
  }
  if (path === '/v1/messages/count_tokens') {
    sendJson(response, 200, countTokens(body))
    return
  }
  const id = `${dialect === 'openai' ? 'chatcmpl' : 'msg'}_demo${now.toString(36)}${serial.toString(36)}`
  response.setHeader(dialect === 'openai' ? 'x-request-id' : 'request-id', `req_${id}`)
  const made = dialect === 'openai' ? answerChat(body, id, Math.floor(now / 1000)) : answerMessages(body, id)
  if (field(body, 'stream') === true) await stream(response, made, gapMs)
  else sendJson(response, 200, made.json())
}

async function stream (response: ServerResponse, made: ChatAnswer, gapMs: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  response.flushHeaders()
  for (const event of made.events()) {
    if (response.destroyed) return
    response.write(event)
    if (gapMs > 0) await wait(gapMs)
  }
  response.end()
}

const PATHS = new Set(['/v1/chat/completions', '/v1/messages', '/v1/messages/count_tokens'])

function whatIsWrong (method: string, path: string, body: unknown): { status: number, message: string } | null {
  if (!PATHS.has(path)) return { status: 404, message: `The demo provider has no ${path}.` }
  if (method !== 'POST') return { status: 405, message: `${path} takes POST.` }
  const model = field(body, 'model')
  if (typeof model !== 'string') return { status: 400, message: 'The body must be a JSON object with a model.' }
  if (!model.startsWith('demo-')) return { status: 404, message: `The demo provider has no model '${model}'.` }
  return null
}

function errorOf (dialect: DialectName, status: number, message: string): object {
  const type = status === 404 ? 'not_found_error' : 'invalid_request_error'
  if (dialect === 'anthropic') return { type: 'error', error: { type, message } }
  return { error: { message, type: 'invalid_request_error', param: null, code: null } }
}

function sendJson (response: ServerResponse, status: number, value: object): void {
  const text = JSON.stringify(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** null: the other side left while it sent, or sent too much */
async function readBody (request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BODY_BYTES) return null
      chunks.push(chunk)
    }
  } catch (error) {
    if (request.destroyed) return null
    throw error
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
