import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type Test } from 'tap'

/** What happens to one request on its way: it passes, its answer is lost, or another answer comes. */
export type Fate = 'pass' | 'lose the answer' | 'keep waiting' | { status: number, headers?: Record<string, string> }

export interface FlakyWay {
  url: string
  /** of the requests to come, in order; after the last one all pass */
  fates: Fate[]
  /** what was asked, as `METHOD idempotency-key` */
  asked: string[]
  /** `arrived` with each request */
  events: EventEmitter
}

/** a way to a gateway on which things go wrong */
export async function aFlakyWay (t: Test, to: string): Promise<FlakyWay> {
  const way: FlakyWay = { url: '', fates: [], asked: [], events: new EventEmitter() }
  const server = createServer((request, response) => { void carry(way, to, request, response) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  way.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return way
}

const OF_CONNECTION = /^(connection|keep-alive|content-length|transfer-encoding|host)$/

async function carry (way: FlakyWay, to: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/', headers } = request
  way.asked.push(`${method} ${String(headers['idempotency-key'])}`)
  way.events.emit('arrived')
  const fate = way.fates.shift() ?? 'pass'
  if (fate === 'keep waiting') return
  if (typeof fate === 'object') {
    response.writeHead(fate.status, fate.headers).end()
    return
  }
  const kept = Object.entries(headers).filter(([name]) => !OF_CONNECTION.test(name)) as [string, string][]
  const body = Buffer.concat(await request.toArray() as Buffer[])
  const answer = await fetch(to + url, {
    method, headers: Object.fromEntries(kept), ...body.length === 0 ? {} : { body },
  })
  const bytes = Buffer.from(await answer.arrayBuffer())
  if (fate === 'lose the answer') {
    response.destroy()
    return
  }
  const told = [...answer.headers].filter(([name]) => !OF_CONNECTION.test(name))
  response.writeHead(answer.status, Object.fromEntries(told))
  response.end(bytes)
}
