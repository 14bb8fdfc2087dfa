import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { runCommand } from '../src/commands.ts'
import { Settings } from '../src/config.ts'
import { Database } from '../src/stores/postgres/pool.ts'
import { PROGRAM } from './services/index.ts'
import { aDatabase } from './stores/postgres/database.ts'
import { freePort } from './services/free-port.ts'

function run (args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env } })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output.push(String(data)) })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output: output.join('') }))
  return { child, output, ended }
}

/** in this process: what a command does and says, not how its process ends */
async function here (args: string[], env: Record<string, string>): Promise<{ code: number, output: string }> {
  const output: string[] = []
  const add = (text: string) => { output.push(`${text}\n`) }
  const start = async () => await Promise.reject(new Error('a start is a process'))
  const code = await runCommand(args, env, { say: add, warn: add }, start).catch((error: unknown) => {
    add((error as Error).message)
    return 1
  })
  return { code, output: output.join('') }
}

async function untilListening (url: string): Promise<void> {
  for (;;) {
    const ready = await fetch(`${url}/readyz`).then(({ status }) => status === 200, () => false)
    if (ready) return
    await new Promise((resolve) => { setTimeout(resolve, 30) })
  }
}

function aFolder (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-cli-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}

t.test('--help names every setting and every command', async (t) => {
  const { code, output } = await here(['--help'], {})
  t.equal(code, 0)
  for (const { env } of Object.values(Settings.properties) as unknown as { env: string }[]) t.match(output, env)
  for (const command of ['start', 'migrate', 'keys create', 'admin-token rotate', 'reconcile', 'doctor', 'forget', 'audit verify', 'prices check']) t.match(output, `relaycore ${command}`)
})

t.test('what stops a start is said in one plain sentence', async (t) => {
  const databaseUrl = await aDatabase(t)
  const folder = aFolder(t)
  writeFileSync(join(folder, 'file'), '')
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  t.teardown(() => { busy.close() })
  const { port } = busy.address() as AddressInfo
  const cases: [string[], Record<string, string>, RegExp][] = [
    [['dance'], {}, /^There is no command "dance"/],
    [['audit'], {}, /^There is no command "audit", but "audit verify"/],
    [['start', '--fast'], {}, /^Unknown option '--fast'\. `relaycore --help` names all options/],
    [['keys', 'create', '--name'], {}, /'--name <value>' argument missing/],
    [['start'], { PORT: 'x' }, /^PORT must be a whole number/],
    [['start'], { RELAYCORE_DATA_DIR: join(folder, 'file/data'), DATABASE_URL: databaseUrl }, /^The data folder .* cannot be made/],
    [['start'], { RELAYCORE_DATA_DIR: join(folder, 'file'), DATABASE_URL: databaseUrl }, /^The data folder .* cannot be made.* RELAYCORE_DATA_DIR/],
    [['start'], { RELAYCORE_DATA_DIR: '/proc/relaycore', DATABASE_URL: databaseUrl }, /^The data folder \/proc\/relaycore cannot be made/],
    [['start'], { RELAYCORE_DATA_DIR: join(folder, 'a'), DATABASE_URL: databaseUrl, PORT: String(port) }, /^Port \d+ on 127.0.0.1 is in use/],
    [['start'], { RELAYCORE_DATA_DIR: join(folder, 'b'), DATABASE_URL: 'postgres://127.0.0.1:1/x' }, /^The database cannot be reached/],
    [['keys', 'create'], { DATABASE_URL: databaseUrl }, /^keys create needs --name and --organization/],
    [['migrate'], { RELAYCORE_DATA_DIR: join(folder, 'c') }, /^There is no database in/],
    [['migrate', '--grant', 'nobody'], { DATABASE_URL: databaseUrl }, /^There is no role "nobody"/],
  ]
  for (const [args, env, message] of cases) {
    // a start that fails later than at its settings, and what no command is, are told by the process
    const own = args[0] === 'dance' || (args[0] === 'start' && env['PORT'] !== 'x')
    const { code, output } = own ? await run(args, env).ended : await here(args, env)
    t.equal(code, 1, output)
    t.match(output, message)
    t.equal(output.trim().split('\n').length, 1, 'one sentence')
  }
})

t.test('a signal to `npm start` reaches the gateway', async (t) => {
  const folder = aFolder(t)
  const { scripts: { start } } = JSON.parse(readFileSync(resolve('package.json'), 'utf8')) as { scripts: { start: string } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { start } }))
  // in the gateway's place; it ends too once nobody is there to end it
  writeFileSync(join(folder, 'relaycore.cjs'), `
    process.on('SIGTERM', () => { console.log('told'); process.exit() })
    process.stdin.resume().on('end', () => { process.exit() })
    console.log('up')`)
  const npm = spawn('npm', ['start'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  npm.stdout.on('data', (data) => {
    said += String(data)
    if (/^up$/m.test(said)) npm.kill('SIGTERM')
  })
  npm.once('exit', () => { npm.stdin.destroy() })
  await once(npm, 'close')
  t.match(said, /^told$/m)
})

