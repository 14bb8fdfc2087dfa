import { type Claim, type EarlierAnswer, type IdempotencyStore } from '../../access/idempotency.ts'
import { reached, type Queryable } from './pool.ts'

/**
 * Idempotency keys in PostgreSQL, in the transaction of their change. Each answer that is kept takes a few with it that
 * are older than a day, so the table stays as large as a day's changes without a job that must run.
 */
export class PostgresIdempotencyStore implements IdempotencyStore {
  readonly #tx: Queryable

  constructor (tx: Queryable) { this.#tx = tx }

  async claim (claim: Claim): Promise<EarlierAnswer | null> {
    const { actorId, keyHash, route, bodyHash } = claim
    const made = await reached(this.#tx.query({ text: CLAIM, values: [actorId, keyHash, route, bodyHash] }))
    if (made.length > 0) return null
    const [row] = await reached(this.#tx.query<AnswerRow>({ text: EARLIER, values: [actorId, keyHash] }))
    // it was old, and was deleted in between
    if (row === undefined) return await this.claim(claim)
    if (row.answer === null) throw new Error('An idempotency key was committed without its answer')
    return { route: row.route, bodyHash: row.body_hash, sealed: row.answer }
  }

  async keep ({ actorId, keyHash }: Claim, sealed: Buffer): Promise<void> {
    await reached(this.#tx.query({ text: KEEP, values: [actorId, keyHash, sealed] }))
  }
}

/** Waits for a transaction that has the same key. */
const CLAIM = `
  insert into idempotency_keys (actor_id, key_hash, route, body_hash) values ($1, $2, $3, $4)
  on conflict do nothing returning 1`

const EARLIER = 'select route, body_hash, answer from idempotency_keys where actor_id = $1 and key_hash = $2'

/** Rows that another change is deleting are left to it, so nobody waits here. */
const KEEP = `
  with old as materialized (
    select actor_id, key_hash from idempotency_keys
    where created_at < clock_timestamp() - interval '25 hours' and (actor_id, key_hash) <> ($1, $2)
    order by created_at limit 20 for update skip locked
  ),
  gone as (
    delete from idempotency_keys k using old where (k.actor_id, k.key_hash) = (old.actor_id, old.key_hash)
  )
  update idempotency_keys set answer = $3 where actor_id = $1 and key_hash = $2`

interface AnswerRow {
  route: string
  body_hash: Buffer
  answer: Buffer | null
}
