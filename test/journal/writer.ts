import { writeSync } from 'node:fs'
import { aLog, callId, ends, opens } from './builders.ts'
import { JournalFolder } from '../../src/journal/folder.ts'

/** Writes until it is killed, and prints what the journal said was written. */
const folder = await JournalFolder.open(process.argv[2] as string, {
  log: aLog(), segmentBytes: 200_000, syncIntervalMs: 5,
})
const journal = folder.begin(1)
let next = 0

/** at once, also where the reader is slow and the pipe full */
function say (line: string): void {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

function call (): void {
  const n = next++
  journal.append(opens(n), (error) => {
    if (error !== null) throw error
    say(`open ${callId(n)}\n`)
    journal.append(ends(n), (failed) => {
      if (failed !== null) throw failed
      say(`end ${callId(n)}\n`)
      call()
    })
  })
}

for (let i = 0; i < 16; i++) call()
