import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import { type Journal } from '../../src/journal/journal.ts'
import { type FileOps, systemFileOps } from '../../src/journal/file-ops.ts'
import { type JournalFile } from '../../src/journal/file.ts'
import { endedRecorded } from '../../src/journal/reading.ts'
import { aFolder, aLog, anEnd, anOpening, callId, ends, open, opens, voids, writeAll, written } from './builders.ts'

function segmentsIn (path: string): string[] {
  return readdirSync(path).filter((name) => name.endsWith('.journal')).sort()
}

/** what a next start finds */
async function found (path: string): Promise<{ open: string[], ended: string[] }> {
  const folder = await open(path)
  const lives = await folder.lives()
  await folder.close()
  t.same(lives.flatMap((life) => life.damaged), [])
  return {
    open: lives.flatMap((life) => life.open.map((call) => call.id)).sort(),
    ended: lives.flatMap((life) => life.ended.map(({ opening }) => opening.id)).sort(),
  }
}

/** real files, with a hand on what can fail */
function failing (): FileOps & { writes: number, room: number, cuts: boolean, syncs: boolean } {
  const files = {
    ...systemFileOps,
    writes: 0,
    room: Infinity,
    cuts: true,
    syncs: true,
    write (fd: number, bytes: Buffer, from: number, length: number, position: number): number {
      files.writes++
      if (files.room === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      const count = systemFileOps.write(fd, bytes, from, Math.min(length, files.room), position)
      files.room -= count
      return count
    },
    truncate (fd: number, length: number): void {
      if (!files.cuts) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
      systemFileOps.truncate(fd, length)
    },
    async datasync (fd: number): Promise<void> {
      if (!files.syncs) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
      await systemFileOps.datasync(fd)
    },
  }
  return files
}

async function until (what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => { setTimeout(resolve, 5) })
}

t.test('all records of a tick are written by one write, and answered for after it', async (t) => {
  const path = aFolder(t)
  const files = failing()
  const folder = await open(path, { files })
  const journal = folder.begin(1)
  files.writes = 0
  const order: string[] = []

  for (let n = 0; n < 50; n++) journal.append(opens(n), () => order.push(`written ${n} after ${files.writes}`))
  order.push('asked')
  await written(journal, opens(50))

  t.equal(files.writes, 1)
  t.equal(order[0], 'asked')
  t.equal(order.length, 51)
  t.equal(order[50], 'written 49 after 1')
  await folder.close()
})

t.test('a next start finds what was opened, ended and voided', async (t) => {
  const path = aFolder(t)
  const folder = await open(path)
  const journal = folder.begin(1)
  await writeAll(journal, [opens(1), opens(2), opens(3), ends(2), voids(3)])
  await folder.close()

  const next = await open(path)
  const [life] = await next.lives()

  t.strictSame(life?.open, [anOpening({ id: callId(1) })])
  t.strictSame(life?.ended, [{ opening: anOpening({ id: callId(2) }), end: anEnd({ id: callId(2) }) }])
  t.match(life?.header, { journalId: folder.journalId, incarnation: 1, pid: process.pid, bootId: 'boot-1' })
  await next.close()
})

t.test('the newest opening of a call counts, as its hold may have been extended', async (t) => {
  const path = aFolder(t)
  const folder = await open(path)
  const journal = folder.begin(1)
  await writeAll(journal, [opens(1), { t: 'open', call: anOpening({ id: callId(1), quoteNano: 99n }) }])
  await folder.close()

  const next = await open(path)
  const [life] = await next.lives()

  t.strictSame(life?.open.map((call) => call.quoteNano), [99n])
  await next.close()
})

t.test('a callback that throws does not keep the others from being answered', async (t) => {
  const folder = await open(aFolder(t))
  const journal = folder.begin(1)
  const thrown = new Promise((resolve) => { process.once('uncaughtException', resolve) })

  journal.append(opens(1), () => { throw new Error('mine') })
  await written(journal, opens(2))

  t.match(await thrown, { message: 'mine' })
  await folder.close()
})

