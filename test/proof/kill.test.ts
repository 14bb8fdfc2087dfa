import t from 'tap'
import { proveKill } from './kill.ts'

for (const redis of [false, true]) {
  t.test(`every call that reached the provider is recorded once through kill -9, Redis ${redis ? 'on' : 'off'}`, async (t) => {
    const result = await proveKill({ rounds: redis ? 1 : 2, calls: 100, redis }, (line) => { t.comment(line) })
    t.ok(result.reached > 0 && result.events >= result.reached)
  })
}
