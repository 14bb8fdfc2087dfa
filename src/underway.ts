/** Something that is under way for a while, and knows where its list has it; -1: in none. */
export interface Placed { place: number }

/**
 * What is under way now, in no order. Not a Set, nor a Map: each time one of those cleans up after so many deletions it
 * leaves its table behind, which refers to the next one and to all that it had. Of such a chain, once a part has grown
 * old, the collector of young objects keeps and copies everything: with calls, all that each of them was made of.
 */
export class Underway<T extends Placed> {
  readonly #all: T[] = []

  get size (): number { return this.#all.length }

  add (one: T): void {
    one.place = this.#all.length
    this.#all.push(one)
  }

  /** nothing happens to what is not there */
  delete (one: T): void {
    const { place } = one
    if (this.#all[place] !== one) return
    one.place = -1
    const last = this.#all.pop() as T
    if (last === one) return
    last.place = place
    this.#all[place] = last
  }

  /** as it is now, whatever becomes of it meanwhile */
  list (): T[] { return [...this.#all] }
}
