import { type HotFigures } from '../../src/account/hot-status.ts'
import { type MemoryHotStatus, MemoryHub } from '../../src/account/memory-hot-status.ts'
import { type Faults } from './faults.ts'
import { type Random } from '../random.ts'
import { type Owner, type Scheduler } from './scheduler.ts'

/**
 * The hot status between gateways, as a network makes it: what one tells comes late, out of order, or never; what a
 * dead gateway has told stays for a while; all of it may be gone from one moment to the next.
 */
export class Hub extends MemoryHub {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #faults: () => Faults
  readonly #members = new Map<MemoryHotStatus, Owner>()

  constructor (scheduler: Scheduler, random: Random, faults: () => Faults) {
    super()
    this.#scheduler = scheduler
    this.#random = random
    this.#faults = faults
  }

  override join (member: MemoryHotStatus): void {
    super.join(member)
    const owner = this.#scheduler.current
    if (owner === null) throw new Error('only a process joins')
    this.#members.set(member, owner)
  }

  override leave (member: MemoryHotStatus): void {
    super.leave(member)
    this.#members.delete(member)
  }

  /** dead ones are forgotten as their keys expire */
  buried (owner: Owner): void {
    this.#scheduler.after(3_000, '', () => {
      for (const [member, of] of this.#members) if (of === owner) this.leave(member)
    }, null)
  }

  wipe (): void { for (const member of this.#members.keys()) super.leave(member) }

  override put (figures: HotFigures): void {
    this.#sometime(null, () => { super.put(figures) })
  }

  override tell (from: MemoryHotStatus, how: (member: MemoryHotStatus) => void): void {
    for (const [member, owner] of this.#members) {
      if (member !== from) this.#sometime(owner, () => { how(member) })
    }
  }

  #sometime (owner: Owner | null, run: () => void): void {
    const { hotLost, hotDelay } = this.#faults()
    if (this.#random.chance(hotLost)) return
    const what = owner === null ? '' : 'hears from another gateway'
    this.#scheduler.after(this.#random.latency(hotDelay, 2_000), what, run, owner)
  }
}
