import { once, EventEmitter } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { KeyFile } from '../../src/providers/key-file.ts'

const PROVIDERS = ['openai', 'bedrock']

function aFile (t: Test, content: string) {
  const path = join(t.testdir({ keys: content }), 'keys')
  const said = new EventEmitter()
  const lines: string[] = []
  const log = (kind: string) => (details: object, message: string) => {
    lines.push(`${message} ${JSON.stringify(details)} ${String((details as { err?: unknown }).err)}`)
    said.emit(`said ${kind}`)
  }
  const open = async () => {
    const file = await KeyFile.open(path, PROVIDERS, { info: log('info'), error: log('error') })
    t.teardown(() => { file.close() })
    return file
  }
  return { path, said, lines, open, write: (text: string) => { writeFileSync(path, text) } }
}

const BOTH = JSON.stringify({ openai: { apiKey: 'sk-all', organizations: { acme: 'sk-acme' } } })

t.test('an organization has its own key, others the one for all, and what the file does not name has none', async (t) => {
  const file = await aFile(t, BOTH).open()
  t.equal(file.keyOf('openai', 'acme'), 'sk-acme')
  t.equal(file.keyOf('openai', 'other'), 'sk-all')
  t.equal(file.keyOf('bedrock', 'acme'), null)
  const yaml = await aFile(t, 'openai:\n  organizations:\n    acme: sk-acme\n').open()
  t.equal(yaml.keyOf('openai', 'acme'), 'sk-acme')
  t.equal(yaml.keyOf('openai', 'other'), null)
})

t.test('a change of the file is seen by itself', async (t) => {
  const { open, write, said } = aFile(t, BOTH)
  const file = await open()
  const seen = once(said, 'said info')
  // looking at the file keeps no process alive
  const alive = setInterval(() => {}, 10_000)
  t.teardown(() => { clearInterval(alive) })
  write('{"openai": {"apiKey": "sk-rotated"}}')
  await seen
  t.equal(file.keyOf('openai', 'acme'), 'sk-rotated')
})

t.test('a file that has become wrong or is gone changes nothing, and no log has a key', async (t) => {
  const { path, open, write, lines } = aFile(t, BOTH)
  const file = await open()
  for (const text of ['{"openai": {"apiKey": "sk-secret with a space"}}', '{"openai": {"apiKey": "sk-secret"', '{"nobody": {"apiKey": "sk-secret"}}']) {
    write(text)
    await file.look()
    t.equal(file.keyOf('openai', 'acme'), 'sk-acme', text)
  }
  rmSync(path)
  await file.look()
  t.equal(file.keyOf('openai', 'acme'), 'sk-acme')
  t.match(lines, [/^the keys of providers could not be read anew/])
  t.ok(lines.length >= 4)
  t.notMatch(lines.join('\n'), /sk-/)
})

t.test('at the start a wrong file is an error that names the place and what belongs there', async (t) => {
  const wrong: [string, RegExp][] = [
    ['{"openai": {"apikey": "sk-secret"}}', /\/openai.*apiKey \(a key\) and organizations/],
    ['{"openai": {"organizations": {"acme": ""}}}', /\/openai\/organizations\/acme/],
    ['{"openai": {"apiKey": "a\\nb"}}', /\/openai\/apiKey/],
    ['{"nobody": {}}', /nobody is no provider\. Providers: openai, bedrock/],
    ['[]', /it is wrong/],
    ['{"openai": ', /neither JSON nor YAML/],
  ]
  for (const [text, message] of wrong) {
    const { open } = aFile(t, text)
    const error = await open().then(() => null, (error: unknown) => error as Error)
    t.match(error, { code: 'config', message }, text)
    t.notMatch(error?.message, /sk-secret/)
  }
})
