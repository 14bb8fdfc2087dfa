import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Loaded before a gateway: with SIGUSR2 it collects its garbage and says what memory it has then. */
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
process.on('SIGUSR2', () => {
  collect()
  process.stdout.write(`${JSON.stringify({ memory: process.memoryUsage() })}\n`)
})
