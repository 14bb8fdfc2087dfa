import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { ask, json } from '../plugins/gateway/clients.ts'
import { behaviourHeader, type Entry, startProvider } from './provider.ts'

const body = (over: object = {}): string =>
  JSON.stringify({ model: 'gpt-4o-mini', max_tokens: 20, n: 2, messages: [{ role: 'user', content: 'hi' }], ...over })

t.test('its books say what it reported, to whom and when', async (t) => {
  const provider = await startProvider()
  t.teardown(() => provider.close())

  const got = await ask(`${provider.url}/v1/chat/completions`, { headers: { 'x-request-id': 'r1' }, body: body() })
  const blind = await ask(`${provider.url}/v1/chat/completions`, { body: body({ stream: true }) })
  const message = await ask(`${provider.url}/v1/messages`, { body: body({ stream: true }) })

  const [chat, stream, messages] = provider.books
  t.match(chat, {
    requestId: 'r1', dialect: 'openai', model: 'gpt-4o-mini', status: 200, outcome: 'finished', reported: true,
  })
  t.match(json(got), { usage: { prompt_tokens: chat?.usage?.input, completion_tokens: chat?.usage?.output } })
  t.ok((chat?.usage?.output ?? Infinity) <= 40)
  t.ok((chat?.finishedAt ?? 0) >= (chat?.arrivedAt ?? Infinity))
  t.match(stream, { stream: true, reported: false, usage: { output: Number } })
  t.notMatch(blind.body.toString(), /usage/)
  t.match(messages, { dialect: 'anthropic', reported: true })
  t.match(message.body.toString(), new RegExp(`"output_tokens":${messages?.usage?.output}`))
})

t.test('it misbehaves as a header, the metadata or the test tell it', async (t) => {
  const provider = await startProvider()
  t.teardown(() => provider.close())
  const url = `${provider.url}/v1/chat/completions`

  const status = await ask(url, { headers: behaviourHeader({ status: 503 }), body: body() })
  const metadata = { behaviour: JSON.stringify({ usage: { output: 4711 }, omitUsage: true }) }
  const overrun = await ask(url, { body: body({ metadata }) })
  provider.behave = () => ({ fault: 'cut', after: 10 })
  const cut = await ask(url, { body: body() })
  provider.behave = () => ({ fault: 'reset' })
  await t.rejects(ask(url, { body: body() }))

  t.equal(status.status, 503)
  t.notMatch(overrun.body.toString(), /usage/)
  t.notOk(cut.whole)
  t.match(provider.books, [
    { status: 503, usage: null },
    { usage: { output: 4711 }, reported: false },
    { outcome: 'broken' },
    { outcome: 'broken', status: null },
  ])
})

t.test('it runs as a process of its own and shows its books over HTTP', async (t) => {
  const main = new URL('./main.js', import.meta.url).pathname
  const child = spawn(process.execPath, [main, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const [line] = await once(createInterface(child.stdout), 'line') as [string]
  const { url } = JSON.parse(line) as { url: string }

  await ask(`${url}/v1/messages`, { headers: { 'x-request-id': 'far' }, body: body() })
  const books = JSON.parse((await ask(`${url}/__books`, { method: 'GET' })).body.toString()) as Entry[]
  await ask(`${url}/__books`, { method: 'DELETE' })
  const cleared = JSON.parse((await ask(`${url}/__books`, { method: 'GET' })).body.toString()) as Entry[]
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit') as [number]

  t.match(books, [{ requestId: 'far', dialect: 'anthropic', outcome: 'finished', body: null }])
  t.same(cleared, [])
  t.equal(code, 0)
})

t.test('in its fast mode it answers from memory, whole or as a stream of fifty pieces', async (t) => {
  const provider = await startProvider({ fast: true })
  t.teardown(() => provider.close())
  const chat = await ask(`${provider.url}/v1/chat/completions`, { body: body() })
  t.ok(chat.body.length > 700 && chat.body.length < 1500, `${chat.body.length} bytes`)
  const stream = await ask(`${provider.url}/v1/chat/completions`, { body: body({ stream: true }) })
  t.equal(stream.body.toString().match(/ hello/g)?.length, 50)
  t.match(stream.body.toString(), /"usage":\{"prompt_tokens":100/)
  const message = await ask(`${provider.url}/v1/messages`, { body: body({ stream: true }) })
  t.match(message.body.toString(), /message_stop/)
  t.equal(provider.books.length, 0)
})
