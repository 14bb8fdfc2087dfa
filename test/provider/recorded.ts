import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo } from 'node:net'

/** A request as it arrived, and an answer as it was recorded or built by hand. */
export interface Arrived { method: string, path: string, headers: IncomingHttpHeaders, body: Buffer }
export interface Recorded { status?: number, headers?: Record<string, string>, body: string | Buffer }

export interface RecordedProvider {
  url: string
  arrived: Arrived[]
  answer: Recorded
}

/** A server that answers every request with what it is set to answer, and keeps what came. */
export async function recorded (
  t: { teardown: (close: () => void) => void }, answer: Recorded
): Promise<RecordedProvider> {
  const provider: RecordedProvider = { url: '', arrived: [], answer }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    request.once('end', () => {
      const { method = '', url = '', headers } = request
      provider.arrived.push({ method, path: url, headers, body: Buffer.concat(chunks) })
      const { status = 200, headers: own = { 'content-type': 'application/json' }, body } = provider.answer
      response.writeHead(status, own).end(body)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return provider
}
