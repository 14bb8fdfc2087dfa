import { runCommand, type Start } from './commands.ts'

/** The process: its arguments, settings, output, signals and end. */
const start: Start = async (config, _values, { say }) => {
  // the other commands need nothing of the web
  const { startServer } = await import('./server.ts')
  const starting = startServer({
    config,
    say,
    onFatal: (error) => {
      console.error(`The gateway ends: ${error.message}`)
      process.exit(1)
    },
  })
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) process.exit(130)
    stopping = true
    say(`${signal}: stopping; open calls have ${config.shutdownMs} ms. Once more ends at once.`)
    starting.then(({ close }) => close()).then(() => { process.exit(0) }, fail)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => { stop(signal) })
  await starting
  return 0
}

function fail (error: unknown): void {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

const speech = { say: (text: string) => { console.log(text) }, warn: (text: string) => { console.error(text) } }
runCommand(process.argv.slice(2), process.env, speech, start).then((code) => { process.exitCode = code }, fail)
