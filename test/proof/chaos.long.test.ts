import t from 'tap'
import { proveChaos } from './chaos.ts'

/** another seed each time: what it was is in the comments of a failure */
const SEED = 1 + Math.floor(Math.random() * 2 ** 31)

t.test('while everything breaks nothing is overspent, lost or stuck, and all books agree in the end', async (t) => {
  const result = await proveChaos({ ms: 20_000, seed: SEED, clients: 4 }, (line) => { t.comment(line) })
  t.ok((result.answers['answered'] ?? 0) > 0 && result.events >= result.reached)
})