t.test('the first start makes a budget, a key and a token once; commands work beside it; a stop is clean', async (t) => {
  const dataDir = aFolder(t)
  const port = String(await freePort())
  const env = { RELAYCORE_DATA_DIR: dataDir, DATABASE_URL: await aDatabase(t), PORT: port, RELAYCORE_LOG_LEVEL: 'warn' }
  const url = `http://127.0.0.1:${port}`
  const gateway = run(['start'], env)
  t.teardown(() => { gateway.child.kill('SIGKILL') })
  await untilListening(url)
  while (!gateway.output.join('').includes('Keep it secret')) await once(gateway.child.stdout, 'data')
  const file = join(dataDir, 'first-start.txt')
  t.equal(statSync(file).mode & 0o777, 0o600)
  const text = readFileSync(file, 'utf8')
  const [key] = /rk_\w+/.exec(text) ?? ['']
  const [token] = /ra_\w+/.exec(text) ?? ['']
  const chat = (apiKey: string) => fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: '{"model":"demo-small","max_tokens":9,"messages":[]}',
  }).then(({ status }) => status)
  const list = (bearer: string) => fetch(`${url}/api/v1/budgets`, { headers: { authorization: `Bearer ${bearer}` } })
  t.equal(await chat(key), 200)
  t.match(await (await list(token)).json(), { count: 1, budgets: [{ name: 'default', amount: '100', currency: 'USD' }] })

  const made = await run(['keys', 'create', '--name', 'ci', '--organization', 'default', '--allow-headers', 'user,tags'], env).ended
  const [other] = /rk_\w+/.exec(made.output) ?? ['']
  t.equal(await chat(other), 200, 'a new key works at once')
  const rotated = await here(['admin-token', 'rotate'], env)
  const [newToken] = /ra_\w+/.exec(rotated.output) ?? ['']
  t.equal((await list(newToken)).status, 200)
  t.match((await here(['migrate'], env)).output, /up to date/)
  t.match((await here(['reconcile'], env)).output, /Every gateway .* answers/)
  t.match((await run(['start'], { ...env, PORT: String(await freePort()) }).ended).output, /is in use by process/)

  const { entries } = await (await fetch(`${url}/api/v1/audit`, { headers: { authorization: `Bearer ${newToken}` } })).json() as
    { entries: { seq: number, hash: string }[] }
  const command = { id: 'command line', role: 'administrator' }
  t.match(entries, [
    { action: 'token.created', actor: command, requestId: null },
    { action: 'token.revoked', actor: command },
    { action: 'key.created', actor: command, after: { name: 'ci' } },
    { action: 'token.created', actor: { id: 'first start', role: 'system' } },
    { action: 'key.created', actor: { id: 'first start' } },
    { action: 'budget.created', actor: { id: 'first start' }, after: { name: 'default' } },
  ], 'what commands and the first start did is in the audit log')
  t.notMatch(JSON.stringify(entries), new RegExp([key, other, token, newToken].join('|')))
  const head = `6:${entries[0]?.hash}`
  const verify = async (...args: string[]) => await here(['audit', 'verify', ...args], env)
  t.match(await verify('--expect', head), { code: 0, output: `6 entries, all in order. The last one is ${head}` })
  t.match(await verify('--after', `2:${entries[4]?.hash}`, '--expect', head), { code: 0, output: /^4 entries/ })
  t.match(await verify('--expect', `7:${entries[0]?.hash}`), { code: 1, output: /^entry 7 is missing: the end was cut off/ })
  t.match(await verify('--expect', `5:${entries[0]?.hash}`), { code: 1, output: /^entry 5 is another one than was kept/ })
  t.match(await verify('--expect', 'x'), { code: 1, output: /^--expect must be/ })

  gateway.child.kill('SIGTERM')
  t.match(await gateway.ended, { code: 0 })
  const again = run(['start'], env)
  t.teardown(() => { again.child.kill('SIGKILL') })
  await untilListening(url)
  t.equal(await chat(key), 200)
  again.child.kill('SIGTERM')
  const { output } = await again.ended
  t.notMatch(output, /rk_|ra_/, 'secrets are shown once')
})

t.test('an old Node is told what is needed', async (t) => {
  const source = readFileSync(resolve(import.meta.dirname, '../../relaycore.cjs'), 'utf8').replace(/^#!.*/, '')
  const fake = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } });"
  const child = spawn(process.execPath, ['-e', fake + source])
  let said = ''
  child.stderr.on('data', (data) => { said += data })
  const [code] = await once(child, 'close') as [number]
  t.same([code, said.trim()], [1, 'RelayCore needs Node 20.15 or later; this is 18.20.0.'])
})

t.test('prices check names what somebody should look at, beside what was said over REST, by its exit code too', async (t) => {
  const folder = aFolder(t)
  const file = join(folder, 'theirs.json')
  writeFileSync(file, JSON.stringify({ version: 'x', providers: { openai: { 'gpt-4o': { input: '3', output: '10' } } } }))
  const env = { RELAYCORE_DATA_DIR: folder }
  const checked = await run(['prices', 'check', '--against', file, '--days', '9999'], env).ended
  t.equal(checked.code, 1)
  t.match(checked.output, /^differs {2}openai\/gpt-4o: input 2\.5 here, 3 there\n\d+ models of .*, 1 to look at\n$/)
  const fine = await here(['prices', 'check', '--days', '9999'], env)
  t.match(fine, { code: 0, output: /nothing to look at/ })

  const databaseUrl = await aDatabase(t)
  await here(['migrate'], { DATABASE_URL: databaseUrl })
  const database = new Database({ connectionString: databaseUrl, applicationName: 'test' })
  const values = [JSON.stringify({ input: '3', output: '10' })]
  const text = `
    insert into model_prices (provider, model, effective_at, prices) values ('openai', 'gpt-4o', '2020-01-01', $1)`
  await database.query({ text, values })
  await database.close()
  const said = await here(['prices', 'check', '--against', file, '--days', '9999'], { ...env, DATABASE_URL: databaseUrl })
  t.match(said, { code: 0, output: /nothing to look at/ })
})
