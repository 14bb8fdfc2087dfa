import t from 'tap'
import { proveKill } from './kill.ts'
import { aDatabase } from '../stores/postgres/database.ts'

for (const redis of [false, true]) {
  t.test(`every call that reached the provider is recorded once through kill -9, Redis ${redis ? 'on' : 'off'}`, async (t) => {
    const options = { rounds: 1, calls: 100, redis }
    const result = await proveKill(options, (line) => { t.comment(line) }, await aDatabase(t))
    t.ok(result.reached > 0 && result.events >= result.reached)
  })
}
