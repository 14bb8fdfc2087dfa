import { once } from 'node:events'
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'

/** What a client got. `whole`: the answer came to its proper end; `error`: how the connection broke otherwise. */
export interface Got {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  whole: boolean
  error: string | null
}

export interface Ask {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

/** One request on a connection of its own, its body sent as one piece with content-length. */
export async function ask (url: string, { method = 'POST', headers = {}, body }: Ask = {}): Promise<Got> {
  const sent = open(url, { method, headers, ...(body === undefined ? {} : { body }) })
  const [response] = await once(sent, 'response') as [IncomingMessage]
  return await collect(response)
}

/** The request of `ask`, for a client that does something in between. */
export function open (url: string, { method = 'POST', headers = {}, body }: Ask): ClientRequest {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const sent = request(url, { method, agent: false, headers: { ...length, ...headers } })
  // a connection that breaks is told by the response, or by whoever waits for one
  sent.on('error', () => {})
  sent.end(body)
  return sent
}

export async function collect (response: IncomingMessage): Promise<Got> {
  const chunks: Buffer[] = []
  let error: string | null = null
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer)
  } catch (thrown) {
    error = String((thrown as NodeJS.ErrnoException).code ?? thrown)
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks),
    whole: response.complete && error === null,
    error,
  }
}

export function json (got: Got): Record<string, unknown> {
  return JSON.parse(got.body.toString('utf8')) as Record<string, unknown>
}

/** Writes bytes as they are and collects what comes back until the other side closes. */
export async function rawly (port: number, text: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(text)
  return await untilClosed(socket)
}

export async function untilClosed (socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  socket.on('error', () => {})
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}

/** Waits for the first bytes that make `text` match. */
export async function untilMatch (socket: Socket, pattern: RegExp): Promise<string> {
  let text = ''
  while (!pattern.test(text)) {
    const [chunk] = await once(socket, 'data') as [Buffer]
    text += chunk.toString('latin1')
  }
  return text
}
