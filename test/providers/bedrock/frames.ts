import { EventStreamCodec } from '@smithy/core/event-streams'

const codec = new EventStreamCodec((bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'), (text) => Buffer.from(text, 'utf8'))

/** One message as AWS writes it. */
export function frame (event: string, payload: object, type = 'event'): Buffer {
  const named = type === 'event' ? ':event-type' : ':exception-type'
  return Buffer.from(codec.encode({
    headers: {
      ':message-type': { type: 'string', value: type },
      [named]: { type: 'string', value: event },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: Buffer.from(JSON.stringify(payload)),
  }))
}

/** An event of a model's own, as InvokeModelWithResponseStream wraps it. */
export function chunk (event: object): Buffer {
  return frame('chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abc' })
}
