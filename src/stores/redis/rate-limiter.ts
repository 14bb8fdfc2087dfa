import { setTimeout as wait } from 'node:timers/promises'
import { type Now } from '../../clock.ts'
import {
  type Levels, type RateLimiter, type RateShort, type RateStanding, standingOf, type Taken,
} from '../../limits/limiter.ts'
import { judged, MemoryRateLimiter } from '../../limits/memory-limiter.ts'
import { type LimitedSubject } from '../../limits/rate-limits.ts'
import { type Command, type Reply, RedisConnection } from './connection.ts'

/**
 * The limiter of gateways that share a Redis or Valkey: one key for each subject,
 * `relaycore:<deployment>:rate:<subject>`, that one script reads and changes, by Redis's own clock. All of a call's
 * subjects are asked in one pipeline; what a call took where another of its subjects refused it is given back.
 *
 * Slots of open calls are counted per gateway, and stand for as long as that gateway says every second how many it has:
 * those of one that died expire, and what a lost answer or a Redis that lost everything made wrong is right again.
 *
 * Never waits for long. Where Redis does not answer, the gateway goes on with its own counts, which it keeps beside.
 */
export interface RedisRateLimiterOptions {
  url: string
  /** tells the deployments apart that share a Redis */
  deploymentId: string
  incarnation: number
  now: Now
  log: { warn (details: object, message: string): void, info (details: object, message: string): void }
  deadlineMs?: number
  /** for how long slots stand that their gateway does not renew */
  slotMs?: number
  renewMs?: number
}

export class RedisRateLimiter implements RateLimiter {
  readonly #o: Required<RedisRateLimiterOptions>
  readonly #redis: RedisConnection
  /** what this gateway alone has taken */
  readonly #own: MemoryRateLimiter
  /** those of which calls are open, or were a moment ago, and how many takes of them are under way */
  readonly #slots = new Map<string, { subject: LimitedSubject, asked: number }>()
  #timer: NodeJS.Timeout | null = null
  alone = 0

  constructor (options: RedisRateLimiterOptions) {
    this.#o = { deadlineMs: 250, slotMs: 10_000, renewMs: 1_000, ...options }
    this.#own = new MemoryRateLimiter(options.now)
    this.#redis = new RedisConnection({
      url: options.url,
      deadlineMs: this.#o.deadlineMs,
      onReady: () => { void this.#renew() },
      onLost: (reason) => {
        options.log.warn({ reason }, 'redis is not reachable: rates are limited by this gateway\'s own counts')
      },
    })
  }

  async start (): Promise<void> {
    this.#timer = setInterval(() => { void this.#renew() }, this.#o.renewMs)
    this.#timer.unref()
    await Promise.race([this.#redis.connect(), wait(4 * this.#o.deadlineMs, undefined, { ref: false })])
  }

  get reachable (): boolean { return this.#redis.ready }

  get commands (): number { return this.#redis.commands }

  async take (of: readonly LimitedSubject[], tokens: number): Promise<Taken | RateShort> {
    this.#expect(of, 1)
    const answers = await this.#ask('take', of, { requests: 1, tokens, calls: 1 })
    this.#expect(of, -1)
    if (answers === null) {
      this.alone++
      return this.#own.take(of, tokens)
    }
    const refused = answers.filter(({ taken }) => !taken)
    if (refused.length === 0) {
      return { ...this.#own.force(of, tokens), standing: standingOf(answers), shared: true }
    }
    this.#give(answers.filter(({ taken }) => taken).map(({ subject }) => subject), { requests: 1, tokens, calls: 1 })
    return judged(refused, tokens, 0) as RateShort
  }

  async look (of: readonly LimitedSubject[], tokens: number): Promise<RateStanding | RateShort> {
    const answers = await this.#ask('look', of, { requests: 1, tokens, calls: 1 })
    return answers === null ? this.#own.look(of, tokens) : judged(answers, tokens) ?? standingOf(answers)
  }

  end (taken: Taken, usedTokens: number | null): void {
    this.#own.end(taken, usedTokens)
    if (taken.shared !== true) return
    this.#give(taken.subjects, {
      requests: usedTokens === null ? 1 : 0, tokens: taken.tokens - (usedTokens ?? 0), calls: 1,
    })
  }

  async close (): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#redis.batch([...this.#slots.values()].map(({ subject }) => this.#command('hold', subject, NOTHING)))
    this.#redis.close()
  }

  /** null: no answer in time */
  async #ask (op: 'take' | 'look', of: readonly LimitedSubject[], what: Levels): Promise<Answer[] | null> {
    const replies = await this.#redis.batch(of.map((subject) => this.#command(op, subject, what)))
    const answers = replies?.map((reply, i) => answerOf(reply, of[i] as LimitedSubject)) ?? null
    return answers?.every((one) => one !== null) === true ? answers : null
  }

  /** no answer is waited for */
  #give (to: readonly LimitedSubject[], what: Levels): void {
    if (to.length === 0) return
    void this.#redis.batch(to.map((subject) => this.#command('give', subject, what)))
  }

  async #renew (): Promise<void> {
    if (this.#slots.size === 0) return
    const gone: string[] = []
    await this.#redis.batch([...this.#slots.values()].map(({ subject, asked }) => {
      const calls = this.#own.calls(subject.id)
      if (calls + asked === 0) gone.push(subject.id)
      // what is under way may have been taken by now, or not
      return this.#command('hold', subject, { requests: asked, tokens: 0, calls })
    }))
    for (const id of gone) if (this.#own.calls(id) + (this.#slots.get(id)?.asked ?? 0) === 0) this.#slots.delete(id)
  }

  #expect (of: readonly LimitedSubject[], change: 1 | -1): void {
    for (const subject of of) {
      if (subject.limits.concurrentCalls === undefined) continue
      const asked = (this.#slots.get(subject.id)?.asked ?? 0) + change
      this.#slots.set(subject.id, { subject, asked })
    }
  }

  #command (op: string, { id, limits }: LimitedSubject, { requests, tokens, calls }: Levels): Command {
    const { requestsPerMinute = 0, tokensPerMinute = 0, concurrentCalls = 0 } = limits
    return ['eval', SCRIPT, 1, `relaycore:${this.#o.deploymentId}:rate:${id}`, op, this.#o.incarnation, this.#o.slotMs,
      requestsPerMinute, tokensPerMinute, concurrentCalls, requests, tokens, calls]
  }
}

