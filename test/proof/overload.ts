import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { makeSecret } from '../../src/keys/secret.ts'
import { agree, nothingLeft } from './books.ts'
import { type GatewayProcess, kill, ProofWorld } from './world.ts'

/**
 * More at once than a gateway takes, of everything: streams, connections that do nothing, bodies, strangers, clients
 * that hardly read, providers that hardly answer, requests that trickle. What is under way goes on, what is too much is
 * refused and succeeds later, memory keeps within a bound and is flat over rounds of it, and all that was answered is
 * charged exactly.
 */
export interface OverloadOptions {
  streams: number
  idle: number
  /** calls at once that the gateway takes, and by how many there are more than these */
  places: number
  beyond: number
  /** calls whose bodies are larger together than `most` */
  bodies: { calls: number, bytes: number, most: number }
  /** with keys that were never made */
  strangers: number
  /** calls that their provider leaves waiting */
  waiting: number
  /** that read 1 KiB a second of a long answer, for so many ms; null: none */
  readers: { clients: number, pieces: number, ms: number } | null
  /** connections whose heads trickle, and as many whose bodies do; 0: none, since that takes five minutes */
  trickling: number
  /** how often some of all this comes again */
  rounds: number
  /** calls that are timed beside each, and how many times what they take alone the middle one may take, and 100 ms */
  timed: { calls: number, times: number }
}

export interface OverloadResult {
  refused: number
  calls: number
  /** of all books, nano-USD */
  exact: bigint
}

type Say = (line: string) => void

/** MiB, its garbage collected: of the process, and of what it has in use */
interface Memory { rss: number, used: number }

const AGENT = { keepAlive: true, maxSockets: Infinity }
/** descriptors that a process needs beside its clients */
const SPARE = 500
const PIECE_BYTES = 16_384

export async function proveOverload (o: OverloadOptions, say: Say, databaseUrl?: string): Promise<OverloadResult> {
  const world = await ProofWorld.open({ redis: false, databaseUrl })
  const agent = new Agent(AGENT)
  try {
    const gateway = await world.startGateway(undefined, {
      TELL_MEMORY: '1', RELAYCORE_MAX_CALLS: String(o.places), RELAYCORE_MAX_BODY_BYTES: String(o.bodies.most),
    })
    await world.admin(gateway, 'POST', '/budgets', {
      name: 'acme', scopeType: 'organization', scopeId: 'acme', amount: '1000', currency: 'USD', period: 'monthly',
    })
    const { key } = await world.admin<{ key: string }>(gateway, 'POST', '/keys', { name: 'k', organizationId: 'acme' })
    const proof = new Overload(world, gateway, key, agent, o.timed, say)
    await proof.latency()
    proof.alone = await proof.latency()
    say(`alone: a new call takes ${proof.alone} ms; ${textOf(await proof.memory())}`)
    const bodies = o.trickling === 0 ? null : await proof.trickle(o.trickling, 'body')
    await proof.streams(o.streams)
    await proof.idle(o.idle)
    await proof.waiting(o.waiting)
    if (o.readers !== null) await proof.readers(o.readers)
    await proof.flood('calls', o.places - await proof.underWay(), o.beyond, 0)
    await proof.flood('bytes of bodies', Math.floor(o.bodies.most / o.bodies.bytes), o.bodies.calls, o.bodies.bytes)
    await proof.strangers(o.strangers)
    const heads = o.trickling === 0 ? null : await proof.trickle(o.trickling, 'head')
    await heads?.ended
    await proof.rounds(o.rounds, Math.ceil(o.streams / 5), Math.ceil(o.idle / 10))
    await bodies?.ended
    return await proof.books()
  } finally {
    agent.destroy()
    await world.close()
  }
}

class Overload {
  /** ms of a call with nothing beside it */
  alone = 0
  /** that were answered, and that were refused */
  #calls = 0
  #refused = 0
  readonly #world: ProofWorld
  readonly #gateway: GatewayProcess
  readonly #key: string
  readonly #agent: Agent
  readonly #timed: OverloadOptions['timed']
  readonly #say: Say

