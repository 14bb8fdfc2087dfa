import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import t from 'tap'
import { sameBoot, readBootId } from '../../src/journal/boot-id.ts'
import { type JournalLife } from '../../src/journal/journal.ts'
import { aFolder, callId, ends, open, opens, voids, writeAll, written } from './builders.ts'

const ID = '0190a1b2-0000-4000-8000-000000000001'

/** the bytes of a life: calls 0..n-1 opened, the even ones ended, every fifth voided; and where each record ends */
async function aLife (t: { teardown (fn: () => unknown): void }, segmentBytes = 1e9):
Promise<{ name: string, bytes: Buffer }[]> {
  const path = aFolder(t)
  mkdirSync(path)
  writeFileSync(join(path, 'journal-id'), ID)
  const folder = await open(path, { segmentBytes, syncIntervalMs: 0 })
  const journal = folder.begin(1)
  for (let n = 0; n < 12; n++) {
    await written(journal, opens(n))
    if (n % 5 === 4) await written(journal, voids(n))
    else if (n % 2 === 0) await written(journal, ends(n))
  }
  const names = readdirSync(path).filter((name) => name.endsWith('.journal')).sort()
  const files = names.map((name) => ({ name, bytes: readFileSync(join(path, name)) }))
  await folder.close()
  return files
}

async function reading (path: string, files: { name: string, bytes: Buffer }[]): Promise<JournalLife> {
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path)
  writeFileSync(join(path, 'journal-id'), ID)
  for (const { name, bytes } of files) writeFileSync(join(path, name), bytes)
  const folder = await open(path)
  const lives = await folder.lives()
  await folder.close()
  return lives[0] as JournalLife
}

/** what whole lines say, read the simple way */
function expected (text: string): { open: string[], ended: string[] } {
  const state = new Map<string, string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const record = JSON.parse(line.slice(9)) as { t: string, id: string }
    if (record.t === 'open') state.set(record.id, 'open')
    if (record.t === 'end' && state.has(record.id)) state.set(record.id, 'ended')
    if (record.t === 'void') state.delete(record.id)
  }
  const of = (word: string): string[] => [...state].filter(([, is]) => is === word).map(([id]) => id)
  return { open: of('open'), ended: of('ended') }
}

function seen (life: JournalLife): { open: string[], ended: string[] } {
  return { open: life.open.map((call) => call.id), ended: life.ended.map(({ opening }) => opening.id) }
}

t.test('cut at any byte, the file gives exactly what was written whole before the cut', async (t) => {
  const [file] = await aLife(t)
  const { name, bytes } = file as { name: string, bytes: Buffer }
  const path = aFolder(t)

  await fc.assert(fc.asyncProperty(fc.nat(bytes.length), async (length) => {
    const cut = bytes.subarray(0, length)
    const life = await reading(path, [{ name, bytes: cut }])
    const whole = cut.lastIndexOf('\n') + 1

    t.strictSame(life.damaged, [])
    t.strictSame(seen(life), expected(bytes.toString('utf8', 0, whole)))
    t.equal(life.tornBytes, length - whole)
    t.equal(life.complete, false)
  }), { numRuns: 150, examples: [[0], [1], [bytes.length - 1], [bytes.length]] })
})

t.test('cut at any byte of any segment before the last, the loss is reported', async (t) => {
  const files = await aLife(t, 1_500)
  const path = aFolder(t)
  t.ok(files.length > 3)

  await fc.assert(fc.asyncProperty(fc.nat(files.length - 2), fc.nat(), async (which, at) => {
    const target = files[which] as { name: string, bytes: Buffer }
    const length = at % target.bytes.length
    // An end exactly between two records cannot be told from a file that was always that short.
    fc.pre(length > 0 && target.bytes[length - 1] !== 0x0a)
    const cut = files.map((file, i) => i === which ? { name: file.name, bytes: file.bytes.subarray(0, length) } : file)

    const life = await reading(path, cut)

    t.equal(life.damaged.length, 1)
    t.equal(life.damaged[0]?.file, join(path, target.name))
  }), { numRuns: 60 })
})

