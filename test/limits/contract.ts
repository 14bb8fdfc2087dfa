import { type Test } from 'tap'
import { isShort, type RateLimiter, type RateShort, type Taken } from '../../src/limits/limiter.ts'
import { type LimitedSubject, type RateLimits } from '../../src/limits/rate-limits.ts'

let subjects = 0

export function aSubject (limits: RateLimits, name = 'key "k"'): LimitedSubject {
  return { id: `key:${++subjects}`, name, limits }
}

/** What every limiter keeps. `aLimiter`: of a deployment of its own. */
export function limiterContract (t: Test, aLimiter: (t: Test) => Promise<RateLimiter>): void {
  const taken = async (limiter: RateLimiter, of: LimitedSubject[], tokens: number): Promise<Taken> => {
    const answer = await limiter.take(of, tokens)
    if (isShort(answer)) throw new Error(`refused: ${JSON.stringify(answer)}`)
    return answer
  }
  const refused = async (limiter: RateLimiter, of: LimitedSubject[], tokens: number): Promise<RateShort> => {
    const answer = await limiter.take(of, tokens)
    if (!isShort(answer)) throw new Error('taken')
    return answer
  }

  t.test('as many requests as the limit says fit at once, and the next says when it fits', async (t) => {
    const limiter = await aLimiter(t)
    const key = aSubject({ requestsPerMinute: 3 })
    for (const remaining of [2, 1, 0]) {
      t.match((await taken(limiter, [key], 10)).standing, { requests: { limit: 3, remaining }, tokens: null })
    }
    const short = await refused(limiter, [key], 10)
    t.match(short, { kind: 'requests', limit: 3, remaining: 0, subject: key })
    t.ok(Number(short.waitMs) > 19_000 && Number(short.waitMs) <= 20_000, 'one of three a minute drains in 20 seconds')
    t.ok(Number(short.standing.requests?.resetMs) > 59_000)
    t.match(await refused(limiter, [key], 10), { kind: 'requests' }, 'a refused one takes nothing, and frees nothing')
  })

  t.test('a call takes its worst case of tokens and gives back at its end what it did not use', async (t) => {
    const limiter = await aLimiter(t)
    const key = aSubject({ tokensPerMinute: 1_000 })
    const first = await taken(limiter, [key], 900)
    const short = await refused(limiter, [key], 200)
    t.match(short, { kind: 'tokens', limit: 1_000 })
    t.ok(short.remaining >= 100 && short.remaining < 110)
    t.ok(Number(short.waitMs) > 5_000 && Number(short.waitMs) <= 6_000)
    limiter.end(first, 100)
    t.ok(Number((await taken(limiter, [key], 800)).standing.tokens?.remaining) >= 100)
  })

  t.test('a call that used more than it took counts in full', async (t) => {
    const limiter = await aLimiter(t)
    const key = aSubject({ tokensPerMinute: 1_000 })
    limiter.end(await taken(limiter, [key], 100), 1_500)
    const short = await refused(limiter, [key], 100)
    t.ok(Number(short.waitMs) > 35_000 && Number(short.waitMs) <= 36_000)
    t.equal(short.remaining, 0)
  })

  t.test('a call that takes more than a minute allows never fits', async (t) => {
    const limiter = await aLimiter(t)
    t.match(await refused(limiter, [aSubject({ tokensPerMinute: 1_000, requestsPerMinute: 1 })], 1_001), { kind: 'tokens', waitMs: null })
  })

  t.test('as many calls are open at once as the limit says; one that did not go out counts for nothing', async (t) => {
    const limiter = await aLimiter(t)
    const key = aSubject({ concurrentCalls: 2, requestsPerMinute: 3 })
    const first = await taken(limiter, [key], 1)
    const second = await taken(limiter, [key], 1)
    t.match(await refused(limiter, [key], 1), { kind: 'calls', limit: 2, waitMs: null })
    limiter.end(first, null)
    const third = await taken(limiter, [key], 1)
    limiter.end(second, 1)
    limiter.end(third, null)
    await taken(limiter, [key], 1)
    await taken(limiter, [key], 1)
    t.match(await refused(limiter, [key], 1), { kind: 'requests' }, 'three have counted')
  })

  t.test('of all its subjects a call takes from all or from none', async (t) => {
    const limiter = await aLimiter(t)
    const key = aSubject({ requestsPerMinute: 2 }, 'key "wide"')
    const team = aSubject({ requestsPerMinute: 1, tokensPerMinute: 50 }, 'budget "narrow"')
    await taken(limiter, [team], 50)
    for (let i = 0; i < 3; i++) t.match(await refused(limiter, [key, team], 50), { subject: { name: 'budget "narrow"' } })
    t.match((await taken(limiter, [key], 1)).standing.requests, { limit: 2, remaining: 1 })
  })

  t.test('to look takes nothing', async (t) => {
    const limiter = await aLimiter(t)
    const key = aSubject({ requestsPerMinute: 1, concurrentCalls: 1 })
    for (let i = 0; i < 3; i++) t.match(await limiter.look([key], 1), { requests: { remaining: 1 } })
    await taken(limiter, [key], 1)
    t.match(await limiter.look([key], 1), { kind: 'requests' })
  })

  t.test('however many ask at once, no more than the limit are let through', async (t) => {
    const limiter = await aLimiter(t)
    const key = aSubject({ requestsPerMinute: 30, concurrentCalls: 7 })
    const answers = await Promise.all(Array.from({ length: 50 }, () => limiter.take([key], 1)))
    t.equal(answers.filter((answer) => !isShort(answer)).length, 7)
  })
}
