import pg from 'pg'
import t, { type Test } from 'tap'
import { ask, rawly } from '../plugins/gateway/clients.ts'
import { aGatewayProcess, SECRETS } from './gateway-process.ts'

const PROMPT = 'prompt-canary-51e0aa'
const ANSWER = 'answer-canary-c07b62'
const FILE = 'file-canary-8d3e19'
const REPEAT = 'idempotency-canary-aa12'

t.test('no key, no prompt and no answer is left in a log, a metric, a file, the ledger or an answer to somebody else', async (t) => {
  const gateway = await aGatewayProcess(t, { RELAYCORE_OPENROUTER_BASE_URL: 'http://127.0.0.1:1', RELAYCORE_OPENROUTER_API_KEY: SECRETS.provider })
  const { url, port, admin, provider } = gateway
  await admin('POST', '/budgets', { name: 'b', scopeType: 'organization', scopeId: 'acme', amount: '10', currency: 'USD', period: 'monthly' })
  const { key, id } = await admin('POST', '/keys', { name: 'k', organizationId: 'acme' }, { 'idempotency-key': REPEAT }) as { key: string, id: string }
  const { token } = await admin('POST', '/tokens', { name: 't', role: 'viewer', reach: { organizationId: 'acme' } }) as { token: string }

  // calls, with the key in the URL, that end well and in all bad ways
  const call = { model: 'gpt-4o', max_tokens: 20, messages: [{ role: 'user', content: PROMPT }] }
  const completion = { id: 'x', object: 'chat.completion', model: 'gpt-4o', choices: [{ index: 0, message: { role: 'assistant', content: ANSWER } }], usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 } }
  provider.behave = () => ({ body: JSON.stringify(completion) })
  const heard: string[] = []
  const json = { 'content-type': 'application/json' }
  const asked = async (path: string, body?: string | object, headers: Record<string, string> = json, method = 'POST') => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const got = await ask(`${url}${path}`, { method, headers, ...text === undefined ? {} : { body: text } })
    return { status: got.status, text: `${JSON.stringify(got.headers)}${got.body.toString()}` }
  }
  t.match(await asked(`/v1/chat/completions?key=${key}`, call), { status: 200, text: ANSWER })
  t.match(await asked('/v1/chat/completions', call, { ...json, authorization: `Bearer ${key}` }), { status: 200 })
  type Asked = [path: string, body?: string | object | undefined, headers?: Record<string, string>, method?: string]
  const refused: Asked[] = [
    [`/v1/nowhere?key=${key}`, call], [`/nowhere?key=${key}`, call], [`/?key=${key}`], [`/openai/v1/%zz?key=${key}`, call],
    [`/v1/chat/completions?key=${key}`, `{"model":"gpt-4o","messages":"${PROMPT}`], [`/v1/chat/completions?key=${key}&key=rk_other`, call],
    [`/v1/chat/completions?key=${key}x`, call], [`/v1/chat/completions?key=${key}`, PROMPT, { 'content-type': 'text/plain' }],
    [`/v1/chat/completions?key=${key}`, { ...call, model: PROMPT }], [`/v1/chat/completions?key=${key}`, { ...call, tools: [{ type: PROMPT }] }],
    [`/v1/chat/completions?key=${key}`, { ...call, max_tokens: PROMPT }], [`/v1/chat/completions?key=${key}`, { ...call, n: 100_000 }],
    [`/openrouter/api/v1/chat/completions?key=${key}`, { ...call, model: 'openai/gpt-4o' }],
    [`/v1/chat/completions?key=${key}`, undefined, {}, 'GET'], [`/api/v1/budgets?key=${key}`, undefined, {}, 'GET'],
    [`/api/v1/nowhere?key=${key}`, undefined, { authorization: `Bearer ${SECRETS.admin}` }, 'GET'],
    [`/api/v1/%ff?key=${key}`, undefined, { authorization: `Bearer ${SECRETS.admin}` }, 'GET'],
    ['/api/v1/budgets', undefined, { authorization: `Bearer ${key}` }, 'GET'], ['/metrics', undefined, { authorization: `Bearer ${token}` }, 'GET'],
    [`/v1/audio/transcriptions?key=${key}`, `--x\r\nContent-Disposition: form-data; name="file"; filename="${FILE}.mp3"\r\n\r\n${FILE}\r\n--x--\r\n`, { 'content-type': 'multipart/form-data; boundary=x' }],
  ]
  for (const [path, body, headers, method] of refused) {
    const { status, text } = await asked(path, body, headers, method)
    t.ok(status >= 400, `${path} ${status}`)
    heard.push(text)
  }
  provider.behave = () => ({ fault: 'reset' })
  heard.push((await asked(`/v1/chat/completions?key=${key}`, call)).text)
  provider.behave = () => ({ status: 500 })
  heard.push((await asked(`/v1/chat/completions?key=${key}`, call)).text)
  for (const text of [`GET /v1/models?key=${key} HTTP/9.9\r\n\r\n`, `GET /v1/responses?key=${key} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
    `POST /v1/chat/completions?key=${key} HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`]) {
    heard.push(await rawly(port, text))
  }
  await admin('DELETE', `/keys/${id}`)
  heard.push((await asked(`/v1/chat/completions?key=${key}`, call)).text)
  const metrics = await asked('/metrics', undefined, { authorization: `Bearer ${SECRETS.metrics}` }, 'GET')
  t.match(metrics, { status: 200, text: /relaycore_calls_total/ })
  await servesNoOtherPage(t, url)
  await gateway.stop()

  const db = new pg.Client(gateway.databaseUrl)
  await db.connect()
  t.teardown(() => db.end())
  const { rows: tables } = await db.query<{ name: string }>("select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'")
  const ledger: [string, string][] = []
  for (const { name } of tables) {
    const { rows } = await db.query<{ row: string }>(`select x::text as row from ${name} x`)
    ledger.push([name, rows.map(({ row }) => row).join('\n')])
  }
  const events = ledger.find(([name]) => name === 'usage_events')?.[1] ?? ''
  t.match(events, /gpt-4o/, 'something was recorded')
  t.match(gateway.output(), /"reason":"key_invalid"/, 'and logged')

  const hidden = { key, token, ...SECRETS, PROMPT, ANSWER, FILE, REPEAT }
  const places: [string, string][] = [['the log', gateway.output()], ['the metrics', metrics.text], ...gateway.files(), ...ledger]
  for (const [place, text] of places) {
    // the very first start writes what it made itself into a file of its own
    for (const [name, secret] of Object.entries(hidden)) t.notOk(text.includes(secret), `${name} in ${place}`)
    t.notOk(text.includes(Buffer.from(PROMPT).toString('hex')), place)
  }
  const { key: own, admin: adminToken, provider: providerKey } = hidden
  for (const text of heard) {
    for (const secret of [own, adminToken, providerKey, token]) t.notOk(text.includes(secret), text.slice(0, 200))
  }
  const upstream = JSON.stringify(provider.books.map(({ path, headers }) => [path, headers]))
  t.notOk(upstream.includes(own) || upstream.includes('key='), 'nor does it go on to a provider')
})

/** No other page can ask this gateway by a browser, nor show it; nor is anything of it read as a page that is none. */
async function servesNoOtherPage (t: Test, url: string): Promise<void> {
  const elsewhere = { origin: 'https://evil.invalid', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }
  for (const path of ['/docs', '/docs/', '/docs/errors', '/docs/json', '/api/v1/openapi.json', '/api/v1/budgets', '/api/v1/<script>', '/metrics', '/v1/models', '/nowhere']) {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await ask(`${url}${path}`, { method, headers: elsewhere })
      for (const name in headers) t.notMatch(name, /^access-control-/, `${method} ${path}`)
      t.equal(headers['set-cookie'], undefined, 'there are no cookies, so nobody can be made to ask with them')
      if (method !== 'GET') continue
      if (headers['content-type']?.startsWith('text/html') === true) t.match(headers['content-security-policy'], /frame-ancestors 'none'/, path)
      if (path !== '/nowhere') t.equal(headers['x-content-type-options'], 'nosniff', path)
      if (path.startsWith('/api/')) t.match(headers, { 'cache-control': 'no-store', 'content-security-policy': /^default-src 'none'/ }, path)
      else if (path.startsWith('/docs')) t.equal(headers['referrer-policy'], 'no-referrer', path)
    }
  }
  const form = await ask(`${url}/api/v1/keys`, { headers: { 'content-type': 'text/plain', origin: 'https://evil.invalid' }, body: '{"name":"x"}' })
  t.equal(form.status, 401)
}
