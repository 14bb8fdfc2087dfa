import t from 'tap'
import { validate, version } from 'uuid'
import { newCallId } from '../../src/gateway/call-id.ts'

const OPENED_AT = Date.UTC(2026, 1, 28, 23, 59, 59, 999)

t.test('a call id is a UUIDv7 of its opening', async (t) => {
  const id = newCallId(OPENED_AT)

  t.ok(validate(id))
  t.equal(version(id), 7)
  t.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), OPENED_AT)
})

t.test('calls that open in the same millisecond have ids of their own, over many fetches of random bytes', async (t) => {
  const ids = new Set(Array.from({ length: 5_000 }, () => newCallId(OPENED_AT)))

  t.equal(ids.size, 5_000)
  const endings = new Set([...ids].map((id) => id.slice(-8)))
  t.ok(endings.size > 4_990, 'their random parts differ too')
})
