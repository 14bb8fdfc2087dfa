import { hash } from 'node:crypto'
import { invalidField } from '../../errors.ts'

/**
 * Where a page of a list ended: the value that it is sorted by, and the id of its last row. So pages neither skip nor
 * repeat a row because others come or go meanwhile. A cursor is good for the list that it came from only, that is for
 * the same order, filters and reach; another one is told so. It is no secret and gives no right: reach is judged anew.
 */
export interface Position {
  value: string
  id: string
}

const CHECK = 12

/** `list`: all that makes the list the same list */
export function cursorOf (list: unknown, { value, id }: Position): string {
  const text = JSON.stringify([value, id])
  return Buffer.concat([check(list, text), Buffer.from(text)]).toString('base64url')
}

/** A page of rows that were asked for by their id, one more than it holds. */
export function pageById<R extends { id: string }> (
  list: unknown, rows: readonly R[], limit: number
): { rows: R[], nextCursor: string | null } {
  const last = rows[limit - 1]
  return {
    rows: rows.slice(0, limit),
    nextCursor: rows.length > limit && last !== undefined ? cursorOf(list, { value: '', id: last.id }) : null,
  }
}

export function positionOf (list: unknown, cursor: string): Position {
  const bytes = Buffer.from(cursor, 'base64url')
  const text = bytes.subarray(CHECK).toString()
  if (bytes.toString('base64url') === cursor && bytes.subarray(0, CHECK).equals(check(list, text))) {
    const [value, id] = JSON.parse(text) as [string, string]
    return { value, id }
  }
  throw invalidField('cursor', 'the nextCursor of an answer with the same filters and sort', cursor)
}

function check (list: unknown, text: string): Buffer {
  return hash('sha256', `${JSON.stringify(list)}\n${text}`, 'buffer').subarray(0, CHECK)
}
