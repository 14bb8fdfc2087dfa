import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config.ts'
import { type Core } from '../src/core.ts'
import { parseBody } from '../src/providers/body.ts'
import { type BillableEndpoint, isRefusal } from '../src/providers/provider.ts'
import { startServer } from '../src/server.ts'
import { chatJson } from '../test/provider/wire.ts'
import { budgets, dataFolder, headers, median, settings } from './setting.ts'
import { SHAPES } from './shapes.ts'

/**
 * `npm run bench:gate`: what a call costs the gateway beside HTTP. In one process each call is identified, read, held
 * on five budgets, journaled, metered, settled, logged and recorded in PostgreSQL, and goes nowhere. With its code warm
 * and nobody beside it it takes a part of what it takes in a gateway that serves, but its figures differ little from
 * run to run, so that changes of some microseconds show. The lines of the log go to stdout, which nobody reads.
 */
const HELP = 'npm run bench:gate -- [--large] [--calls n] [--width n] [--rounds n]\n' +
  '--large: requests of 80 KB; --calls: in one round, default 10000; --width: at once, default 64; --rounds: default 9'

const { values } = parseArgs({
  options: {
    large: { type: 'boolean', default: false },
    calls: { type: 'string', default: '10000' },
    width: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '9' },
    help: { type: 'boolean', default: false },
  },
})
/** V8 goes on compiling for so long */
const WARM_UP_ROUNDS = 4
const NOWHERE = 'http://127.0.0.1:9'

const ANSWER = Buffer.from(JSON.stringify(chatJson({
  id: 'chatcmpl-bench',
  model: 'gpt-4o-mini',
  usage: { input: 100, output: 50, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
  usageShown: true,
  pieces: ['x'.repeat(400)],
  n: 1,
})))
const HEAD = { status: 200, contentType: 'application/json', contentEncoding: 'identity', headers: {} }

async function main (): Promise<void> {
  if (values.help) { console.error(HELP); return }
  const { dataDir, remove } = dataFolder()
  try {
    const { core, url, close } = await startServer({
      config: loadConfig(settings(dataDir, NOWHERE)),
      say: () => {},
      onFatal: (error) => { throw error },
    })
    // its PostgreSQL must not outlive it
    await measure(core, url).finally(close)
  } finally {
    remove()
  }
}

async function measure (core: Core, url: string): Promise<void> {
  const [calls, width, rounds] = [Number(values.calls), Number(values.width), Number(values.rounds)]
  const key = await budgets(url)
  const sent = headers(key)
  const provider = core.providers.map((one) => one.provider).find(({ name }) => name === 'openai')
  const endpoint = provider?.endpoints.find((one): one is BillableEndpoint => one.kind === 'billable' && one.path === SHAPES.json.path)
  if (provider === undefined || endpoint === undefined) throw new Error('there is no provider of chat completions')
  const bytes = Buffer.from((values.large ? SHAPES.large : SHAPES.json).body)

  const one = async (): Promise<void> => {
    const identity = await core.gate.identify(key, sent)
    const parsed = parseBody(bytes)
    if (isRefusal(identity) || 'refusal' in parsed) throw new Error('the bench asks for something that is refused')
    const target = { params: {}, search: '', headers: sent }
    const intake = { provider, endpoint, target, identity, body: parsed.body, bytes, requestId: null }
    const call = await core.gate.open(intake, () => false)
    if (isRefusal(call)) throw new Error(call.message)
    void call.headers
    const meter = call.meter(HEAD)
    meter.data(ANSWER)
    meter.end()
    call.settle({ outcome: 'completed', status: HEAD.status, reading: meter.reading(), error: null })
  }
  const round = async (): Promise<number> => {
    const before = process.cpuUsage()
    let left = calls
    await Promise.all(Array.from({ length: width }, async () => { while (left-- > 0) await one() }))
    // its recording belongs to its cost
    while (core.writer.backlog > 0) await wait(2)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / calls
  }
  for (let i = 0; i < WARM_UP_ROUNDS; i++) await round()
  const cpu: number[] = []
  for (let i = 0; i < rounds; i++) cpu.push(await round())
  console.error(`${width} at once, ${rounds} rounds of ${calls} calls: CPU per call, all threads, least ${Math.min(...cpu).toFixed(1)} us, ` +
    `median ${median(cpu).toFixed(1)} us`)
}

await main()
process.exit()
