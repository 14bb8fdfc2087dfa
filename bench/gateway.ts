import { setTimeout as wait } from 'node:timers/promises'
import { loadConfig } from '../src/config.ts'
import { startServer } from '../src/server.ts'
import { serve, type Used } from './control.ts'

/** The gateway as `relaycore start` runs it, with its settings from the environment. */
const RECORDED_WITHIN_MS = 10_000

const { core, url, close } = await startServer({
  config: loadConfig(process.env),
  say: () => {},
  onFatal: (error) => { throw error },
})

serve({ url }, async (): Promise<Used> => {
  // the recording of what was called belongs to its cost
  const deadline = Date.now() + RECORDED_WITHIN_MS
  while (core.writer.backlog > 0 && Date.now() < deadline) await wait(2)
  const { user, system } = process.cpuUsage()
  const { posts } = core.authority.queries
  return { cpuMicros: user + system, queries: core.queries - posts, posts, redis: core.hot.commands }
}, close)
