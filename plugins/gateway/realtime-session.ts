import { isRefusal, type Talk } from '../../src/providers/provider.ts'
import { withMembers } from '../../src/providers/changed-body.ts'
import { type SessionOptions, type SocketCall, SocketSession } from './socket-session.ts'

const ASK_AGAIN_MS = 1_000

/**
 * A conversation in which the provider also answers by itself, whenever it has heard enough. So while it may, one
 * answer more than those under way is held for before it hears anything: the spare one.
 */
export class RealtimeSession extends SocketSession {
  readonly #talk: Talk
  #spare: SocketCall | null = null
  /** asked for and not begun, by the id of the message that asked */
  readonly #asked = new Map<string, SocketCall>()
  /** under way, by the provider's id */
  readonly #begun = new Map<string, SocketCall>()
  /** until then nothing is held for what the client says, which it has been told */
  #shortUntil = 0
  #nextId = 0

  constructor (options: SessionOptions, talk: Talk) {
    super(options)
    this.#talk = talk
  }

  protected get busy (): boolean { return false }

  protected unused (): SocketCall[] { return this.#spare === null ? [] : [this.#spare] }

  protected async take (body: Record<string, unknown>, bytes: Buffer): Promise<void> {
    const said = this.#talk.fromClient(body)
    if (isRefusal(said)) this.refuse(said)
    else if (said.makes === null) this.#send(bytes)
    else if (said.when === 'asked') await this.#ask(said.makes, body, bytes)
    else await this.#let(said.makes, bytes)
  }

  async #ask (makes: Record<string, unknown>, body: Record<string, unknown>, bytes: Buffer): Promise<void> {
    const held = await this.#holdFor(makes)
    if (held === null) return
    const { event_id: own } = body
    const id = typeof own === 'string' && own !== '' ? own : `relaycore_${this.#nextId++}`
    const clash = this.#asked.get(id)
    this.#asked.set(clash === undefined ? id : `relaycore_${this.#nextId++}`, held)
    this.#send(own === undefined ? withMembers(bytes, new Map([['event_id', JSON.stringify(id)]])) : bytes)
  }

  async #let (makes: Record<string, unknown>, bytes: Buffer): Promise<void> {
    if (this.#spare === null) {
      // sounds come many times a second: what nothing can be held for is not asked for with each of them
      if (performance.now() < this.#shortUntil) return
      this.#spare = await this.#holdFor(makes)
      if (this.#spare === null) {
        this.#shortUntil = performance.now() + ASK_AGAIN_MS
        return
      }
    }
    this.#send(bytes)
  }

  /** What it is read from says all that its quote is made of; nothing of it is sent. */
  async #holdFor (makes: Record<string, unknown>): Promise<SocketCall | null> {
    const held = await this.hold(makes, Buffer.from(JSON.stringify(makes)))
    if (held === null || held.call.changedModel === null) return held
    this.release(held)
    return this.refuse({
      code: 'model_restricted',
      message: 'The model of this conversation is restricted by a budget, and no other one can take its place within it.',
      retryable: false,
    })
  }

  #send (bytes: Buffer): void { if (!this.upstreamGone) this.o.upstream.send(bytes, { binary: false }) }

  protected heard (bytes: Buffer): void {
    const told = this.#talk.fromProvider(bytes)
    if (told === null) return
    switch (told.what) {
      case 'begins': this.#begin(told.id); break
      case 'ends': this.#ended(told.id, bytes); break
      case 'fails': {
        const held = this.#asked.get(told.id)
        this.#asked.delete(told.id)
        if (held !== undefined) this.end(held, 400)
      }
    }
  }

  #begin (id: string): void {
    const [first] = this.#asked
    if (first !== undefined) {
      this.#asked.delete(first[0])
      this.#begun.set(id, first[1])
    } else if (this.#spare !== null) {
      this.#begun.set(id, this.#spare)
      this.#spare = null
    } else {
      // against what the provider says of itself: what is not held for may not go on
      this.o.log.error({ id }, 'a provider began an answer that nothing had asked for; the conversation is ended')
      this.o.upstream.terminate()
    }
  }

  #ended (id: string, bytes: Buffer): void {
    const held = this.#begun.get(id)
    if (held === undefined) return
    this.#begun.delete(id)
    this.meter(held, bytes)
    this.end(held, 200)
  }
}
