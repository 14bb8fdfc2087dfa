import { mkdirSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import './no-domains.ts'
import t from 'tap'
import { FILES_ENV, TAKEN_ENV, UNTIL_ENV } from './services/index.ts'

/**
 * Runs test files in one process, one after the other, each taken before another process takes it: what they have in
 * common is loaded and compiled once. The tests of a file stand in line before the one that loads the next. After some
 * time it leaves the rest to another process: what tap makes of a process is made when all of it is over.
 */
const FILES = (process.env[FILES_ENV] ?? '').split(delimiter)
const TAKEN = process.env[TAKEN_ENV] ?? ''
/** no file is taken any more after it; absent: all that are left */
const UNTIL_MS = Number(process.env[UNTIL_ENV] ?? Infinity)
/** for each file */
const MS = 240_000

function isTaken (file: string): boolean {
  try {
    mkdirSync(join(TAKEN, String(FILES.indexOf(file))))
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return true
  }
}

/** the next file that nobody has taken */
function take (): string | undefined {
  for (let file = left.shift(); file !== undefined; file = left.shift()) if (!isTaken(file)) return file
}

const left = [...FILES]

/** `done`: says that the file before has ended */
function next (done: () => void): void {
  void t.test('a file loads', async () => {
    done()
    const file = performance.now() > UNTIL_MS ? undefined : take()
    if (file === undefined) return
    const name = relative(import.meta.dirname, file).replace('.test.js', '')
    const since = performance.now()
    const late = setTimeout(() => {
      console.error(`${name} has not ended in ${MS / 1000} s`)
      process.exit(1)
    }, MS).unref()
    await import(pathToFileURL(file).href)
    next(() => {
      clearTimeout(late)
      // what tap says of a process comes when all of it is over
      console.error(`${name} (${((performance.now() - since) / 1000).toFixed(1)} s)`)
    })
  })
}

// by itself Node waits for ever, and busily, for what a native module may have left behind
t.on('complete', () => { setImmediate(() => { process.exit() }) })
next(() => undefined)
