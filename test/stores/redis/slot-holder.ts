import { RedisRateLimiter } from '../../../src/stores/redis/rate-limiter.ts'

/** A gateway's limiter in a process of its own, for tests that kill it: takes a slot and keeps it. */
const [url = '', deploymentId = '', id = '', ms = ''] = process.argv.slice(2)
const slotMs = Number(ms)
const log = { info: () => {}, warn: () => {} }
const limiter = new RedisRateLimiter({
  url, deploymentId, incarnation: 99, now: Date.now, log, deadlineMs: 2_000, slotMs, renewMs: slotMs / 4,
})
await limiter.start()
await limiter.take([{ id, name: 'key', limits: { concurrentCalls: 1 } }], 1)
process.stdout.write('taken\n')
setInterval(() => {}, 1_000)
