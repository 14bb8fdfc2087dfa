import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { ADMIN, anOrganization } from '../../e2e/gateway.ts'
import { describedBy } from '../../fuzz/run.ts'

/** The admin API below its schemas: what HTTP itself allows, and what it does not. Nothing of it may hang. */
const AUTH = `host: gateway\r\nauthorization: Bearer ${ADMIN}\r\n`
const budgetOf = (organizationId: string) => JSON.stringify({ name: 'b', scopeType: 'team', scopeId: 's', organizationId, amount: '5', currency: 'USD', period: 'daily' })
const JSON_TYPE = 'content-type: application/json\r\n'
const DEADLINE_MS = 20_000

/** what comes back until the connection ends; `text` should ask for that in its last request */
async function rawly (url: string, ...pieces: string[]): Promise<string> {
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1').setNoDelay()
  socket.setTimeout(DEADLINE_MS, () => { socket.destroy(new Error('nothing came for too long')) })
  await once(socket, 'connect')
  const chunks: Buffer[] = []
  socket.on('data', (data) => { chunks.push(data) })
  for (const piece of pieces) socket.write(piece)
  await once(socket, 'close').catch((error: NodeJS.ErrnoException) => {
    // a refusal of what is still being sent may be followed by a reset
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error
  })
  return Buffer.concat(chunks).toString()
}

const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

t.test('HEAD is GET without its body, and OPTIONS is a method that no path has, on every route', async (t) => {
  const { url, budget } = await anOrganization()
  const id = await budget()
  const authorization = `Bearer ${ADMIN}`
  for (const { method, path } of await describedBy(url)) {
    const target = url + path.replace('{type}', 'team').replaceAll(/\{\w+\}/g, id)
    if (method === 'GET') {
      const get = await fetch(target, { headers: { authorization } })
      const head = await fetch(target, { method: 'HEAD', headers: { authorization } })
      t.equal(head.status, get.status, `HEAD ${path}`)
      t.equal(head.headers.get('content-type'), get.headers.get('content-type'))
      t.equal(await head.text(), '')
      await get.arrayBuffer()
    }
    const options = await fetch(target, { method: 'OPTIONS', headers: { authorization } })
    t.equal(options.status, 405, `OPTIONS ${path}`)
    t.ok(options.headers.get('allow')?.split(', ').includes(method), `${path} allows ${method}`)
    t.match(await options.json(), { code: 'method_not_allowed' })
  }
})

t.test('requests that are sent at once are answered in their order, also after a refused one', async (t) => {
  const { url, admin, organizationId } = await anOrganization()
  const budgetText = budgetOf(organizationId)
  const post = (body: string) => `POST /api/v1/budgets HTTP/1.1\r\n${AUTH}${JSON_TYPE}content-length: ${body.length}\r\n\r\n${body}`
  const text = await rawly(url, post(budgetText) + post('{}') + post(budgetText) +
    `GET /api/v1/nowhere HTTP/1.1\r\n${AUTH}\r\n` + `GET /api/v1/budgets HTTP/1.1\r\n${AUTH}connection: close\r\n\r\n`)
  t.same(statuses(text), [201, 400, 201, 404, 200])
  t.match((await admin('GET', `/budgets?organizationId=${organizationId}`)).body, { count: 2 })
  const torn = await rawly(url, post(budgetText) + post('{') + post(budgetText))
  t.same(statuses(torn), [201, 400], 'after a body that is none, nothing on its connection is believed')
})

t.test('a body may come in chunks, in pieces, and after the word to go on', async (t) => {
  const { url, organizationId } = await anOrganization()
  const budgetText = budgetOf(organizationId)
  const start = `POST /api/v1/budgets HTTP/1.1\r\n${AUTH}${JSON_TYPE}connection: close\r\n`
  const half = budgetText.length >> 1
  const chunk = (part: string) => `${part.length.toString(16)}\r\n${part}\r\n`
  const chunked = await rawly(url, `${start}transfer-encoding: chunked\r\n\r\n`, chunk(budgetText.slice(0, half)), chunk(budgetText.slice(half)), '0\r\n\r\n')
  t.same(statuses(chunked), [201])
  const expecting = await rawly(url, `${start}expect: 100-continue\r\ncontent-length: ${budgetText.length}\r\n\r\n`, budgetText)
  t.same(statuses(expecting), [100, 201])
  const other = await rawly(url, `${start}expect: magic\r\ncontent-length: ${budgetText.length}\r\n\r\n${budgetText}`)
  t.same(statuses(other), [417])
})

t.test('a body that is too large is refused before it has come, whatever it says of its length', async (t) => {
  const { url } = await anOrganization()
  const start = `POST /api/v1/budgets HTTP/1.1\r\n${AUTH}${JSON_TYPE}connection: close\r\n`
  t.same(statuses(await rawly(url, `${start}content-length: 2000000\r\n\r\n{"name":`)), [413])
  const piece = 'x'.repeat(0x8000)
  const pieces = Array.from({ length: 60 }, () => `8000\r\n${piece}\r\n`)
  t.match(statuses(await rawly(url, `${start}transfer-encoding: chunked\r\n\r\n`, ...pieces)), [413])
})

