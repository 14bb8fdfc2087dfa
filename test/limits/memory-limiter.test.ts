import * as fc from 'fast-check'
import t from 'tap'
import { isShort } from '../../src/limits/limiter.ts'
import { MemoryRateLimiter } from '../../src/limits/memory-limiter.ts'
import { aSubject, limiterContract } from './contract.ts'

t.test('the contract', (t) => {
  limiterContract(t, async () => new MemoryRateLimiter(Date.now))
  t.end()
})

t.test('a call fits exactly when it was told to, and not a millisecond before', async () => {
  const limits = fc.record({
    requestsPerMinute: fc.integer({ min: 1, max: 5_000 }), tokensPerMinute: fc.integer({ min: 100, max: 5_000_000 }),
  })
  const calls = fc.array(fc.tuple(fc.nat(100), fc.nat(3_000)), { minLength: 1, maxLength: 60 })
  fc.assert(fc.property(limits, calls, (limits, calls) => {
    let now = 0
    const limiter = new MemoryRateLimiter(() => now)
    const key = aSubject(limits)
    for (const [percent, pause] of calls) {
      const tokens = Math.floor(limits.tokensPerMinute * percent / 100)
      now += pause
      const answer = limiter.take([key], tokens)
      if (!isShort(answer)) continue
      const wait = Number(answer.waitMs)
      if (wait > 60_000) return false
      if (wait > 1) {
        now += wait - 1
        if (!isShort(limiter.look([key], tokens))) return false
        now -= wait - 1
      }
      now += wait
      if (isShort(limiter.take([key], tokens))) return false
    }
    return true
  }), { numRuns: 500 })
})

t.test('over any time, no more passes than a burst of one minute and what drains meanwhile', async () => {
  const call = fc.record({ pause: fc.nat(2_000), tokens: fc.nat(400), used: fc.option(fc.nat(100), { nil: null }) })
  const calls = fc.array(call, { maxLength: 80 })
  const [rpms, tpms] = [fc.integer({ min: 1, max: 300 }), fc.integer({ min: 400, max: 3_000 })]
  fc.assert(fc.property(rpms, tpms, calls, (rpm, tpm, calls) => {
    let [now, requests, tokens] = [0, 0, 0]
    const limiter = new MemoryRateLimiter(() => now)
    const key = aSubject({ requestsPerMinute: rpm, tokensPerMinute: tpm })
    for (const call of calls) {
      now += call.pause
      const answer = limiter.take([key], call.tokens)
      if (isShort(answer)) continue
      limiter.end(answer, call.used === null ? null : Math.min(call.used, call.tokens))
      if (call.used === null) continue
      requests += 1
      tokens += Math.min(call.used, call.tokens)
      const share = 1 + now / 60_000
      if (requests > rpm * share + 1e-3 || tokens > tpm * share + 1e-3) return false
    }
    return true
  }), { numRuns: 500 })
})

t.test('subjects that are empty again are forgotten', async (t) => {
  let now = 0
  const limiter = new MemoryRateLimiter(() => now)
  for (let i = 0; i < 5_000; i++) {
    const taken = limiter.take([aSubject({ requestsPerMinute: 60_000, concurrentCalls: 1 })], 0)
    if (!isShort(taken)) limiter.end(taken, 0)
    now += 1
  }
  t.ok(limiter.size < 2_000, String(limiter.size))
})
