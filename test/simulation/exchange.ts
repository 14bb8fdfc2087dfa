import { type Identity } from '../../src/budget/budget.ts'
import { type CallIntake, type OpenCall } from '../../src/gateway/call.ts'
import { isRefusal, NO_TARGET } from '../../src/providers/provider.ts'
import { type CallOutcome } from '../../src/usage/usage.ts'
import { type SimCall } from './calls.ts'
import { type Process } from './machine.ts'
import { type Entry, ENDPOINT, PROVIDER, reading } from './provider.ts'
import { type World } from './world.ts'

const BYTES = Buffer.from('{}')

/**
 * One call from its client to the provider and back, as the data plane makes it: decided, sent, answered, settled.
 * Answers why it is refused; null: it was let through. `free`: its provider answers at once that it does not bill it.
 */
export async function aCall (
  world: World, process: Process, identity: Identity, tokens: number, free = false
): Promise<string | null> {
  const { gate } = process
  if (gate === null) return 'not_serving'
  const intake: CallIntake = {
    provider: PROVIDER, endpoint: ENDPOINT, identity, target: NO_TARGET, body: tokens, bytes: BYTES, requestId: null,
  }
  const gone = world.random.chance(world.faults.clientGone / 4)
  const open = await gate.open(intake, () => gone)
  if (isRefusal(open)) return open.code
  new Exchange(world, process, open, free).send()
  return null
}

class Exchange {
  readonly #world: World
  readonly #process: Process
  readonly #open: OpenCall
  readonly #call: SimCall
  readonly #free: boolean

  constructor (world: World, process: Process, open: OpenCall, free: boolean) {
    this.#world = world
    this.#process = process
    this.#open = open
    this.#call = world.calls.get(open.id)
    this.#free = free
    if (world.random.chance(world.faults.eventRefused)) world.poison(open.id)
  }

  #later (ms: number, what: string, run: () => void): void {
    this.#world.scheduler.after(ms, `call ${this.#call.no} ${what}`, run, this.#process)
  }

  send (): void {
    const { random, faults } = this.#world
    if (random.chance(faults.notConnected)) {
      this.#later(random.latency(100, 5_000), 'is not connected', () => { this.#open.release() })
      return
    }
    this.#later(random.between(0, 20), 'is sent', () => {
      if (!this.#process.effect()) return
      this.#call.reached = true
      const entry = this.#world.provider.reached(this.#call.no)
      this.#answer(entry)
    })
  }

  /** what the provider does, and bills, whoever is there to hear of it */
  #answer (entry: Entry): void {
    const { random, faults, scheduler } = this.#world
    const quote = Number(this.#call.quoteNano())
    const ms = random.latency(150, 2_500)
    if (this.#free || random.chance(faults.upstreamError)) {
      this.#later(this.#free ? 1 : ms, 'is answered by an error', () => {
        this.#settle('completed', 500, null)
      })
      return
    }
    const cost = random.int(0, quote)
    if (random.chance(faults.long)) {
      this.#long(entry, cost)
      return
    }
    if (random.chance(faults.overrun)) {
      this.#overrun(entry, quote, ms)
      return
    }
    scheduler.after(ms * 0.9, `the provider bills ${cost} for call ${this.#call.no}`, () => { entry.costNano = BigInt(cost) }, null)
    if (random.chance(faults.answerBroken)) this.#later(ms, 'breaks off', () => { this.#settle('upstream_broken', 200, null) })
    else if (random.chance(faults.clientGone)) this.#later(ms * 0.7, 'is left by its client', () => { this.#settle('client_gone', null, null) })
    else this.#later(ms, 'is answered', () => { this.#settle('completed', 200, cost) })
  }

  /** it uses more than it was held for, in steps; each is held for, or it ends there */
  #overrun (entry: Entry, quote: number, ms: number): void {
    const { random } = this.#world
    let used = quote
    this.#call.overran = true
    const steps = random.int(1, 3)
    const step = (left: number): void => {
      used += random.int(1, quote)
      entry.costNano = BigInt(used)
      const said = this.#open.cover(reading(used, { final: false, running: true }))
      const told = (refused: object | null): void => {
        if (refused !== null) this.#settle('budget_cut', 200, used, true)
        else if (left === 0) this.#settle('completed', 200, used)
        else this.#later(ms / 3, 'goes on', () => { step(left - 1) })
      }
      if (said instanceof Promise) void said.then(told)
      else told(said)
    }
    this.#later(ms / 3, 'outgrows its hold', () => { step(steps) })
  }

  /** it goes on behind its answer; then a row of the ledger says how it ends */
  #long (entry: Entry, cost: number): void {
    entry.costNano = BigInt(cost)
    this.#later(20, 'becomes long', () => {
      const said = this.#open.cover(reading(0, { usage: null, final: false, job: { id: `job ${this.#call.no}`, over: false } }))
      const end = (): void => { this.#settle('completed', 200, null) }
      if (said instanceof Promise) void said.then(end)
      else end()
    })
  }

  #settle (outcome: CallOutcome, status: number | null, used: number | null, running = false): void {
    const read = used === null ? null : reading(used, running ? { final: false, running: true } : {})
    this.#open.settle({ outcome, status, reading: read, error: null })
  }
}
