import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import { type JournalFile } from '../../src/journal/file.ts'
import { dropSetAside, keepSetAside, readSetAside } from '../../src/journal/set-aside.ts'
import { callEnds, openings } from './arbitraries.ts'
import { aFolder, aLog, anEnd, anOpening, callId, ends, open, opens, writeAll } from './builders.ts'

function event (n: number) { return { opening: anOpening({ id: callId(n) }), end: anEnd({ id: callId(n) }) } }

t.test('an event set aside is found by the next start, and its records are not needed any more', async (t) => {
  const path = aFolder(t)
  const folder = await open(path, { now: () => 1_700_000_000_000 })
  const journal = folder.begin(7) as JournalFile
  await writeAll(journal, [opens(1), ends(1), opens(2), ends(2)])
  journal.setAside(event(1), 'the account is gone')
  t.equal(journal.liveCalls, 1)
  await folder.close()

  const next = await open(path)
  t.strictSame(next.setAsideEvents(), {
    events: [{ incarnation: 7, at: 1_700_000_000_000, reason: 'the account is gone', event: event(1) }],
    unreadable: [],
  })
  next.retried([callId(1)])
  t.strictSame(next.setAsideEvents(), { events: [], unreadable: [] })
  await next.close()
})

t.test('every event reads back as it was, and only those that were posted leave', async (t) => {
  const path = aFolder(t)
  mkdirSync(path)
  const manyPairs = fc.uniqueArray(fc.tuple(openings, callEnds), { selector: ([opening]) => opening.id })
  fc.assert(fc.property(manyPairs, (pairs) => {
    rmSync(join(path, 'set-aside.jsonl'), { force: true })
    const events = pairs.map(([opening, end], i) => ({ incarnation: i, at: i, reason: 'r', event: { opening, end } }))
    for (const one of events) keepSetAside(path, one)

    t.strictSame(readSetAside(path).events, events)
    const half = events.length >> 1
    dropSetAside(path, events.slice(0, half).map((one) => one.event.opening.id))
    t.strictSame(readSetAside(path).events, events.slice(half))
  }), { numRuns: 30 })
})

t.test('an event set aside twice is one event', async (t) => {
  const path = aFolder(t)
  mkdirSync(path)
  keepSetAside(path, { incarnation: 1, at: 1, reason: 'first', event: event(1) })
  keepSetAside(path, { incarnation: 1, at: 2, reason: 'second', event: event(1) })

  t.match(readSetAside(path).events, [{ reason: 'second' }])
  dropSetAside(path, [callId(1)])
  t.strictSame(readSetAside(path).events, [])
})

t.test('a line that cannot be read is named and kept, and swallows no other', async (t) => {
  const path = aFolder(t)
  mkdirSync(path)
  keepSetAside(path, { incarnation: 1, at: 1, reason: 'r', event: event(1) })
  appendFileSync(join(path, 'set-aside.jsonl'), '{"incarnation":1,"at"')
  keepSetAside(path, { incarnation: 1, at: 1, reason: 'r', event: event(2) })

  const reading = readSetAside(path)
  t.strictSame(reading.events.map((one) => one.event.opening.id), [callId(1), callId(2)])
  t.strictSame(reading.unreadable, [2])
  dropSetAside(path, [callId(1), callId(2)])
  t.equal(readFileSync(join(path, 'set-aside.jsonl'), 'utf8'), '{"incarnation":1,"at"\n')
})

t.test('what cannot be set aside stays in the segments', async (t) => {
  const path = aFolder(t)
  const log = aLog()
  const folder = await open(path, { log })
  const journal = folder.begin(1) as JournalFile
  await writeAll(journal, [opens(1), ends(1)])
  mkdirSync(join(path, 'set-aside.jsonl'))
  journal.setAside(event(1), 'r')

  t.equal(journal.liveCalls, 1)
  t.match(log.lines, [{ message: 'a refused usage event could not be set aside' }])
  await folder.close()
})