  constructor (
    world: ProofWorld, gateway: GatewayProcess, key: string, agent: Agent, timed: OverloadOptions['timed'], say: Say
  ) {
    this.#world = world
    this.#gateway = gateway
    this.#key = key
    this.#agent = agent
    this.#timed = timed
    this.#say = say
  }

  /** ms of a call that the provider answers at once, the middle one of some */
  async latency (): Promise<number> {
    const { calls, times } = this.#timed
    const took: number[] = []
    for (let n = 0; n < calls; n++) {
      const from = performance.now()
      const answer = await this.#call({ max_tokens: 10 })
      await all(answer)
      if (answer.statusCode !== 200) throw new Error(`a call is answered ${answer.statusCode}`)
      took.push(performance.now() - from)
    }
    const middle = round(took.sort((a, b) => a - b)[Math.floor(calls / 2)] as number)
    if (this.alone > 0 && middle > times * this.alone + 100) throw new Error(`a call takes ${middle} ms, alone ${this.alone} ms`)
    return middle
  }

  async memory (): Promise<Memory> {
    const { child, output } = this.#gateway
    const seen = output.length
    child.kill('SIGUSR2')
    for (;;) {
      const told = /\{"memory":.*\}\}/.exec(output.slice(seen).join(''))?.[0]
      if (told !== undefined) {
        const { rss, heapUsed, external } = (JSON.parse(told) as { memory: NodeJS.MemoryUsage }).memory
        return { rss: rss / 2 ** 20, used: (heapUsed + external) / 2 ** 20 }
      }
      if (child.stdout === null) throw new Error('nobody hears the gateway')
      await once(child.stdout, 'data')
    }
  }

  /** requests that the gateway has let in and that are not over */
  async underWay (): Promise<number> {
    return (await this.#world.metrics(this.#gateway)).get('relaycore_requests_under_way') ?? 0
  }

  /** all of them open at once, and each to its end */
  async streams (count: number): Promise<void> {
    const before = await this.memory()
    const others = await this.underWay()
    const answers = await this.#open(count, 'streams', true)
    const underWay = await this.underWay()
    if (underWay !== others + count) throw new Error(`${underWay} requests are under way, not ${others + count}`)
    const during = await this.memory()
    const beside = await this.latency()
    await this.#world.openGate('streams')
    await wholeOf(answers)
    this.#say(`${count} streams at once, each to its end: ${perOne(before, during, count)} each; a new call beside them ${beside} ms`)
  }

  /** connections that were used once */
  async idle (wanted: number): Promise<void> {
    const most = Math.min(descriptorsOf('self'), descriptorsOf(this.#pid)) - SPARE
    const count = Math.min(wanted, most)
    if (count < wanted) this.#say(`only ${count} idle connections of ${wanted}: no more descriptors are to be had on this machine`)
    const before = await this.memory()
    const sockets = await this.#connections(count)
    const held = readdirSync(`/proc/${this.#pid}/fd`).length
    if (held < count) throw new Error(`${held} descriptors for ${count} connections`)
    const during = await this.memory()
    const beside = await this.latency()
    const ended = sockets.filter(({ readyState }) => readyState !== 'open').length
    if (ended > 0) throw new Error(`${ended} idle connections were ended`)
    for (const socket of sockets) socket.destroy()
    this.#say(`${count} idle connections: ${perOne(before, during, count)} each; a new call beside them ${beside} ms`)
  }

  /** of a provider that does not answer for now */
  async waiting (count: number): Promise<void> {
    const others = await this.underWay()
    const answers = Array.from({ length: count }, async () => await this.#call({ max_tokens: 10 }, { gate: 'waiting' }))
    await this.#world.settled(async () => await this.underWay() >= others + count)
    const beside = await this.latency()
    await this.#world.openGate('waiting')
    for (const answer of await Promise.all(answers)) {
      if (answer.statusCode !== 200) throw new Error(`a call that its provider answered late is answered ${answer.statusCode}`)
      await all(answer)
    }
    this.#say(`${count} calls that their provider leaves waiting: a new call beside them ${beside} ms`)
  }

  /** each is sent more than buffers take, of which it reads 1 KiB a second, and then all */
  async readers ({ clients, pieces, ms }: { clients: number, pieces: number, ms: number }): Promise<void> {
    const before = await this.memory()
    const long = { max_tokens: 200, stream: true }
    const answers = await batched(clients, async () =>
      await this.#call(long, { pieces, pieceBytes: PIECE_BYTES }))
    const parts = answers.map((): Buffer[] => [])
    // what is read is all that was asked for, so that the rest waits where it is
    const reading = setInterval(() => {
      answers.forEach((answer, n) => {
        const part = answer.read(1_024) as Buffer | null
        if (part !== null) parts[n]?.push(part)
      })
    }, 1_000)
    await wait(ms)
    const during = await this.memory()
    const beside = await this.latency()
    clearInterval(reading)
    const open = (await this.#world.books()).filter(({ outcome }) => outcome === 'open').length
    if (open < clients) throw new Error(`of ${clients} answers that nobody reads only ${open} wait at their provider`)
    const all = pieces * PIECE_BYTES / 2 ** 20 * clients
    if (during.used - before.used > all / 4) throw new Error(`${during.used - before.used} MiB for clients that do not read`)
    await wholeOf(answers, parts)
    this.#say(`${clients} clients that read 1 KiB/s of ${Math.round(all / clients)} MiB each, for ${ms / 1_000} s: their providers wait, ` +
      `${perOne(before, during, clients)} each; a new call beside them ${beside} ms; then all of it`)
  }

  /** `fits` of them and `beyond` more, which are refused, all at once, and come again when they may */
  async flood (what: string, fits: number, beyond: number, bytes: number): Promise<void> {
    const before = this.#rss()
    let most = before
    const watch = setInterval(() => { most = Math.max(most, this.#rss()) }, 50)
    const body = { max_tokens: 10, messages: [{ role: 'user', content: 'x'.repeat(bytes) }] }
    let refused = 0
    let [isFull, isOpen] = [(): void => {}, (): void => {}]
    const full = new Promise<void>((resolve) => { isFull = resolve })
    const open = new Promise<void>((resolve) => { isOpen = resolve })
    const calls = Array.from({ length: fits + beyond }, async () => {
      for (;;) {
        const answer = await this.#call(body, { gate: what.replaceAll(' ', '-') })
        const text = await all(answer)
        if (answer.statusCode === 200) return
        const { 'retry-after': after, 'retry-after-ms': ms } = answer.headers
        if (answer.statusCode !== 503 || !/^[12]$/.test(after ?? '') || !text.includes('overloaded')) {
          throw new Error(`${answer.statusCode} ${text.slice(0, 300)}`)
        }
        this.#refused++
        if (++refused === beyond) isFull()
        await open
        await wait(Number(ms))
      }
    })
    const done = Promise.all(calls)
    await Promise.race([full, done.then(() => { throw new Error(`all calls found a place, of too many ${what}`) })])
    const beyondIt = refused
    await this.#world.openGate(what.replaceAll(' ', '-'))
    isOpen()
    await done.finally(() => { clearInterval(watch) })
    if (beyondIt !== beyond) throw new Error(`${beyondIt} were refused while there was room`)
    this.#say(`${fits + beyond} calls at once, ${fits} of which fit (${what}): ${beyond} refused with 503 overloaded and retry-after, ` +
      `all answered in the end; RSS ${before} MiB before, ${most} at most`)
  }

  /** each with another key that was never made, all at once */
  async strangers (count: number): Promise<void> {
    const statements = async () => (await this.#world.metrics(this.#gateway)).get('relaycore_postgres_queries') ?? 0
    const before = await statements()
    const from = performance.now()
    const codes = new Map<number | undefined, number>()
    const strangers = Array.from({ length: count }, async () => {
      const { statusCode } = await answered(await this.#call({}, {}, makeSecret('rk')))
      codes.set(statusCode, (codes.get(statusCode) ?? 0) + 1)
    })
    const beside = await this.latency()
    await Promise.all(strangers)
    const took = performance.now() - from
    if ([...codes.keys()].some((code) => code !== 401 && code !== 503)) throw new Error(`strangers hear ${[...codes.keys()].join()}`)
    const asked = await statements() - before
    this.#say(`${count} different keys that were never made: ${codes.get(401) ?? 0} hear 401, ${codes.get(503) ?? 0} 503, in ` +
      `${round(took / 1_000)} s and ${asked} statements; a call with a known key beside them ${beside} ms`)
  }

  /** byte by byte, and some not at all; `ended` rejects where one is not ended in the stated time */
  async trickle (count: number, what: 'head' | 'body'): Promise<{ ended: Promise<void> }> {
    const sockets = await batched(count, async () => await this.#connect())
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${this.#key}\r\ncontent-type: application/json\r\n`
    const text = what === 'body' ? `${head}content-length: 10000\r\n\r\n{` : `${head}x-slow: `
    const from = performance.now()
    const took = Promise.all(sockets.map(async (socket, n) => {
      const silent = what === 'head' && n % 2 === 0
      if (!silent) socket.write(text)
      const trickle = silent ? undefined : setInterval(() => { socket.write(' ') }, 1_000)
      let heard = ''
      socket.on('data', (data) => { heard += String(data) })
      await new Promise((resolve) => { socket.once('close', resolve) })
      clearInterval(trickle)
      if (!heard.startsWith('HTTP/1.1 408 ')) throw new Error(`what trickles is answered ${heard.slice(0, 500)}`)
      return (performance.now() - from) / 1_000
    }))
    const ended = took.then((seconds) => { this.#endedAfter(what, seconds) })
    // told where it is waited for
    ended.catch(() => undefined)
    if (what === 'body') await this.#world.settled(async () => await this.underWay() >= count)
    return { ended }
  }

  #endedAfter (what: 'head' | 'body', seconds: number[]): void {
    const [least, most] = what === 'head' ? [20, 27] as const : [300, 307] as const
    const [first, last] = [Math.min(...seconds), Math.max(...seconds)]
    if (first < least - 1 || last > most) throw new Error(`what trickles is ended after ${first} to ${last} s`)
    this.#say(`${seconds.length} connections whose ${what === 'head' ? 'heads trickle or never come' : 'bodies trickle'}: ` +
      `408 and their end after ${round(first)} to ${round(last)} s`)
  }

  /** some of it again and again: memory is as before */
  async rounds (rounds: number, streams: number, idle: number): Promise<void> {
    const found: Memory[] = []
    for (let n = 0; n < rounds; n++) {
      const answers = await this.#open(streams, `round-${n}`, true)
      for (const answer of answers.splice(0, Math.ceil(streams / 4))) answer.destroy()
      const sockets = await this.#connections(idle)
      await Promise.all(Array.from({ length: idle }, async () => await answered(await this.#call({}, {}, makeSecret('rk')))))
      await this.#world.openGate(`round-${n}`)
      await wholeOf(answers)
      for (const socket of sockets) socket.destroy()
      await this.#world.settled(async () => (await this.#world.metrics(this.#gateway)).get('relaycore_open_calls') === 0)
      found.push(await this.memory())
    }
    const [warm, last] = [found[Math.floor((rounds - 1) / 2)], found.at(-1)]
    if (warm === undefined || last === undefined) return
    if (last.used > warm.used + 8 || last.rss > warm.rss * 1.1 + 16) {
      throw new Error(`memory grows: ${found.map(textOf).join('; ')}`)
    }
    this.#say(`${rounds} rounds of ${streams} streams, a quarter of them left by their clients, ${idle} connections and ${idle} strangers; ` +
      `in use after each: ${found.map(({ used }) => round(used)).join(', ')} MiB, RSS ${found.map(({ rss }) => Math.round(rss)).join(', ')} MiB`)
  }

  /** until all is recorded; then the gateway stops in order */
  async books (): Promise<OverloadResult> {
    const world = this.#world
    await world.settled(async () => {
      const [row] = await world.rows<{ n: string }>('select count(*) as n from usage_events')
      return Number(row?.n) === this.#calls
    }, 60_000)
    const { reached, uncertain, exact } = await agree(world)
    if (uncertain > 0 || reached !== this.#calls) throw new Error(`of ${this.#calls} calls ${reached} came, ${uncertain} uncertain`)
    if (await kill(this.#gateway.child, 'SIGTERM') !== 0) throw new Error('the gateway did not end in order')
    await nothingLeft(world)
    this.#say(`${this.#calls} calls, each recorded once at what the provider's books say; nothing held, nothing leased`)
    return { refused: this.#refused, calls: this.#calls, exact }
  }

  /** that have begun, and wait for the gate */
  async #open (count: number, gate: string, stream: boolean): Promise<IncomingMessage[]> {
    return await batched(count, async () => {
      const answer = await this.#call({ max_tokens: 200, stream }, { gate, pieces: 12 })
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${await all(answer)}`)
      return answer
    })
  }

  async #call (more: object, behaviour: object = {}, key = this.#key): Promise<IncomingMessage> {
    const text = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hi' }], ...more })
    const sent = request(`${this.#gateway.url}/v1/chat/completions`, {
      method: 'POST',
      // as SDKs do: who closes while a body is on its way may hear a reset before the refusal
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        'x-request-id': `call ${Math.random()}`,
        'x-test-behaviour': JSON.stringify(behaviour),
      },
    })
    sent.end(text)
    const [answer] = await once(sent, 'response') as [IncomingMessage]
    if (answer.statusCode === 200) this.#calls++
    return answer
  }

  /** that were used once, and are kept */
  async #connections (count: number): Promise<Socket[]> {
    return await batched(count, async () => {
      const socket = await this.#connect()
      socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
      await once(socket, 'data')
      return socket
    })
  }

  async #connect (): Promise<Socket> {
    const { hostname, port } = new URL(this.#gateway.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  get #pid (): number { return this.#gateway.child.pid as number }

  /** MiB */
  #rss (): number {
    return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))?.[1]) / 1_024)
  }
}

/** a process may have so many */
function descriptorsOf (pid: number | 'self'): number {
  return Number(/Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1])
}

async function wholeOf (answers: IncomingMessage[], parts: Buffer[][] = []): Promise<void> {
  const whole = await Promise.all(answers.map(async (answer, n) => (await all(answer, parts[n])).includes('[DONE]')))
  if (!whole.every(Boolean)) throw new Error('a stream did not come to its end')
}

async function all (answer: IncomingMessage, parts: Buffer[] = []): Promise<string> {
  for await (const part of answer) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

async function answered (answer: IncomingMessage): Promise<IncomingMessage> {
  await all(answer)
  return answer
}

/** so many, some at once: a listener's queue is no longer than that */
async function batched<T> (count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = []
  while (made.length < count) {
    made.push(...await Promise.all(Array.from({ length: Math.min(100, count - made.length) }, make)))
  }
  return made
}

function perOne (before: Memory, during: Memory, count: number): string {
  return `${round((during.used - before.used) * 1_024 / count)} KiB`
}

function textOf ({ rss, used }: Memory): string { return `${round(used)} MiB in use, RSS ${Math.round(rss)} MiB` }

function round (value: number): number { return Math.round(value * 10) / 10 }
