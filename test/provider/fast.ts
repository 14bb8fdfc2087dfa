import { type IncomingMessage, type ServerResponse } from 'node:http'
import { type Answer, chatEvents, chatJson, messageEvents, messageJson } from './wire.ts'

/**
 * Precomputed answers, for benches: about 1 KB of JSON, or a stream of 50 pieces, one write each. The path says the
 * dialect and a `"stream":true` in the first bytes of the body says which of the two; nothing is parsed or kept.
 */
const PIECES = 50

const answer: Answer = {
  id: 'chatcmpl-fast',
  model: 'gpt-4o-mini',
  usage: { input: 100, output: PIECES, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
  usageShown: true,
  pieces: Array.from({ length: PIECES }, () => ' hello'),
  n: 1,
}
const long: Answer = { ...answer, pieces: ['x'.repeat(400)] }

const CHAT_JSON = Buffer.from(JSON.stringify(chatJson(long)))
const CHAT_EVENTS = chatEvents(answer, true).map((event) => Buffer.from(event))
const MESSAGE_JSON = Buffer.from(JSON.stringify(messageJson({ ...long, id: 'msg_fast' })))
const MESSAGE_EVENTS = messageEvents({ ...answer, id: 'msg_fast' }).map((event) => Buffer.from(event))

export function answerFast (request: IncomingMessage, response: ServerResponse): void {
  let stream = false
  request.on('data', (chunk: Buffer) => { stream ||= /"stream"\s*:\s*true/.test(chunk.toString('latin1')) })
  request.on('end', () => {
    const chat = request.url?.includes('/chat/') === true
    if (stream) sendEvents(chat ? CHAT_EVENTS : MESSAGE_EVENTS, response)
    else sendJson(chat ? CHAT_JSON : MESSAGE_JSON, response)
  })
}

function sendJson (body: Buffer, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}

function sendEvents (events: Buffer[], response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  let next = 0
  const step = (): void => {
    const event = events[next++]
    if (response.destroyed) return
    if (event === undefined) {
      response.end()
      return
    }
    response.write(event)
    setImmediate(step)
  }
  step()
}
