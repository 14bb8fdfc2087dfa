import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decimal, defined } from '../../src/pricing/decimal.ts'
import { type Entry, type Prices } from './entry.ts'

/**
 * The data of @earendil-works/pi-ai, read out of its tarball: the package itself wants a newer Node and brings the SDKs
 * of many providers along.
 */

interface PiCost { input: number, output: number, cacheRead: number, cacheWrite: number }
interface PiModel {
  id: string
  type: string
  reasoning?: boolean
  cost?: PiCost & { tiers?: (PiCost & { inputTokensAbove: number })[] }
  contextWindow?: number
  maxTokens?: number
}

export interface PiData {
  version: string
  /** the day on which it was made */
  date: string
  models: Map<string, Entry[]>
}

export function piData (version: string): PiData {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-'))
  try {
    execFileSync('npm', ['pack', `@earendil-works/pi-ai@${version}`, '--silent', '--pack-destination', folder])
    const [tarball] = readdirSync(folder)
    if (tarball === undefined) throw new Error('npm pack gave no tarball')
    execFileSync('tar', ['-xzf', tarball, 'package/dist/providers/data'], { cwd: folder })
    return dataOf(version, join(folder, 'package/dist/providers/data'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function dataOf (version: string, data: string): PiData {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(data, name), 'utf8'))
  const { generatedAt } = read('.manifest.json') as { generatedAt: string }
  const models = new Map<string, Entry[]>()
  for (const name of readdirSync(data).filter((one) => /^[a-z]/.test(one))) {
    const apis = Object.values(read(name) as Record<string, Record<string, PiModel>>)
    const chat = apis.flatMap((api) => Object.values(api)).filter(({ type }) => type === 'chat')
    models.set(name.replace('.json', ''), chat.flatMap(entryOf))
  }
  return { version, date: generatedAt.slice(0, 10), models }
}

/** none where it costs nothing, which is as likely a gap as a gift, or is another name for whatever is newest */
function entryOf ({ id, reasoning, cost, contextWindow, maxTokens }: PiModel): Entry[] {
  if (cost === undefined || cost.input === 0 || !/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/.test(id)) return []
  const tiers = cost.tiers?.map((tier) => ({ fromInputTokens: tier.inputTokensAbove + 1, ...pricesOf(tier) }))
  return [{
    model: id,
    ...defined({ contextWindow, maxOutput: maxTokens, reasoning }),
    ...pricesOf(cost),
    ...tiers === undefined ? {} : { tiers },
    from: ['pi-ai'],
  }]
}

function pricesOf (cost: PiCost): Prices {
  return defined({
    input: decimal(cost.input),
    cacheRead: decimal(cost.cacheRead),
    cacheWrite5m: decimal(cost.cacheWrite),
    output: decimal(cost.output),
  })
}
