import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { describeSettings, Settings } from '../src/config.ts'
import { Metrics } from '../src/metrics.ts'

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
