import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t from 'tap'
import { runCommand } from '../../src/commands.ts'
import { type Database } from '../../src/stores/postgres/pool.ts'
import { startRedis } from '../services/redis.ts'
import { aGateway } from './gateway.ts'
import { freePort } from '../services/free-port.ts'

const MARKER = 'a-sentence-that-nobody-may-keep'
const ANSWER = 'an-answer-that-nobody-may-keep'

/** every row of every table, as text */
async function everything (database: Database, but: string[] = []): Promise<string> {
  const tables = await database.query<{ name: string }>({
    text: `
    select c.oid::regclass::text as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`
  })
  const texts = []
  for (const { name } of tables.filter((one) => !but.includes(one.name))) {
    const [row] = await database.query<{ text: string }>({ text: `select coalesce(string_agg(t::text, e'\\n'), '') as text from ${name} t` })
    texts.push(row?.text ?? '')
  }
  return texts.join('\n')
}

async function everythingIn (redis: Redis): Promise<string> {
  const texts: string[] = []
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key)
    const value = type === 'hash'
      ? JSON.stringify(await redis.hgetall(key))
      : type === 'stream' ? JSON.stringify(await redis.xrange(key, '-', '+')) : String(await redis.get(key).catch(() => ''))
    texts.push(key, value)
  }
  return texts.join('\n')
}

t.test('no prompt and no answer is kept anywhere, and a user is forgotten with all sums as they were', async (t) => {
  const port = await freePort()
  const { stop } = await startRedis(port)
  t.teardown(stop)
  const gateway = await aGateway(t, { REDIS_URL: `redis://127.0.0.1:${port}`, RELAYCORE_LOG_LEVEL: 'trace' })
  const redis = new Redis(port)
  t.teardown(() => { redis.disconnect() })
  const { core: { database, auditor, config }, admin } = gateway
  await gateway.budget()
  const each = await gateway.budget({ scopeType: 'user', scopeId: '*', organizationId: 'acme', name: 'each' })
  await gateway.budget({ scopeType: 'user', scopeId: 'alice', organizationId: 'acme', name: 'one' })
  await admin('PUT', `/budgets/${each}`, { overrides: { alice: '5' } })
  const key = await gateway.key({ allowHeaders: ['user', 'session'] })
  await gateway.key({ userId: 'alice' })
  gateway.provider.behave = () => ({
    body: JSON.stringify({
      id: 'x',
      object: 'chat.completion',
      created: 1,
      model: 'gpt-4o',
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      choices: [{ index: 0, message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' }],
    }),
  })
  for (const user of ['alice', 'bob', 'alice']) {
    const headers = { 'x-relaycore-user': user, 'x-relaycore-session': `session of ${user}` }
    const { status, text } = await gateway.chat(key, { messages: [{ role: 'user', content: MARKER }] }, headers)
    t.equal(status, 200)
    t.match(text, ANSWER)
  }
  // refused and failed calls too
  const alice = { 'x-relaycore-user': 'alice' }
  await gateway.chat(key, { model: 'no-such-model', messages: [{ role: 'user', content: MARKER }] }, alice)
  await gateway.chat(key, `{"model":"gpt-4o","messages":[{"role":"user","content":"${MARKER}"`, alice)
  gateway.provider.behave = () => ({ status: 500 })
  await gateway.chat(key, { messages: [{ role: 'user', content: MARKER }] }, alice)
  t.equal((await admin('POST', `/budgets/${each}/usage`, {
    amount: '1', description: 'of alice', metadata: { userId: 'alice', note: 'private' },
  })).status, 201)
  t.equal((await gateway.events()).length, 5)

  const journal = join(gateway.dataDir, 'journal')
  const places = {
    database: await everything(database),
    journal: readdirSync(journal, { withFileTypes: true }).filter((one) => one.isFile())
      .map(({ name }) => readFileSync(join(journal, name), 'utf8')).join('\n'),
    logs: gateway.logs.join('\n'),
    redis: await everythingIn(redis),
  }
  for (const [place, text] of Object.entries(places)) {
    t.ok(text.length > 0, `${place} has something`)
    t.notMatch(text, new RegExp(`${MARKER}|${ANSWER}`), `${place} keeps neither`)
  }

  const forget = async (...args: string[]) => {
    const said: string[] = []
    const env = { DATABASE_URL: config.databaseUrl ?? '', RELAYCORE_DATA_DIR: gateway.dataDir }
    const say = (text: string) => { said.push(text) }
    t.equal(await runCommand(['forget', ...args], env, { say, warn: say }, async () => 1), 0)
    return said.join('\n')
  }
  const sums = async () => await database.query({
    text: `
    select a.id, a.settled_nano, (select sum(amount_nano) from usage_by_day d where d.account_id = a.id and d.facet = 'user') as of_users
    from budget_accounts a order by a.id`
  })
  const before = await sums()
  const dry = await forget('--user', 'alice')
  t.match(dry, /^\d usage events\n\d sums by hour and day\n1 accounts\n2 budgets\n/)
  t.match(dry, /\n1 gateway keys\n[^]*\nNothing was changed/)
  t.same(await sums(), before)
  const [, name] = /The user is (forgotten-[0-9a-f-]+) from now on/.exec(await forget('--user', 'alice', '--apply')) ?? []
  t.notMatch(await everything(database, ['audit_log']), /alice|private/, 'nothing but the audit log has the name')
  t.match(await database.query({ text: 'select distinct user_id from usage_events order by 1 nulls last' }),
    [{ user_id: 'bob' }, { user_id: name }])
  t.same(await sums(), before, 'sums are what they were')
  t.match(await forget('--user', 'alice'), /^\d+ entries of the audit log\n/)
  t.match(await forget('--user', 'nobody'), 'Nothing is stored that names this user.')
  await t.rejects(forget(), /forget needs --user/)
  await auditor.look()
  t.same([...auditor.drifts], [], 'the ledger agrees with itself')
  t.match(await database.query({ text: "select object_id from audit_log where action = 'user.forgotten'" }), [{ object_id: name }])
})
