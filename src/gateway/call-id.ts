import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

const BYTES_PER_ID = 16
/** random bytes are fetched for this many calls at once: fetching costs far more than what is fetched */
const IDS_PER_FILL = 512

const pool = Buffer.allocUnsafe(BYTES_PER_ID * IDS_PER_FILL)
let used = pool.length

/** A call's id: a UUIDv7 of its opening, ms since the epoch, whose day is the call's day. No byte is used twice. */
export function newCallId (openedAt: number): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const random = pool.subarray(used, used += BYTES_PER_ID)
  return uuidv7({ msecs: openedAt, random })
}
