import t, { type Test } from 'tap'
import { explore, type Exploration } from './explore.ts'
import { type Judge } from './invariants.ts'
import { ACTIONS, SAFEGUARDS, type Action, type Bounds, type Safeguard } from './protocol.ts'

/** Set to see the shortest way to each violation. */
const SHOW_TRACES = process.env.RELAYCORE_MODEL_TRACES !== undefined

const PLAIN: Bounds = {
  limits: [2],
  calls: 2,
  quotes: [1],
  overrun: 0,
  granted: 2,
  needs: [[1]],
  lives: 2,
  gateways: 2,
  crashes: 1,
  posts: 1,
  grantAnswers: 1,
  lowering: false,
  poison: false,
  long: false,
  writeOff: false,
  powerCut: false,
  copies: false,
}

interface World { bounds: Bounds, states: number }

/** Each world turns up something else, and is exhausted. `states`: how many it has at least. */
const WORLDS = {
  'a gateway that dies and comes back': {
    bounds: { ...PLAIN, gateways: 1, quotes: [2], limits: [3], granted: 3, needs: [[1], [2]] },
    states: 30_000,
  },
  'a gateway that dies twice': {
    bounds: { ...PLAIN, gateways: 1, lives: 3, crashes: 2, limits: [1] },
    states: 10_000,
  },
  'two gateways that share a budget to its last cent, one of which dies': {
    bounds: PLAIN,
    states: 80_000,
  },
  'two gateways that fight for a budget that only one call fits into': {
    bounds: { ...PLAIN, quotes: [2], granted: 4, needs: [[2]] },
    states: 25_000,
  },
  'messages that overtake each other': {
    bounds: { ...PLAIN, gateways: 1, lives: 1, crashes: 0, granted: 3, posts: 2, grantAnswers: 2 },
    states: 9_000,
  },
  'two accounts on each call, and a crash': {
    bounds: { ...PLAIN, gateways: 1, limits: [2, 1], needs: [[1, 1], [1, 0]] },
    states: 20_000,
  },
  'two accounts on each call, and two gateways': {
    bounds: { ...PLAIN, crashes: 0, limits: [1, 1], needs: [[1, 1], [1, 0]] },
    states: 15_000,
  },
  'calls that cost more than their quote': {
    bounds: { ...PLAIN, overrun: 1, needs: [[2]] },
    states: 20_000,
  },
  'a limit that is lowered': {
    bounds: { ...PLAIN, quotes: [2], limits: [3], needs: [[2]], lowering: true },
    states: 15_000,
  },
  'a call that becomes long, of a gateway that dies': {
    bounds: { ...PLAIN, gateways: 1, calls: 1, quotes: [2], limits: [3], granted: 3, needs: [[2]], long: true },
    states: 500,
  },
  'calls that become long, at a gateway whose messages overtake each other': {
    bounds: { ...PLAIN, gateways: 1, lives: 1, crashes: 0, limits: [2], granted: 3, long: true },
    states: 1_000,
  },
  'a gateway that is written off, and wakes': {
    bounds: { ...PLAIN, quotes: [2], granted: 2, needs: [[2]], writeOff: true, copies: true },
    states: 5_000,
  },
  'an event that PostgreSQL refuses': {
    bounds: { ...PLAIN, gateways: 1, limits: [1], poison: true },
    states: 5_000,
  },
  'a gateway that is written off, with an event that PostgreSQL refuses': {
    bounds: { ...PLAIN, gateways: 1, limits: [1], poison: true, writeOff: true },
    states: 5_000,
  },
  'a machine that stops, and a journal that had not synced': {
    bounds: { ...PLAIN, gateways: 1, limits: [2], quotes: [2], needs: [[2]], granted: 4, powerCut: true },
    states: 5_000,
  },
} satisfies Record<string, World>

interface Mutant {
  world: keyof typeof WORLDS
  /** what is broken once the safeguard is gone */
  breaks: RegExp
  /** `promises` unless the safeguard only keeps an equation behind them */
  judge?: Judge
}

