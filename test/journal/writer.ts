import { writeSync } from 'node:fs'
import { aLog, callId, ends, opens } from './builders.ts'
import { JournalFolder } from '../../src/journal/folder.ts'

/** Writes until it is killed, and prints what the journal said was written. */
const folder = await JournalFolder.open(process.argv[2] as string, {
  log: aLog(), segmentBytes: 200_000, syncIntervalMs: 5,
})
const journal = folder.begin(1)
let next = 0

function call (): void {
  const n = next++
  journal.append(opens(n), (error) => {
    if (error !== null) throw error
    writeSync(1, `open ${callId(n)}\n`)
    journal.append(ends(n), (failed) => {
      if (failed !== null) throw failed
      writeSync(1, `end ${callId(n)}\n`)
      call()
    })
  })
}

for (let i = 0; i < 16; i++) call()
