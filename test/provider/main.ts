import { parseArgs } from 'node:util'
import { startProvider } from './provider.ts'

// The test provider as a process of its own: prints {"port", "url"} when it listens, ends with SIGTERM.
const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, fast: { type: 'boolean', default: false } },
})

const provider = await startProvider({ port: Number(values.port), fast: values.fast, keepBodies: false })
process.stdout.write(`${JSON.stringify({ port: provider.port, url: provider.url })}\n`)

const stop = (): void => { provider.close().then(() => process.exit(0), () => process.exit(1)) }
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