t.test('a full disk fails the records of that tick, leaves nothing of them, and heals by itself', async (t) => {
  const path = aFolder(t)
  const files = failing()
  const log = aLog()
  const folder = await open(path, { files, log })
  const journal = folder.begin(1)
  await written(journal, opens(1))
  const before = journal.bytes

  files.room = 700
  await t.rejects(writeAll(journal, [opens(2), opens(3), opens(4)]), { code: 'journal_write_failed' })

  t.equal(journal.writable, false)
  t.equal(journal.bytes, before)
  t.equal(statSync(join(path, segmentsIn(path)[0] as string)).size, before, 'what was half written is cut off')
  await t.rejects(written(journal, opens(5)), { code: 'journal_write_failed' })
  t.equal(log.lines.filter((line) => line.message === 'the journal cannot be written').length, 1, 'said once')

  files.room = Infinity
  await until(() => journal.writable)
  await written(journal, opens(6))
  await folder.close()
  t.strictSame(await found(path), { open: [callId(1), callId(6)], ended: [] })
})

t.test('an end or a void that could not be written is written before anything else', async (t) => {
  const path = aFolder(t)
  const files = failing()
  const folder = await open(path, { files })
  const journal = folder.begin(1)
  await writeAll(journal, [opens(1), opens(2), opens(3)])

  files.room = 0
  for (const record of [ends(1), opens(4), voids(2)]) await t.rejects(written(journal, record), { code: 'journal_write_failed' })
  files.room = Infinity
  await written(journal, opens(5))
  await folder.close()

  const records = readFileSync(join(path, segmentsIn(path)[0] as string), 'utf8').split('\n')
    .map((line) => /"t":"(open|end|void)","id":"([^"]+)"/.exec(line)).filter((found) => found !== null)
  t.same(records.slice(3).map(([, what, id]) => [what, id]), [['end', callId(1)], ['void', callId(2)], ['open', callId(5)]])
  t.strictSame(await found(path), { open: [callId(3), callId(5)], ended: [callId(1)] })
})

t.test('nothing is written behind a torn write that could not be cut off', async (t) => {
  const path = aFolder(t)
  const files = failing()
  const folder = await open(path, { files })
  const journal = folder.begin(1)
  await written(journal, opens(1))

  files.room = 700
  files.cuts = false
  await t.rejects(writeAll(journal, [opens(2), opens(3)]))
  files.room = Infinity
  await t.rejects(written(journal, opens(4)), { code: 'journal_write_failed' })
  t.equal(journal.writable, false)

  files.cuts = true
  await written(journal, opens(5))
  t.equal(journal.writable, true)
  await folder.close()
  t.strictSame(await found(path), { open: [callId(1), callId(5)], ended: [] })
})

t.test('after a failed sync it is not writable, and goes on in a fresh segment when syncing works again', async (t) => {
  const path = aFolder(t)
  const files = failing()
  const folder = await open(path, { files, syncIntervalMs: 1 })
  const journal = folder.begin(1)
  files.syncs = false
  await written(journal, opens(1))
  await until(() => !journal.writable)
  const syncedAt = journal.syncedAt
  await written(journal, opens(2))
  t.equal(journal.writable, false, 'that writing works is not enough')

  files.syncs = true
  await until(() => journal.writable)

  t.ok(segmentsIn(path).length >= 2)
  t.equal(journal.syncedAt, syncedAt, 'what the failed sync was for is not vouched for')
  await written(journal, ends(1))
  journal.posted([callId(1), callId(2)])
  await until(() => journal.syncedAt > syncedAt)
  await folder.close()
})

t.test('it syncs in the background, never twice at once, and says up to when', async (t) => {
  let under = 0
  let most = 0
  const done = { syncs: 0 }
  const files: FileOps = {
    ...systemFileOps,
    async datasync (fd) {
      most = Math.max(most, ++under)
      await systemFileOps.datasync(fd)
      under--
      done.syncs++
    },
  }
  const path = aFolder(t)
  const folder = await open(path, { files, syncIntervalMs: 1 })
  const journal = folder.begin(1)
  for (let n = 0; done.syncs < 5; n++) await written(journal, opens(n))
  await until(() => journal.syncedAt >= Date.now() - 1)

  t.equal(most, 1)
  const text = readFileSync(join(path, segmentsIn(path)[0] as string), 'utf8')
  t.match(text, /"t":"synced"/)
  await folder.close()
  const next = await open(path)
  const [life] = await next.lives()
  t.type(life?.syncedAt, 'number')
  t.equal(life?.complete, true)
  await next.close()
})

