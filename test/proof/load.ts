import { setTimeout as wait } from 'node:timers/promises'
import { type Answer, type GatewayProcess, type ProofWorld } from './world.ts'

/** One call of a load, as its client saw it. */
export interface Seen {
  key: string
  at: number
  ms: number
  /** 0: the connection broke */
  status: number
  answer: Answer | null
}

export interface Became { admitted: number, refused: number, broken: number, slowestMs: number, codes: string }

/** Calls that go on until they are told to stop, round all gateways and keys, and what became of them. */
export class Load {
  readonly seen: Seen[] = []
  readonly #world: ProofWorld
  readonly #keys: readonly string[]
  readonly #name: string
  /** as a balancer knows them */
  readonly #gateways: readonly GatewayProcess[]
  #going: Promise<unknown> | null = null
  #stopped = false
  #next = 0

  constructor (world: ProofWorld, keys: readonly string[], name = 'load', gateways = world.gateways) {
    this.#gateways = gateways
    this.#world = world
    this.#keys = keys
    this.#name = name
  }

  start (concurrency: number): void {
    this.#going = Promise.all(Array.from({ length: concurrency }, async () => {
      while (!this.#stopped) {
        const n = this.#next++
        const gateway = this.#gateways[n % this.#gateways.length] as GatewayProcess
        const { status } = await this.one(gateway, this.#keys[n % this.#keys.length] as string, n)
        await wait(status === 200 ? 10 : 50)
      }
    }))
  }

  async stop (): Promise<void> {
    this.#stopped = true
    await this.#going
  }

  /** one call, with `more` in its body */
  async one (gateway: GatewayProcess, key: string, n: number | string, more: object = {}): Promise<Seen> {
    const at = Date.now()
    const id = `${this.#name}.${n}`
    const body = { max_tokens: 50, stream: Number(n) % 3 === 0, ...more }
    const behaviour = { delayMs: Math.random() * 30, pieces: 2 }
    const answer = await this.#world.call(gateway, key, id, body, behaviour).catch(() => null)
    const seen = { key, at, ms: Date.now() - at, status: answer?.status ?? 0, answer }
    this.seen.push(seen)
    return seen
  }

  /** what became of the calls that were made in this time */
  between (from: number, to: number, key?: string): Became {
    const sum = { admitted: 0, refused: 0, broken: 0, slowestMs: 0, codes: '' }
    const codes = new Map<string, number>()
    for (const one of this.seen) {
      if (one.at < from || one.at >= to || (key !== undefined && one.key !== key)) continue
      if (one.status === 200) sum.admitted++
      else if (one.status === 0) sum.broken++
      else {
        sum.refused++
        const code = one.answer?.code ?? 'no code'
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
      sum.slowestMs = Math.max(sum.slowestMs, one.ms)
    }
    sum.codes = [...codes].map(([code, n]) => ` ${n} ${code}`).join(',')
    return sum
  }
}
