import { EventEmitter, once } from 'node:events'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type Test } from 'tap'
import gateway, { type GatewayOptions, newExchanges } from '../../../plugins/gateway/gateway.ts'
import { type Exchanges } from '../../../plugins/gateway/exchanges.ts'
import { type Identity } from '../../../src/budget/budget.ts'
import { type Refusal } from '../../../src/errors.ts'
import { type CallEnding, type CallGate, type CallIntake, type OpenCall } from '../../../src/gateway/call.ts'
import { providers } from '../../../src/providers/index.ts'
import { type AnswerHead, AS_ASKED, type CallRequest, isRefusal } from '../../../src/providers/provider.ts'
import { type Meter, type Reading } from '../../../src/usage/meter.ts'
import { type ProviderOptions, startProvider, type TestProvider } from '../../provider/provider.ts'

export const KEY = 'rc-good-key'
/** known, but only after a turn of the event loop */
export const COLD_KEY = 'rc-cold-key'
export const PROVIDER_KEY = 'sk-the-providers-own'

type Ended = { how: 'released' } | { how: 'settled', ending: CallEnding }

/** One call as the gate saw it; `ended` has every release and settle, so that one too many is seen. */
export class FakeCall implements OpenCall {
  readonly id: string
  readonly request: CallRequest
  readonly upstream: string
  readonly body: Buffer
  readonly changedModel = null
  readonly headers: Record<string, string>
  readonly ended: Ended[] = []
  readonly #gate: FakeGate
  readonly #intake: CallIntake

  constructor (gate: FakeGate, intake: CallIntake, request: CallRequest, upstream: string) {
    this.#gate = gate
    this.#intake = intake
    this.id = `call-${gate.calls.length}`
    this.request = request
    this.upstream = upstream
    this.body = intake.endpoint.forwardBody(request, intake.body, intake.bytes, AS_ASKED)
    this.headers = { 'x-relaycore-call-id': this.id, 'x-relaycore-budget-remaining': '12.5' }
  }

  meter (answer: AnswerHead): Meter {
    return this.#gate.makeMeter?.(answer) ?? this.#intake.endpoint.meter(this.request, answer)
  }

  cover (reading: Reading): Refusal | null | Promise<Refusal | null> { return this.#gate.cover(reading) }

  release (): void { this.#end({ how: 'released' }) }

  settle (ending: CallEnding): void { this.#end({ how: 'settled', ending }) }

  #end (ended: Ended): void {
    this.ended.push(ended)
    this.#gate.events.emit('ended', this)
    if (this.#gate.settleThrows) throw new Error('settling is broken')
  }
}

/** A gate that lets everything through that has the key, and remembers. */
export class FakeGate implements CallGate {
  readonly calls: FakeCall[] = []
  readonly intakes: CallIntake[] = []
  readonly refusals: { refusal: Refusal, provider: string | null }[] = []
  readonly events = new EventEmitter<{ ended: [FakeCall], opening: [CallIntake] }>()
  /** awaited before a call opens */
  hold: Promise<void> | null = null
  answer: Refusal | null = null
  settleThrows = false
  /** false: opens calls also for clients that have left */
  asksGone = true
  openThrows = false
  /** what is said of an answer that goes on */
  cover: (reading: Reading) => Refusal | null | Promise<Refusal | null> = () => null
  /** instead of the endpoint's own */
  makeMeter: ((answer: AnswerHead) => Meter) | null = null

  constructor () {
    this.events.setMaxListeners(0)
  }

  identify (key: string | undefined, _headers: IncomingHttpHeaders): Identity | Refusal | Promise<Identity | Refusal> {
    if (key === KEY) return IDENTITY
    if (key === COLD_KEY) return Promise.resolve(IDENTITY)
    if (key === undefined) return { code: 'key_missing', message: 'No gateway key was sent.', retryable: false }
    if (key === 'rc-crash') throw new Error('the key store is broken')
    return { code: 'key_invalid', message: 'The gateway key is not known.', retryable: false }
  }

  async open (intake: CallIntake, gone: () => boolean): Promise<OpenCall | Refusal> {
    this.intakes.push(intake)
    this.events.emit('opening', intake)
    if (this.openThrows) throw new Error('opening is broken')
    if (this.hold !== null) await this.hold
    if (this.asksGone && gone()) return { code: 'internal_error', message: 'the client left', retryable: false }
    if (this.answer !== null) return this.answer
    const request = intake.endpoint.read(intake.body, intake.bytes, intake.target)
    if (isRefusal(request)) return request
    const upstream = request.model.startsWith('demo-') ? 'demo' : intake.provider.name
    const call = new FakeCall(this, intake, request, upstream)
    this.calls.push(call)
    return call
  }

  models (provider: string): string[] {
    return provider === 'openai' ? ['gpt-test', 'gpt/with slash'] : ['claude-test']
  }

  refused (refusal: Refusal, provider: string | null): void {
    this.refusals.push({ refusal, provider })
  }

  /** waits until `count` calls have ended; answers the last one's end */
  async ended (count = 1): Promise<Ended> {
    while (this.calls.filter((call) => call.ended.length > 0).length < count) await once(this.events, 'ended')
    const last = this.calls.filter((call) => call.ended.length > 0).at(-1)?.ended[0]
    if (last === undefined) throw new Error('no call has ended')
    return last
  }
}

const IDENTITY: Identity = {
  organizationId: 'org', teamId: null, projectId: null, userId: null, keyId: 'key', sessionId: null, tags: null,
}

export interface Bench {
  app: FastifyInstance
  url: string
  port: number
  gate: FakeGate
  provider: TestProvider
  exchanges: Exchanges
}

export type BenchOptions = Partial<Omit<GatewayOptions, 'gate'>> & {
  gate?: FakeGate
  provider?: ProviderOptions
  server?: FastifyServerOptions
  /** below which the plugin is mounted in its app */
  mount?: string
}

/** A gateway over a fake gate, in front of a test provider that serves both dialects, listening on loopback. */
export async function aGateway (t: Test, options: BenchOptions = {}): Promise<Bench> {
  const { provider: providerOptions, server, mount, ...given } = options
  const provider = await startProvider(providerOptions)
  const gate = options.gate ?? new FakeGate()
  const exchanges = newExchanges(given)
  const app = Fastify({ forceCloseConnections: true, return503OnClosing: false, ...server } as FastifyServerOptions)
  await app.register(gateway, {
    exchanges,
    providers,
    upstreams: {
      openai: { url: provider.url, apiKey: PROVIDER_KEY, settingName: 'RELAYCORE_OPENAI_API_KEY' },
      anthropic: { url: `${provider.url}/v1`, apiKey: PROVIDER_KEY, settingName: 'RELAYCORE_ANTHROPIC_API_KEY' },
    },
    closeTimeoutMs: 50,
    ...given,
    gate,
    ...(mount === undefined ? {} : { prefix: mount }),
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(async () => {
    await app.close()
    await provider.close()
  })
  const { port } = app.server.address() as AddressInfo
  return { app, url: `http://127.0.0.1:${port}`, port, gate, provider, exchanges }
}

/** A chat request's JSON, with what is given over it. */
export function chat (over: object = {}): string {
  return JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: 'hello' }], ...over })
}

export const AUTH = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
