import { parseArgs } from 'node:util'
import { proveChaos } from './chaos.ts'

const HELP = `npm run chaos -- [options]: three gateways at load while everything around them breaks; ends with 1 where a promise does not hold

  --minutes <number>   how long (10)
  --clients <number>   how many call at once (16)
  --seed <number>      which faults, in which order (any)
`
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '16' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    help: { type: 'boolean', short: 'h' },
  },
})

/** a number above 0, or the end */
function numberOf (name: 'minutes' | 'clients' | 'seed'): number {
  const value = Number(values[name])
  if (Number.isFinite(value) && value > 0) return value
  console.error(`--${name} must be a number above 0; got ${values[name]}`)
  process.exit(2)
}

if (values.help === true) console.log(HELP)
else {
  const options = { ms: numberOf('minutes') * 60_000, clients: numberOf('clients'), seed: numberOf('seed') }
  await proveChaos(options, (line) => { console.log(`  ${line}`) })
  console.log('All hold.')
}
