import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig, rejectOwnAddress } from '../src/config.ts'

function aFile (t: Test, name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-config-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

t.test('without any configuration there are defaults', async (t) => {
  t.equal(loadConfig({}).adminPort, undefined)
  t.match(loadConfig({}), { host: '127.0.0.1', port: 8080, onDisconnect: 'drain', unbudgeted: 'refuse' })
  t.equal(loadConfig({ RELAYCORE_DATA_DIR: 'x' }).dataDir, join(process.cwd(), 'x'))
})

t.test('environment variables win over a file, JSON or YAML', async (t) => {
  const json = aFile(t, 'c.json', '{"port": 1, "onDisconnect": "abort"}')
  t.match(loadConfig({ PORT: '2' }, json), { port: 2, onDisconnect: 'abort' })
  const yaml = aFile(t, 'c.yaml', 'port: 3\nopenaiBaseUrl: http://10.0.0.1/v1/\n')
  t.match(loadConfig({ RELAYCORE_CONFIG: yaml }), { port: 3, openaiBaseUrl: 'http://10.0.0.1/v1/' })
})

t.test('what is unknown or malformed stops the start with its name, what was expected and what came', async (t) => {
  const bad: [NodeJS.ProcessEnv, RegExp][] = [
    [{ PORT: 'abc' }, /PORT must be a whole number from 0 to 65535; got "abc"/],
    [{ PORT: '70000' }, /PORT .*70000/],
    [{ RELAYCORE_ON_DISCONNECT: 'maybe' }, /RELAYCORE_ON_DISCONNECT must be drain or abort; got "maybe"/],
    [{ RELAYCORE_OPENAI_BASE_URL: 'ftp://x' }, /RELAYCORE_OPENAI_BASE_URL must be an http or https URL/],
    [{ RELAYCORE_SURPRISE: '1' }, /RELAYCORE_SURPRISE is no setting/],
    [{ DATABASE_URL: 'mysql://user:secret@h/d' }, /DATABASE_URL must be a postgres:\/\/ URL; got something else \(not shown\)/],
    [{ DATABASE_URL: 'postgres://u:secret@a,b/d?target_session_attrs=any' }, /DATABASE_URL cannot be used: its target_session_attrs .*"any"$/],
    [{ RELAYCORE_JOURNAL_MAX_BYTES: '1' }, /RELAYCORE_JOURNAL_MAX_BYTES must be a whole number from 4194304/],
    [{ RELAYCORE_ADMIN_TOKEN: 'short' }, /at least 16 characters; got something else \(not shown\)/],
    [{ RELAYCORE_ADMIN_PORT: 'x' }, /RELAYCORE_ADMIN_PORT must be a whole number from 0 to 65535; got "x"/],
    [{ RELAYCORE_ADMIN_PORT: '8080' }, /RELAYCORE_ADMIN_PORT must differ from PORT; both are 8080/],
    [{ RELAYCORE_ADMIN_HOST: '::' }, /RELAYCORE_ADMIN_HOST means nothing without RELAYCORE_ADMIN_PORT/],
    [{ RELAYCORE_OIDC_ISSUER: 'https://a.example' }, /RELAYCORE_OIDC_AUDIENCE must be set with RELAYCORE_OIDC_ISSUER/],
    [{ RELAYCORE_TRUST_PROXY: 'true' }, /RELAYCORE_TRUST_PROXY must be a list with commas of IP addresses and networks.*; got "true"/],
    [{ RELAYCORE_TRUST_PROXY: '10.0.0.1,10.0.0.0/33' }, /RELAYCORE_TRUST_PROXY must be .*; got "10.0.0.1,10.0.0.0\/33"/],
    [{ RELAYCORE_OIDC_AUDIENCE: 'a' }, /RELAYCORE_OIDC_AUDIENCE means nothing without RELAYCORE_OIDC_ISSUER/],
    [{ RELAYCORE_OIDC_JWKS_URL: 'https://a.example' }, /RELAYCORE_OIDC_JWKS_URL means nothing without RELAYCORE_OIDC_ISSUER/],
    [{ RELAYCORE_OIDC_ISSUER: 'http://a.example', RELAYCORE_OIDC_AUDIENCE: 'a' }, /RELAYCORE_OIDC_ISSUER must be an https URL/],
    [{ RELAYCORE_OIDC_ALGORITHMS: 'RS256,HS256' }, /RELAYCORE_OIDC_ALGORITHMS must be a list with commas of RS256.*; got "RS256,HS256"/],
  ]
  for (const [env, message] of bad) t.throws(() => loadConfig(env), { message })
  t.throws(() => loadConfig({}, aFile(t, 'c.yaml', 'colour: red')), { message: /colour \(in .*c.yaml\) is no setting/ })
  t.throws(() => loadConfig({}, aFile(t, 'c.json', '{')), { message: /c.json cannot be read/ })
  t.throws(() => loadConfig({}, '/nowhere/c.json'), { message: /cannot be read/ })
})

t.test('keys of providers have a name of ours and their own; base URLs of clients are never read', async (t) => {
  t.match(loadConfig({ OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b' }), { openaiApiKey: 'a', anthropicApiKey: 'b' })
  t.equal(loadConfig({ OPENAI_API_KEY: 'a', RELAYCORE_OPENAI_API_KEY: 'c' }).openaiApiKey, 'c')
  const config = loadConfig({ OPENAI_BASE_URL: 'http://127.0.0.1:8080/v1', ANTHROPIC_BASE_URL: 'http://127.0.0.1:8080' })
  t.same([config.openaiBaseUrl, config.anthropicBaseUrl], [undefined, undefined])
})

t.test('an upstream that is the gateway itself stops the start', async (t) => {
  for (const url of ['http://127.0.0.1:8080/v1', 'http://localhost:8080', 'http://[::1]:8080', 'http://0.0.0.0:8080']) {
    await t.rejects(rejectOwnAddress(loadConfig({ RELAYCORE_OPENAI_BASE_URL: url })), { message: /own address/ }, url)
  }
  await t.resolves(rejectOwnAddress(loadConfig({ RELAYCORE_OPENAI_BASE_URL: 'http://127.0.0.1:8081' })))
})
