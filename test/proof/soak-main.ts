import { parseArgs } from 'node:util'
import { numberOf } from './options.ts'
import { proveSoak } from './soak.ts'

const HELP = `npm run soak -- [options]: two gateways at a moderate load; ends with 1 where something grows

  --minutes <number>   how long (30)
  --rate <number>      calls a second (40)
`
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '40' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help === true) console.log(HELP)
else {
  const options = { ms: numberOf(values, 'minutes') * 60_000, callsPerSecond: numberOf(values, 'rate') }
  await proveSoak(options, (line) => { console.log(`  ${line}`) })
  console.log('Nothing grows.')
}