t.test('any changed byte is noticed, no record is invented, and what follows is still found', async (t) => {
  const [file] = await aLife(t)
  const { name, bytes } = file as { name: string, bytes: Buffer }
  const path = aFolder(t)
  const all = expected(bytes.toString())
  const ids = new Set([...all.open, ...all.ended, callId(4), callId(9)])

  await fc.assert(fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] as number) ^ by
    const life = await reading(path, [{ name, bytes: changed }])

    t.ok(life.damaged.length > 0, `byte ${at} ^ ${by}`)
    const { open, ended } = seen(life)
    for (const id of [...open, ...ended]) t.ok(ids.has(id))
    t.ok(open.length + ended.length >= all.open.length + all.ended.length - 2, 'at most two records are lost')
  }), { numRuns: 150, examples: [[bytes.length - 1, 1], [0, 1], [8, 1]] })
})

t.test('damage is reported with its place, and its files are kept when the life is forgotten', async (t) => {
  const [file] = await aLife(t)
  const { name, bytes } = file as { name: string, bytes: Buffer }
  const path = aFolder(t)
  const second = bytes.indexOf('\n') + 1
  const changed = Buffer.from(bytes)
  changed[second + 20] = 0x00
  await reading(path, [{ name, bytes: changed }])

  const folder = await open(path)
  const [life] = await folder.lives()
  t.match(life?.damaged, [{ file: join(path, name), offset: second, reason: 'no record' }])
  t.equal(folder.mayMissRecords(life as JournalLife), true)
  folder.forget(life as JournalLife)

  t.strictSame(await folder.lives(), [])
  const [kept] = readdirSync(join(path, 'kept'))
  t.strictSame(readFileSync(join(path, 'kept', kept as string)), changed)
  await folder.close()
})

t.test('a missing segment is damage', async (t) => {
  const files = await aLife(t, 1_500)
  const life = await reading(aFolder(t), files.filter((_, i) => i !== 1))

  t.match(life.damaged, [{ offset: 0, reason: 'the segment before 3 is missing' }])
})

t.test('a segment that lost its header, or has that of another journal, is damage', async (t) => {
  const [file] = await aLife(t)
  const { name, bytes } = file as { name: string, bytes: Buffer }
  const path = aFolder(t)

  const headless = await reading(path, [{ name, bytes: bytes.subarray(bytes.indexOf('\n') + 1) }])
  t.match(headless.damaged, [{ offset: 0, reason: 'the header is missing' }])
  t.strictSame(seen(headless), expected(bytes.toString()))
  t.equal(headless.header.bootId, '')

  const renamed = await reading(path, [{ name: name.replace('1-', '2-'), bytes }])
  t.match(renamed.damaged, [{ offset: 0, reason: 'the header belongs to another file' }])
})

t.test('an empty last segment, as a crash leaves it, is no damage', async (t) => {
  const files = await aLife(t, 1_500)
  const last = files[files.length - 1] as { name: string, bytes: Buffer }
  const life = await reading(aFolder(t), [...files.slice(0, -1), { name: last.name, bytes: Buffer.alloc(0) }])

  t.strictSame(life.damaged, [])
  t.equal(life.tornBytes, 0)
})

t.test('zeros at the end, as a power cut leaves them, are a torn tail', async (t) => {
  const [file] = await aLife(t)
  const { name, bytes } = file as { name: string, bytes: Buffer }
  const life = await reading(aFolder(t), [{ name, bytes: Buffer.concat([bytes, Buffer.alloc(4096)]) }])

  t.strictSame(life.damaged, [])
  t.equal(life.tornBytes, 4096)
})

t.test('records larger than a read are found whole', async (t) => {
  const path = aFolder(t)
  const folder = await open(path)
  const journal = folder.begin(1)
  const big = 'ü'.repeat(1_200_000)
  await writeAll(journal, [opens(1), { t: 'void', id: big }, opens(2)])
  await folder.close()

  const next = await open(path)
  const [life] = await next.lives()
  t.strictSame(life?.open.map((call) => call.id), [callId(1), callId(2)])
  t.strictSame(life?.damaged, [])
  await next.close()
})

