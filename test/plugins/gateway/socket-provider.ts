import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type Duplex } from 'node:stream'
import { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { KEY } from './fakes.ts'

export type Said = object | 'close'

/** a provider over WebSockets: what it hears, and what it says to each message */
export async function aSocketProvider (t: Test, answers: Said[] = []) {
  const provider = {
    url: '',
    heard: [] as string[],
    headers: [] as IncomingHttpHeaders[],
    asked: new EventEmitter(),
    sockets: [] as WebSocket[],
    says: ((_message: string): Said[] => answers) as (message: string) => Said[],
    takes: true,
    /** awaited before a connection is taken */
    hold: Promise.resolve(),
    /** said with the very bytes that open the connection */
    greeting: null as object | null,
  }
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    provider.headers.push(request.headers)
    provider.asked.emit('asked')
    await provider.hold
    if (!provider.takes) {
      const body = '{"error":{"message":"no such project"}}'
      socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\n' +
        `content-length: ${body.length}\r\n\r\n${body}`)
      return
    }
    socket.cork()
    sockets.handleUpgrade(request, socket, head, (ws) => {
      if (provider.greeting !== null) ws.send(JSON.stringify(provider.greeting))
      socket.uncork()
      provider.sockets.push(ws)
      ws.on('message', (data: Buffer) => {
        provider.heard.push(String(data))
        for (const one of provider.says(String(data))) one === 'close' ? ws.close(1011) : ws.send(JSON.stringify(one))
      })
    })
  }
  server.on('upgrade', (request, socket, head) => { void upgrade(request, socket, head) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const ws of provider.sockets) ws.terminate()
    server.close()
  })
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return provider
}

export interface Client {
  ws: WebSocket
  got: Record<string, unknown>[]
  until (type: string, count?: number): Promise<void>
}

/** a client without an SDK */
export async function aClient (t: Test, url: string, path = '/v1/responses', key = KEY): Promise<Client> {
  const ws = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers: { authorization: `Bearer ${key}` } })
  const got: Record<string, unknown>[] = []
  ws.on('message', (data: Buffer) => { got.push(JSON.parse(String(data)) as Record<string, unknown>) })
  t.teardown(() => { ws.terminate() })
  await once(ws, 'open')
  return {
    ws,
    got,
    until: async (type, count = 1) => {
      while (got.filter((message) => message['type'] === type).length < count) await once(ws, 'message')
    },
  }
}
