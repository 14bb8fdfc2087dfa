import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { JournalLockedError } from '../../src/journal/lock.ts'
import { aFolder, open } from './builders.ts'

async function holder (path: string) {
  const writer = fileURLToPath(new URL('./writer.js', import.meta.url))
  const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.stdout.resume()
  return child
}

t.test('a second start ends at once and says which process has the journal', async (t) => {
  const path = aFolder(t)
  const child = await holder(path)
  const error = await open(path).then(() => null, (thrown: unknown) => thrown)

  t.ok(error instanceof JournalLockedError)
  t.match(error, {
    code: 'journal_locked',
    owner: { pid: child.pid, host: hostname() },
    message: new RegExp(`^The journal in ${path} is in use by process ${child.pid} on ${hostname()}, which runs since 2`),
  })
  child.kill('SIGKILL')
  await once(child, 'close')
})

t.test('the lock dies with its process, however that ends, and its file stays the same file', async (t) => {
  const path = aFolder(t)
  const child = await holder(path)
  const { ino } = statSync(join(path, 'lock'))
  child.kill('SIGKILL')
  await once(child, 'close')

  const folder = await open(path)
  t.equal(statSync(join(path, 'lock')).ino, ino)
  t.match(JSON.parse(readFileSync(join(path, 'lock'), 'utf8')), { pid: process.pid })
  await folder.close()
  t.equal(statSync(join(path, 'lock')).ino, ino)
})

t.test('one process cannot have a journal twice, and can have it again', async (t) => {
  const path = aFolder(t)
  const first = await open(path)
  await t.rejects(open(path), { code: 'journal_locked', owner: { pid: process.pid } })
  await first.close()
  await first.close()

  const second = await open(path)
  t.equal(second.journalId, first.journalId, 'the journal keeps its id')
  await second.close()
})

t.test('an owner that has not yet written its name is another process', async (t) => {
  const path = aFolder(t)
  const first = await open(path)
  writeFileSync(join(path, 'lock'), '{"pid":')
  await t.rejects(open(path), { owner: null, message: /in use by another process/ })
  writeFileSync(join(path, 'lock'), 'null')
  await t.rejects(open(path), { code: 'journal_locked', owner: null })
  await first.close()
})

t.test('a folder that cannot be one is refused in a plain sentence, and is not left locked', async (t) => {
  const path = aFolder(t)
  mkdirSync(path)
  writeFileSync(join(path, 'file'), '')
  await t.rejects(open(join(path, 'file')), { code: 'journal_folder', message: /cannot be made/ })

  writeFileSync(join(path, 'journal-id'), 'nonsense')
  await t.rejects(open(path), { code: 'journal_folder', message: /does not hold a UUID/ })
  await t.rejects(open(path), { code: 'journal_folder' }, 'not journal_locked')

  mkdirSync(join(path, 'x', 'lock'), { recursive: true })
  await t.rejects(open(join(path, 'x')), { code: 'journal_lock_failed', message: /cannot be locked/ })
})

t.test('segments without a journal-id are not adopted under a new one', async (t) => {
  const path = aFolder(t)
  mkdirSync(path)
  writeFileSync(join(path, '000000000001-00000001.journal'), '')
  await t.rejects(open(path), { code: 'journal_folder', message: /journal-id is missing/ })
})