t.test('a life that ended in order says whether PostgreSQL had all its calls by then', async (t) => {
  const leave = async (what: (journal: Journal) => Promise<void>) => {
    const path = aFolder(t)
    const folder = await open(path)
    await what(folder.begin(1))
    await folder.close()
    const next = await open(path)
    const [life] = await next.lives()
    await next.close()
    t.equal(life?.complete, true)
    const seen = endedRecorded(join(path, segmentsIn(path).at(-1) as string))
    t.equal(life?.recorded, seen, 'by its last line as by all of it')
    return seen
  }
  t.equal(await leave(async () => undefined), true)
  t.equal(await leave(async (journal) => { await writeAll(journal, [opens(1), ends(1)]) }), false)
  t.equal(await leave(async (journal) => {
    await writeAll(journal, [opens(1), ends(1), opens(2), voids(2)])
    journal.posted([callId(1)])
  }), true)

  const path = aFolder(t)
  const folder = await open(path)
  const journal = folder.begin(1)
  await written(journal, opens(1))
  t.equal(endedRecorded(join(path, segmentsIn(path)[0] as string)), false, 'it has not ended')
  await folder.close()
})

t.test('segments go once their calls are posted, oldest first', async (t) => {
  const path = aFolder(t)
  const folder = await open(path, { segmentBytes: 2_000, syncIntervalMs: 1 })
  const journal = folder.begin(1) as JournalFile
  for (let n = 0; n < 40; n++) await writeAll(journal, [opens(n), ends(n)])
  const many = segmentsIn(path).length
  t.ok(many > 5)
  const bytes = journal.bytes

  journal.posted(Array.from({ length: 20 }, (_, n) => callId(20 + n)))
  t.equal(segmentsIn(path).length, many, 'the first calls still need the first segment')
  journal.posted(Array.from({ length: 20 }, (_, n) => callId(n)))
  await until(() => segmentsIn(path).length === 1)

  t.equal(journal.segments, 1)
  t.ok(journal.bytes < bytes / 4)
  await folder.close()
  t.strictSame(await found(path), { open: [], ended: [callId(39)] }, 'the last segment stays')
})

t.test('a void in a later segment outlives the opening that it answers', async (t) => {
  const path = aFolder(t)
  const folder = await open(path, { segmentBytes: 1_000, carryAfterSegments: 1_000, syncIntervalMs: 1 })
  const journal = folder.begin(1) as JournalFile
  await writeAll(journal, [opens(0), opens(1)])
  await written(journal, voids(1))
  for (let n = 2; n < 20; n++) await writeAll(journal, [opens(n), voids(n)])

  t.ok(segmentsIn(path).length > 5)
  await folder.close()
  t.strictSame(await found(path), { open: [callId(0)], ended: [] })
})

t.test('a call that stays open for long does not keep its segment: its opening is written once more', async (t) => {
  const path = aFolder(t)
  const files = { ...systemFileOps, datasync: async () => {} }
  const folder = await open(path, { files, segmentBytes: 2_000, carryAfterSegments: 3, syncIntervalMs: 1 })
  const journal = folder.begin(1) as JournalFile
  await writeAll(journal, [opens(0), opens(1)])
  let most = 0
  for (let n = 2; n < 120; n++) {
    await writeAll(journal, [opens(n), ends(n)])
    journal.posted([callId(n)])
    if (n === 100) await written(journal, voids(1))
    await until(() => journal.syncedAt >= Date.now())
    most = Math.max(most, segmentsIn(path).length)
  }

  t.ok(most <= 6, `${most} segments at most`)
  t.notOk(segmentsIn(path)[0]?.endsWith('-00000001.journal'))
  t.equal(journal.liveCalls, 1)
  await folder.close()
  t.strictSame((await found(path)).open, [callId(0)])
})

