import t from 'tap'
import {
  AuthorityUnavailableError, BatchRefusedError, type LeaseReturn, type PostAnswer,
} from '../../src/account/authority.ts'
import { LedgerWriter } from '../../src/usage/ledger-writer.ts'
import { type UsageEvent } from '../../src/usage/usage.ts'
import { anEvent } from '../account/contract-authority.ts'
import { aWorld } from '../stores/postgres/world.ts'

type Post = (incarnation: number, events: UsageEvent[], returns: LeaseReturn[]) => Promise<PostAnswer>

interface Options {
  returns?: () => LeaseReturn[]
  maxBacklog?: number
  incarnation?: number
  journalBytes?: () => number
  maxJournalBytes?: number
}

function aWriter (post: Post, options: Options = {}) {
  const seen = { posted: [] as string[], aside: [] as string[], answers: 0, log: [] as string[] }
  const note = (_details: object, message: string) => { seen.log.push(message) }
  const writer = new LedgerWriter({
    authority: { post },
    incarnation: options.incarnation ?? 1,
    journal: {
      get bytes () { return options.journalBytes?.() ?? 0 },
      posted: (ids) => { seen.posted.push(...ids) },
      setAside: ({ opening }) => { seen.aside.push(opening.id) },
    },
    now: Date.now,
    log: { warn: note, error: note },
    collectReturns: options.returns ?? (() => []),
    onPosted: () => { seen.answers++ },
    onNotLive: () => undefined,
    intervalMs: 5,
    ...options.maxBacklog === undefined ? {} : { maxBacklog: options.maxBacklog },
    ...options.maxJournalBytes === undefined ? {} : { maxJournalBytes: options.maxJournalBytes },
  })
  return { writer, seen }
}

const someEvents = (n: number) => Array.from({ length: n }, () => anEvent([]))
const ids = (events: UsageEvent[]) => events.map(({ opening }) => opening.id)
const recorded = (events: UsageEvent[]): PostAnswer => ({ inserted: ids(events), accounts: [] })

t.test('events are posted in batches, in order, and then forgotten by the journal', async (t) => {
  const batches: number[] = []
  const { writer, seen } = aWriter(async (_incarnation, events) => {
    batches.push(events.length)
    return recorded(events)
  })
  const events = someEvents(1_200)
  for (const event of events) writer.add(event)
  await writer.stop(Date.now() + 5_000)
  t.same(seen.posted, ids(events))
  t.ok(batches.every((n) => n <= 500) && batches.length <= 5, batches.join())
  t.equal(writer.backlog, 0)
})

t.test('through an outage nothing is lost, and the backlog says when to stop', async (t) => {
  let outages = 3
  const { writer, seen } = aWriter(async (_incarnation, events) => {
    if (outages-- > 0) throw new AuthorityUnavailableError('no answer')
    return recorded(events)
  }, { maxBacklog: 4 })
  const events = someEvents(4)
  for (const event of events.slice(0, 3)) writer.add(event)
  t.notOk(writer.backlogged)
  writer.add(events[3] as UsageEvent)
  t.ok(writer.backlogged)
  await writer.stop(Date.now() + 10_000)
  t.same(seen.posted, ids(events))
  t.notOk(writer.backlogged)
  t.ok(seen.log.includes('the ledger took no post'))
})

t.test('a journal that may not grow any more says when to stop, and says so before', async (t) => {
  let bytes = 10
  let answers = false
  let answered = (): void => {}
  const recording = new Promise<void>((resolve) => { answered = resolve })
  const { writer, seen } = aWriter(async (_incarnation, events) => {
    if (!answers) throw new AuthorityUnavailableError('no answer')
    bytes = 10
    answered()
    return recorded(events)
  }, { journalBytes: () => bytes, maxJournalBytes: 100 })
  const add = (size: number) => {
    bytes = size
    writer.add(someEvents(1)[0] as UsageEvent)
    return seen.log.filter((line) => !line.includes('took no post'))
  }
  t.strictSame(add(49), [])
  t.match(add(50), [/half as many/])
  t.equal(add(99).length, 1)
  t.notOk(writer.backlogged)
  t.match(add(100), [/half/, /no call is forwarded/])
  t.ok(writer.backlogged)
  answers = true
  await recording
  await writer.stop(Date.now() + 5_000)
  t.notOk(writer.backlogged)
  t.match(seen.log.at(-1), /recorded again/)
})

t.test('what the authority refuses for good is found by halves and set aside; the others go on', async (t) => {
  const events = someEvents(40)
  const poison = new Set([events[7], events[8], events[39]].map((event) => event?.opening.id))
  let posts = 0
  const { writer, seen } = aWriter(async (_incarnation, batch) => {
    posts++
    if (batch.some(({ opening }) => poison.has(opening.id))) throw new BatchRefusedError('no')
    return recorded(batch)
  }, { returns: () => [{ accountId: 1, returnedNano: 5n }] })
  for (const event of events) writer.add(event)
  await writer.stop(Date.now() + 5_000)
  t.same(new Set(seen.aside), poison)
  t.same(seen.posted, ids(events).filter((id) => !poison.has(id)))
  t.ok(posts < 40, `${posts} posts`)
})

t.test('PostgreSQL refuses an event that its types cannot hold, and takes the rest of the batch', async (t) => {
  const world = await aWorld(t)
  const incarnation = await world.authority.join('j', 'h')
  const post: Post = (life, events, returns) => world.authority.post(life, events, returns)
  const { writer, seen } = aWriter(post, { incarnation })
  const events = someEvents(6)
  const bad = events[3] as UsageEvent
  bad.end = { ...bad.end, status: 100_000 }
  for (const event of events) writer.add(event)
  await writer.stop(Date.now() + 10_000)
  t.same(seen.aside, [bad.opening.id])
  const rows = await world.sql('select id from usage_events order by id')
  t.same(rows.map((row) => row['id']).sort(), ids(events).filter((id) => id !== bad.opening.id).sort())
})