t.test('two readings of one request are refused: two lengths, a length beside chunks, broken framing', async (t) => {
  const { url, admin, organizationId } = await anOrganization()
  const budgetText = budgetOf(organizationId)
  const start = `POST /api/v1/budgets HTTP/1.1\r\n${AUTH}${JSON_TYPE}`
  const wrong = [
    `${start}content-length: 5\r\ncontent-length: ${budgetText.length}\r\n\r\n${budgetText}`,
    `${start}content-length: ${budgetText.length}\r\ntransfer-encoding: chunked\r\n\r\n${budgetText}`,
    `${start}transfer-encoding: chunked\r\n\r\nzz\r\n${budgetText}\r\n0\r\n\r\n`,
    `${start}content-length: -1\r\n\r\n${budgetText}`,
    `${start}x-name: a\rb\r\ncontent-length: ${budgetText.length}\r\n\r\n${budgetText}`,
    `${start} folded: x\r\ncontent-length: ${budgetText.length}\r\n\r\n${budgetText}`,
    `POST /api/v1/bud gets HTTP/1.1\r\n${AUTH}${JSON_TYPE}\r\n`,
    `POST /api/v1/budgets HTTP/9.9\r\n${AUTH}${JSON_TYPE}\r\n`,
    '\0\0\0\0\r\n\r\n',
  ]
  for (const text of wrong) {
    const got = statuses(await rawly(url, text))
    t.ok(got.every((status) => (status >= 400 && status < 500) || status === 505), `${JSON.stringify(text.slice(0, 200))}: ${got.join()}`)
  }
  t.match((await admin('GET', `/budgets?organizationId=${organizationId}`)).body, { count: 0 })
})

t.test('nothing of a request becomes a header of its answer', async (t) => {
  const { url, budget } = await anOrganization()
  const id = await budget()
  const injected = '%0d%0aset-cookie:%20a=b'
  for (const path of [`/budgets/${id}${injected}`, `/budgets?q=${injected}`, `/budgets/scope/team/${injected}`, `/keys?cursor=${injected}`, `/${injected}`]) {
    const answer = await fetch(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${ADMIN}`, 'x-request-id': 'mine' } })
    t.equal(answer.headers.get('set-cookie'), null, path)
    t.notMatch(JSON.stringify([...answer.headers]), /a=b|mine/)
    await answer.arrayBuffer()
  }
})

t.test('very long URLs, thousands of parameters and headers past their limits are refused, and at once', async (t) => {
  const { url, admin } = await anOrganization()
  const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\n${AUTH}${headers}connection: close\r\n\r\n`
  const many = Array.from({ length: 1_500 }, (_, i) => `a${i}=1`).join('&')
  const repeated = Array.from({ length: 1_500 }, () => 'tag=a').join('&')
  const cases: [string, string, number[]][] = [
    ['a long id', get(`/api/v1/budgets/${'x'.repeat(10_000)}`), [414, 400]],
    ['a long path', get(`/api/v1/${'x/'.repeat(5_000)}`), [404]],
    ['a long query', get(`/api/v1/budgets?q=${'x'.repeat(12_000)}`), [400]],
    ['many parameters', get(`/api/v1/budgets?${many}`), [400]],
    ['one parameter many times', get(`/api/v1/budgets?${repeated}`), [400]],
    ['a URL past what HTTP servers read', get(`/api/v1/budgets?q=${'x'.repeat(100_000)}`), [414, 431]],
    ['a header past it', get('/api/v1/budgets', `x-long: ${'x'.repeat(100_000)}\r\n`), [431]],
    ['thousands of headers', get('/api/v1/budgets', 'x-a: 1\r\n'.repeat(5_000)), [431, 200]],
  ]
  for (const [name, text, expected] of cases) {
    const from = performance.now()
    const [status] = statuses(await rawly(url, text))
    t.ok(status !== undefined && expected.includes(status), `${name}: ${status}`)
    t.ok(performance.now() - from < DEADLINE_MS, name)
  }
  t.equal((await admin('GET', '/budgets')).status, 200)
})

t.test('a parameter that is there twice is refused where one is meant, and means both where several are', async (t) => {
  const { admin, budget, organizationId } = await anOrganization()
  await budget({ tags: { a: '1', b: '2' } })
  await budget({ tags: { a: '1' } })
  for (const query of ['limit=1&limit=2', 'sort=name&sort=name', 'q=a&q=b', 'total=true&total=false', 'cursor=a&cursor=b']) {
    t.match(await admin('GET', `/budgets?${query}`), { status: 400, body: { field: query.split('=')[0] } }, query)
  }
  t.match((await admin('GET', `/budgets?tag=a:1&tag=b:2&organizationId=${organizationId}`)).body, { count: 1 })
  t.match((await admin('GET', `/budgets?tag=a:1&organizationId=${organizationId}`)).body, { count: 2 })
})