t.test('records may be missing after another boot, unless the life ended in order', async (t) => {
  const path = aFolder(t)
  const crashed = await aLife(t)
  await reading(path, crashed)

  const same = await open(path, { bootId: 'boot-1' })
  t.equal(same.mayMissRecords((await same.lives())[0] as JournalLife), false)
  await same.close()
  const other = await open(path, { bootId: 'boot-2' })
  t.equal(other.mayMissRecords((await other.lives())[0] as JournalLife), true)
  other.begin(2)
  await other.close()
  const later = await open(path, { bootId: 'boot-3' })
  const lives = await later.lives()
  t.strictSame(lives.map((life) => later.mayMissRecords(life)), [true, false])
  await later.close()
})

t.test('boots are told apart by the kernel\'s id, or by the time of the boot', async (t) => {
  t.equal(sameBoot('a', 'a'), true)
  t.equal(sameBoot('a', 'b'), false)
  t.equal(sameBoot('', ''), false, 'not known is not the same')
  t.equal(sameBoot('booted:1000000', 'booted:1000900'), true)
  t.equal(sameBoot('booted:1000000', 'booted:1090000'), false)
  t.equal(sameBoot('booted:1000000', 'a'), false)
  t.match(readBootId(), /./)
  t.equal(readBootId(), readBootId())
  t.match(readBootId(1e12, '/nowhere'), /^booted:\d+$/)
})

t.test('earlier lives stay until they are forgotten, each by itself', async (t) => {
  const path = aFolder(t)
  for (const incarnation of [3, 10, 200]) {
    const folder = await open(path)
    await written(folder.begin(incarnation), opens(incarnation))
    await folder.close()
  }

  const folder = await open(path)
  const lives = await folder.lives()
  t.strictSame(lives.map((life) => life.header.incarnation), [3, 10, 200])
  const own = folder.begin(201)
  const bytes = own.bytes
  folder.forget(lives[1] as JournalLife)
  t.ok(own.bytes < bytes)
  t.strictSame((await folder.lives()).map((life) => life.header.incarnation), [3, 200], 'its own life is not among them')
  folder.keep(lives[0] as JournalLife)
  t.strictSame((await folder.lives()).map((life) => life.header.incarnation), [200])
  t.notOk(lives[1]?.files.some((file) => existsSync(file)))
  await folder.close()
})

t.test('an incarnation that is already there is refused: its files belong to another database', async (t) => {
  const path = aFolder(t)
  const first = await open(path)
  first.begin(1)
  await first.close()

  const second = await open(path)
  t.throws(() => second.begin(1), { code: 'journal_folder' })
  await second.close()
})

t.test('killed at any moment, it has every record that it said was written', { timeout: 60_000 }, async (t) => {
  const writer = fileURLToPath(new URL('./writer.js', import.meta.url))
  for (let round = 0; round < 5; round++) {
    const path = aFolder(t)
    const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const acked = new Map<string, string>()
    const stopAt = 300 + round * 777
    for await (const line of createInterface({ input: child.stdout })) {
      const [what, id] = line.split(' ') as [string, string]
      acked.set(id, what)
      if (acked.size === stopAt) child.kill('SIGKILL')
    }

    const folder = await open(path)
    const [life] = await folder.lives()
    const open_ = new Set(life?.open.map((call) => call.id))
    const ended = new Set(life?.ended.map(({ opening }) => opening.id))
    let missing = 0
    for (const [id, what] of acked) {
      if (what === 'end' ? !ended.has(id) : what === 'open' && !open_.has(id) && !ended.has(id)) missing++
    }
    t.ok(acked.size >= stopAt)
    t.equal(missing, 0, `of ${acked.size} acknowledged`)
    t.strictSame(life?.damaged, [])
    await folder.close()
  }
})
