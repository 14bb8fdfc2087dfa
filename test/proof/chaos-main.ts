import { parseArgs } from 'node:util'
import { proveChaos } from './chaos.ts'
import { numberOf } from './options.ts'

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

if (values.help === true) console.log(HELP)
else {
  const options = { ms: numberOf(values, 'minutes') * 60_000, clients: numberOf(values, 'clients'), seed: numberOf(values, 'seed') }
  await proveChaos(options, (line) => { console.log(`  ${line}`) })
  console.log('All hold.')
}
