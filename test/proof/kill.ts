import { setTimeout as wait } from 'node:timers/promises'
import { agree, type Agreement, nothingLeft } from './books.ts'
import { kill, ProofWorld } from './world.ts'

/**
 * A gateway is killed in the middle of its calls, again and again. After each restart the ledger has exactly one event
 * per call that reached the provider, exact where its end was written down, uncertain at its quote where not; after
 * the last one nothing is held or leased, and the accounts are the sum of their records.
 */
export interface KillResult extends Agreement { rounds: number }

export async function proveKill (
  options: { rounds: number, calls: number, redis: boolean }, say: (line: string) => void, databaseUrl?: string
): Promise<KillResult> {
  const world = await ProofWorld.open({ redis: options.redis, databaseUrl })
  try {
    let gateway = await world.startGateway()
    await world.admin(gateway, 'POST', '/budgets', {
      name: 'acme', scopeType: 'organization', scopeId: 'acme', amount: '100', currency: 'USD', period: 'monthly',
    })
    const { key } = await world.admin<{ key: string }>(gateway, 'POST', '/keys', { name: 'k', organizationId: 'acme' })
    for (let round = 0; round < options.rounds; round++) {
      const before = (await world.books()).length
      const calls = Array.from({ length: options.calls }, async (_, n) => {
        await wait(Math.random() * 400)
        const behaviour = { delayMs: Math.random() * 80, pieces: 4, gapMs: Math.random() * 10 }
        // the connection breaks when the gateway is killed
        await world.call(gateway, key, `${round}.${n}`, { max_tokens: 100, stream: n % 2 === 0 }, behaviour)
          .catch(() => undefined)
      })
      // in the middle of its calls, however slow the machine is
      while ((await world.books()).length === before) await wait(5)
      await wait(Math.random() * 350)
      await kill(gateway.child, 'SIGKILL')
      await Promise.all(calls)
      gateway = await world.startGateway(gateway)
      await agree(world)
    }
    const code = await kill(gateway.child, 'SIGTERM')
    if (code !== 0) throw new Error(`the last gateway ended with ${code}: ${gateway.output.join('')}`)
    const result = await agree(world)
    await nothingLeft(world)
    say(`${options.rounds} kills ${options.redis ? 'with' : 'without'} Redis: ${result.reached} calls reached the provider, ` +
      `${result.events} events, ${result.uncertain} uncertain, of them ${result.neverSent} never sent`)
    return { rounds: options.rounds, ...result }
  } finally {
    await world.close()
  }
}
