import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { describeSettings, Settings } from '../src/config.ts'
import { ADMIN_CODES, REFUSAL_CODES } from '../src/error-codes.ts'
import { type RefusalCode } from '../src/errors.ts'
import { Metrics } from '../src/metrics.ts'
import { renderAnthropicRefusal } from '../src/providers/anthropic/errors.ts'
import { providers } from '../src/providers/index.ts'
import { renderOpenAiRefusal } from '../src/providers/openai/errors.ts'
import { type BillableEndpoint, type Provider } from '../src/providers/provider.ts'
import { changeable } from './providers/samples.ts'

const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')

function rows (first: RegExp): string[] { return readme.split('\n').filter((line) => first.test(line)) }

t.test('the README lists every setting as it is', async (t) => {
  const expected = Object.entries(Settings.properties).map(([name, schema]) => {
    const { env, description, default: preset } = schema as unknown as Record<string, string | number | undefined>
    return `| \`${env}\` | \`${name}\` | ${description} | ${preset === undefined ? '' : `\`${preset}\``} |`
  })
  t.same(rows(/^\| `[A-Z_]+` \|/), expected)
  for (const line of expected) t.match(describeSettings(), (line.split('`')[1] as string))
})

t.test('the README lists every metric as it is', async (t) => {
  const expected = new Metrics().registry.getMetricsAsArray().map((metric) => {
    const { name, help, labelNames } = metric as unknown as { name: string, help: string, labelNames: string[] }
    const labels = labelNames.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${metric.constructor.name.toLowerCase()} | ${labels} | ${help} |`
  })
  t.same(rows(/^\| `relaycore_/), expected)
})

/** Written anew by: WRITE_ERRORS=1 node out/test/docs.test.js */
t.test('docs/ERRORS.md lists every code as it is', async (t) => {
  const file = resolve(import.meta.dirname, '../../docs/ERRORS.md')
  const made = errorsText()
  if (process.env['WRITE_ERRORS'] === '1') writeFileSync(file, made)
  t.equal(readFileSync(file, 'utf8'), made)
})

/** Written anew by: WRITE_PROVIDERS=1 node out/test/docs.test.js */
t.test('docs/PROVIDERS.md lists every path as it is', async (t) => {
  const file = resolve(import.meta.dirname, '../../docs/PROVIDERS.md')
  const made = providersText()
  if (process.env['WRITE_PROVIDERS'] === '1') writeFileSync(file, made)
  t.equal(readFileSync(file, 'utf8'), made)
})

t.test('GUARANTEES.md cites files and tests that exist, for each promise', async (t) => {
  const root = resolve(import.meta.dirname, '../..')
  const promises = readFileSync(resolve(root, 'GUARANTEES.md'), 'utf8').split('\n## ').filter((one) => /^P\d:/.test(one))
  t.equal(promises.length, 9)
  for (const promise of promises) {
    const cited = [...promise.matchAll(/^- `(test\/[^`]+)`: "(.+)"$/gm)]
    t.ok(cited.length > 1, promise.slice(0, 2))
    for (const [, file = '', name = ''] of cited) {
      const text = readFileSync(resolve(root, file), 'utf8').replaceAll("\\'", "'")
      t.ok(text.includes(`'${name}'`), `${file}: ${name}`)
    }
  }
})

const FREE = {
  models: 'free, from the catalog',
  forward: 'free, passed on',
  job: 'free, for whose it is; settles what has ended',
  file: 'free, for whose it is',
}

/** as a request of each shows it */
function policiesOf (provider: Provider, endpoint: BillableEndpoint): string {
  const { model, output } = changeable(provider, endpoint)
  return [model ? 'downgrade' : [], output ? 'cap' : []].flat().join(', ')
}

function providersText (): string {
  const tables = providers.map((provider) => {
    const { name, title, url, base, atRoot, needsKey, endpoints } = provider
    const prefix = `/${name}`
    const rows = endpoints.map((endpoint) => {
      const talk = endpoint.kind === 'billable' && endpoint.socket?.kind === 'talk'
      const path = `\`${talk ? 'WebSocket' : endpoint.method} ${prefix}${endpoint.path.replace('+}', '}')}\``
      if (endpoint.kind === 'billable') {
        const { about: { model, output, usage }, socket } = endpoint
        const ways = socket?.kind === 'stream' ? ', and as a WebSocket' : ''
        const policies = policiesOf(provider, endpoint)
        return `| ${path}${ways} | \`${endpoint.name}\` | billable | ${model} | ${output} | ${usage} | ${policies} |`
      }
      return `| ${path} | \`${endpoint.name}\` | ${FREE[endpoint.served]} |  |  |  |  |`
    })
    const where = url === null ? `at the address of \`RELAYCORE_${name.toUpperCase()}_BASE_URL\`` : `at ${url}`
    return `## ${title}

Under \`${prefix}\`${atRoot ? ' and at the root' : ''}, ${where}${needsKey ? '' : ', with or without a key'}. Base URL of clients:
\`http://127.0.0.1:8080${prefix}${base}\` or without \`${base}\`, as their SDK takes it.

| path | name | | model | bound of the output | usage | policies |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`
  })
  return `# Providers and paths

Made from \`src/providers\`; a test keeps it so. A path that is not here is refused with 403: what it costs is not known. An
operator who knows one to be free lists it in \`RELAYCORE_ALLOW_UNMETERED\`. Policies: \`downgrade\`, a cheaper model may take the place
of the one that was asked for (\`auto-downgrade\`); \`cap\`, the longest answer may be lowered to what is left (\`capToFit\`).

${tables.join('\n')}`
}

function errorsText (): string {
  const admin = Object.entries(ADMIN_CODES).map(([code, { status, meaning, remedy }]) =>
    `| \`${code}\` | ${status} | ${meaning} | ${remedy} |`)
  const refusals = (Object.keys(REFUSAL_CODES) as RefusalCode[]).map((code) => {
    const { meaning, remedy } = REFUSAL_CODES[code]
    const refusal = { code, message: '', retryable: false }
    const openai = renderOpenAiRefusal(refusal, '', 'OpenAI/JS')
    const anthropic = renderAnthropicRefusal(refusal, '')
    const { error } = JSON.parse(openai.body) as { error: { code: string } }
    return `| \`${code}\` | ${openai.status} \`${error.code}\` | ${anthropic.status} | ${meaning} | ${remedy} |`
  })
  return `# Errors

Made from \`src/error-codes.ts\`; a test keeps it so.

## Of the admin API

\`application/problem+json\` (RFC 9457): \`type\`, \`title\`, \`status\`, \`detail\`, \`code\`, \`requestId\`, and where one is wrong \`field\`
and what was \`expected\`. Match on \`code\`: it is stable. \`type\` leads to the gateway's own page of these codes.

| code | status | meaning | what helps |
| --- | --- | --- | --- |
${admin.join('\n')}

## To AI clients

In the envelope of the dialect that was asked, with the code as \`error.relaycore.code\` and what helps, as
far as it is known for that very call, as \`error.relaycore.remedy\`. What is not forwarded costs nothing.

| code | OpenAI dialect | Anthropic dialect | meaning | what helps |
| --- | --- | --- | --- | --- |
${refusals.join('\n')}
`
}