interface Answer { subject: LimitedSubject, taken: boolean, levels: Levels }

const NOTHING: Levels = { requests: 0, tokens: 0, calls: 0 }

/** null: an error */
function answerOf ([error, value]: Reply, subject: LimitedSubject): Answer | null {
  if (error !== null || !Array.isArray(value)) return null
  const [taken, requests, tokens, calls] = value as unknown[]
  const levels = { requests: Number(requests), tokens: Number(tokens), calls: Number(calls) }
  return { subject, taken: taken === 1, levels }
}

/**
 * KEYS[1]: the subject. ARGV: what to do (take, look, give, hold), the gateway, how long its slots stand (ms), the
 * limits (0: none) of requests, tokens and calls, and how much of each. To hold: so many calls are open, and as many
 * more as the requests say may be. Answers whether it fits, and the levels: without it where it does not, with it where
 * it was taken. A hash: `at` (ms), `r` and `t` as they were then, and per gateway `c:<incarnation>`, how many calls and
 * until when.
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local op, me, slot = ARGV[1], 'c:' .. ARGV[2], tonumber(ARGV[3])
local rpm, tpm, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local r, t, c = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local at, requests, tokens, calls, mine = now, 0, 0, 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'at' then at = tonumber(value)
  elseif name == 'r' then requests = tonumber(value)
  elseif name == 't' then tokens = tonumber(value)
  else
    local count, till = string.match(value, '^(%d+) (%d+)$')
    if tonumber(till) <= now then redis.call('HDEL', KEYS[1], name)
    elseif name == me then mine = tonumber(count)
    else calls = calls + tonumber(count) end
  end
end
local past = math.max(0, now - at) / 60000
requests = math.max(0, requests - rpm * past)
tokens = math.max(0, tokens - tpm * past)
local function over(limit, level, need) return limit > 0 and (level + need - limit) * 60000 / limit > 0.0001 end
local fits = not (over(rpm, requests, r) or over(tpm, tokens, t) or (most > 0 and calls + mine + c > most))
if op == 'look' or (op == 'take' and not fits) then
  return { fits and 1 or 0, tostring(requests), tostring(tokens), calls + mine }
end
if op == 'take' then requests, tokens, mine = requests + r, tokens + t, mine + c
elseif op == 'give' then
  requests, tokens, mine = math.max(0, requests - r), math.max(0, tokens - t), math.max(0, mine - c)
else mine = math.min(math.max(mine, c), c + r) end
redis.call('HSET', KEYS[1], 'at', now, 'r', tostring(rpm > 0 and requests or 0), 't', tostring(tpm > 0 and tokens or 0))
if most > 0 and mine > 0 then redis.call('HSET', KEYS[1], me, string.format('%d %d', mine, now + slot))
else redis.call('HDEL', KEYS[1], me) end
redis.call('PEXPIRE', KEYS[1], 120000)
return { 1, tostring(requests), tostring(tokens), calls + mine }
`