t.test('an opening that was written once more leaves its old segment only when it is on stable storage', async (t) => {
  const path = aFolder(t)
  let release: (() => void) | null = null
  const files = {
    ...systemFileOps,
    datasync: () => new Promise<void>((resolve) => { release = resolve }),
  }
  const folder = await open(path, { files, segmentBytes: 1_000, carryAfterSegments: 1, syncIntervalMs: 1 })
  const journal = folder.begin(1) as JournalFile
  await written(journal, opens(0))
  for (let n = 1; n < 10; n++) await writeAll(journal, [opens(n), voids(n)])

  t.ok(journal.segments > 3, `${journal.segments} segments`)
  t.ok(segmentsIn(path)[0]?.endsWith('-00000001.journal'))
  await until(() => {
    release?.()
    return !segmentsIn(path)[0]?.endsWith('-00000001.journal')
  })
  const closed = folder.close()
  const timer = setInterval(() => { release?.() }, 1)
  await closed
  clearInterval(timer)
  t.strictSame((await found(path)).open, [callId(0)])
})

t.test('whatever is written, carried and dropped, exactly the open calls are open', async (t) => {
  const step = fc.array(fc.tuple(fc.constantFrom('open', 'end', 'void', 'post'), fc.nat(30)), { maxLength: 12 })

  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
    const path = aFolder(t)
    const files = { ...systemFileOps, datasync: async () => {} }
    const folder = await open(path, { files, segmentBytes: 1_200, carryAfterSegments: 2, syncIntervalMs: 1 })
    const journal = folder.begin(1)
    const state = new Map<number, 'open' | 'ended' | 'over'>()
    for (const ops of steps) {
      for (const [what, n] of ops) {
        const is = state.get(n)
        if (what === 'open' && is === undefined) journal.append(opens(n))
        else if (what === 'end' && is === 'open') journal.append(ends(n))
        else if (what === 'void' && is === 'open') journal.append(voids(n))
        else if (what === 'post' && is === 'ended') journal.posted([callId(n)])
        else continue
        state.set(n, what === 'open' ? 'open' : what === 'end' ? 'ended' : 'over')
      }
      await new Promise((resolve) => { setImmediate(resolve) })
    }
    await folder.close()

    const { open: stillOpen, ended } = await found(path)
    const of = (word: string): string[] => [...state].filter(([, is]) => is === word).map(([n]) => callId(n)).sort()
    t.strictSame(stillOpen, of('open'))
    t.strictSame(of('ended').filter((id) => !ended.includes(id)), [], 'what is not posted is there')
  }), { numRuns: 60 })
})

t.test('what waits for PostgreSQL keeps its segments and is not written again and again', async (t) => {
  const path = aFolder(t)
  const folder = await open(path, { segmentBytes: 2_000, carryAfterSegments: 1, syncIntervalMs: 1 })
  const journal: Journal = folder.begin(1)
  for (let n = 0; n < 30; n++) await writeAll(journal, [opens(n), ends(n)])

  const text = segmentsIn(path).map((name) => readFileSync(join(path, name), 'utf8')).join('')
  t.equal(text.match(/"t":"open"/g)?.length, 30)
  await folder.close()
})

t.test('a segment that cannot be begun does not stop the journal', async (t) => {
  const path = aFolder(t)
  let refuse = false
  const log = aLog()
  const files: FileOps = {
    ...systemFileOps,
    create (file) {
      if (refuse) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
      return systemFileOps.create(file)
    },
  }
  const folder = await open(path, { files, segmentBytes: 1_000, log })
  const journal = folder.begin(1)
  refuse = true
  for (let n = 0; n < 5; n++) await written(journal, opens(n))

  t.equal(segmentsIn(path).length, 1)
  t.equal(journal.writable, true)
  t.match(log.lines[0], { message: 'the journal could not begin a new segment' })
  refuse = false
  await written(journal, opens(5))
  t.equal(segmentsIn(path).length, 2)
  await folder.close()
  t.equal((await found(path)).open.length, 6)
})

t.test('a closed journal takes nothing', async (t) => {
  const folder = await open(aFolder(t))
  const journal = folder.begin(1)
  const last = written(journal, opens(1))
  await folder.close()

  await last
  await t.rejects(written(journal, opens(2)), { code: 'journal_closed' })
  t.equal(journal.writable, false)
  await journal.close()
})

t.test('its files are for their owner only', async (t) => {
  const path = aFolder(t)
  const folder = await open(path)
  folder.begin(1)

  t.equal(statSync(path).mode & 0o777, 0o700)
  for (const name of readdirSync(path)) t.equal(statSync(join(path, name)).mode & 0o777, 0o600, name)
  await folder.close()
})
