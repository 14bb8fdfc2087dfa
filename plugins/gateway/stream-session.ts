import { topLevelValues } from '../../src/providers/json-scan.ts'
import { type StreamCalls } from '../../src/providers/provider.ts'
import { type SessionOptions, type SocketCall, SocketSession } from './socket-session.ts'

const TOLD = ['type', 'status']

/** Calls one after the other: each message is one, and is answered by the events of a stream, one in each message. */
export class StreamSession extends SocketSession {
  readonly #calls: StreamCalls
  #call: SocketCall | null = null

  constructor (options: SessionOptions, calls: StreamCalls) {
    super(options)
    this.#calls = calls
  }

  protected get busy (): boolean { return this.#call !== null }

  protected unused (): SocketCall[] { return [] }

  protected async take (body: Record<string, unknown>, bytes: Buffer): Promise<void> {
    const { creates, refused } = this.#calls
    if (body['type'] !== creates) {
      const message = `Messages through this gateway must be of the type ${creates}.`
      this.refuse({ code: 'feature_not_metered', message, field: 'type', retryable: false })
      return
    }
    const field = refused.find((name) => body[name] !== undefined && body[name] !== null && body[name] !== false)
    if (field !== undefined) {
      const message = `${field} is not available over a WebSocket through this gateway.`
      this.refuse({ code: 'feature_not_metered', message, field, retryable: false })
      return
    }
    // it is a stream, whatever the message says
    const held = await this.hold({ ...body, stream: true }, bytes)
    if (held === null) return
    this.#call = held
    this.o.upstream.send(held.call.body, { binary: false })
  }

  protected heard (bytes: Buffer): void {
    const held = this.#call
    if (held === null) return
    this.meter(held, bytes)
    const { type, status } = topLevelValues(bytes, TOLD) ?? {}
    const fails = type === 'error'
    if (!fails && !this.#calls.ends.has(String(type))) return
    this.#call = null
    this.end(held, fails && typeof status === 'number' ? status : 200)
  }
}