const MUTANTS: Record<Safeguard, Mutant> = {
  'conditional grant': {
    world: 'two gateways that fight for a budget that only one call fits into',
    breaks: /^P1: .* pass the limit/,
  },
  'incarnation check': { world: 'a gateway that dies twice', breaks: /^P3: at rest, something stays leased/ },
  'greatest granted': {
    world: 'messages that overtake each other',
    breaks: /holds, spent and gave back more than it was granted/,
    judge: 'everything',
  },
  'heartbeat tells granted': {
    world: 'messages that overtake each other',
    breaks: /^P3: at rest, something stays leased/,
  },
  'all-or-none hold': { world: 'two accounts on each call, and a crash', breaks: /^P1: / },
  'journal before send': { world: 'a gateway that dies and comes back', breaks: /^P2: .* nobody knows of it/ },
  'journal before give-up': {
    world: 'two gateways that fight for a budget that only one call fits into',
    breaks: /^P1: .* pass the limit/,
  },
  'memory first': {
    world: 'two gateways that fight for a budget that only one call fits into',
    breaks: /^P1: .* pass the limit/,
  },
  'absolute returned': {
    world: 'two gateways that fight for a budget that only one call fits into',
    breaks: /^P1: .* pass the limit/,
  },
  dedupe: { world: 'a gateway that dies and comes back', breaks: /^P1: .* pass the limit/ },
  covered: { world: 'calls that cost more than their quote', breaks: /^P1: .* pass the limit/ },
  'forget after answer': { world: 'a gateway that dies and comes back', breaks: /^P2: .* without an event/ },
  'uncertain on crash': { world: 'a gateway that dies and comes back', breaks: /^P2: .* without an event/ },
  'long once': {
    world: 'a call that becomes long, of a gateway that dies',
    breaks: /^leased is not the sum over its leases and long holds|^a lease gave back/,
    judge: 'everything',
  },
  'long while live': { world: 'a call that becomes long, of a gateway that dies', breaks: /^P2: a call has more than one event/ },
  'returned once told': {
    world: 'calls that become long, at a gateway whose messages overtake each other',
    breaks: /^P3: at rest, something stays leased/,
  },
  'row before uncertain': { world: 'a call that becomes long, of a gateway that dies', breaks: /^P2: a call has more than one event/ },
  'write-once close': {
    world: 'two gateways that fight for a budget that only one call fits into',
    breaks: /^P1: .* pass the limit/,
  },
  'write-off replaced': { world: 'a gateway that is written off, and wakes', breaks: /^P1: .* pass the limit/ },
  'posted before closed': { world: 'a gateway that is written off, and wakes', breaks: /^P1: .* pass the limit/ },
  'set-aside stays written off': {
    world: 'a gateway that is written off, with an event that PostgreSQL refuses',
    breaks: /^P1: .* pass the limit/,
  },
  'doubt after a power cut': {
    world: 'a machine that stops, and a journal that had not synced',
    breaks: /^P1: .* pass the limit/,
  },
  'beyond a dead lease': {
    world: 'a machine that stops, and a journal that had not synced',
    breaks: /^P3: at rest, a call stays unfinished/,
  },
  'set-aside stays leased': { world: 'an event that PostgreSQL refuses', breaks: /^P1: .* pass the limit/ },
}

function showTrace (t: Test, { trace }: Exploration): void {
  if (!SHOW_TRACES) return
  for (const [step, action] of trace.entries()) t.comment(`${step + 1}. ${action}`)
}

t.test('the protocol keeps every invariant in every state, and can come to rest from each', async (t) => {
  const taken = new Set<Action>()
  let states = 0
  for (const [name, world] of Object.entries(WORLDS)) {
    const found = explore(world.bounds)
    t.equal(found.violation, null, name)
    showTrace(t, found)
    t.ok(found.states >= world.states, `${name}: ${found.states} states, ${found.transitions} transitions, depth ${found.depth}`)
    for (const action of found.taken) taken.add(action)
    states += found.states
  }
  t.ok(states > 250_000, `${states} states in all`)
  t.same(ACTIONS.filter((action) => !taken.has(action)), [], 'every action was taken')
})

t.test('without any one of its safeguards the protocol breaks, and the check finds out', async (t) => {
  for (const [name, mutant] of Object.entries(MUTANTS) as [Safeguard, Mutant][]) {
    const found = explore(WORLDS[mutant.world].bounds, name, mutant.judge ?? 'promises')
    t.match(found.violation, mutant.breaks, `unless ${SAFEGUARDS[name]}`)
    t.ok(found.trace.length > 0, `${found.trace.length} steps, found among ${found.states} states`)
    showTrace(t, found)
  }
})
