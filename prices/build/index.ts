import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import {
  CatalogFileSchema, type CatalogModel, type CatalogProvider, checkProvider, compileModel,
} from '../../src/pricing/catalog.ts'
import { type Entry } from './entry.ts'
import { type Dropped, genaiModels } from './genai-prices.ts'
import { type HandKept, HandKeptSchema, laidOver, onceOnly } from './hand-kept.ts'
import { dearestRegion, type Difference, greater, merged, pricesOf } from './merge.ts'
import { type PiData, piData } from './pi-ai.ts'

/**
 * `npm run catalog`: writes prices/catalog.json anew from @pydantic/genai-prices, the data of @earendil-works/pi-ai and
 * prices/hand-kept.yaml, and says what the sources disagree about and what had to be left out.
 */
const ROOT = resolve(import.meta.dirname, '../../..')
const PI_AI = '1.5.2'
const GENAI = { version: '0.1.8', date: '2026-09-22' }

/** what the providers are called in the sources */
const PROVIDERS: { name: string, genai?: string, pi?: string }[] = [
  { name: 'openai', genai: 'openai', pi: 'openai' },
  { name: 'anthropic', genai: 'anthropic', pi: 'anthropic' },
  { name: 'gemini', genai: 'google', pi: 'google' },
  { name: 'vertex', pi: 'google-vertex' },
  { name: 'azure', genai: 'azure', pi: 'azure' },
  { name: 'bedrock', genai: 'aws', pi: 'amazon-bedrock' },
  { name: 'mistral', genai: 'mistral', pi: 'mistral' },
  { name: 'cohere', genai: 'cohere' },
  { name: 'openrouter', genai: 'openrouter', pi: 'openrouter' },
  { name: 'groq', genai: 'groq', pi: 'groq' },
  { name: 'deepseek', genai: 'deepseek', pi: 'deepseek' },
  { name: 'xai', genai: 'x-ai', pi: 'xai' },
  { name: 'cerebras', genai: 'cerebras', pi: 'cerebras' },
  { name: 'fireworks', genai: 'fireworks', pi: 'fireworks' },
  { name: 'together', genai: 'together', pi: 'together' },
  { name: 'moonshotai', genai: 'moonshotai', pi: 'moonshotai' },
  { name: 'demo' },
]

/** Of these all sources mean the same models, so the largest limit that any of them knows is the model's. */
const ONE_MAKER = new Set(['openai', 'anthropic', 'gemini', 'xai', 'azure', 'vertex'])
/** Whom Azure serves at the same prices, where the sources have no entry of its own for them. */
const AZURE_TOO = /^(?:gpt-3|o[134]|text-embedding|whisper|tts-|dall-e|gpt-image|gpt-audio|gpt-realtime|gpt-4o-)/

const hand = handKept()
const pi = piData(PI_AI)
const limits = largestLimits(pi)
const byProvider = new Map<string, Entry[]>()
const lines: string[] = []

for (const { name, genai, pi: piName } of PROVIDERS) {
  const dropped: Dropped[] = []
  const differences: Difference[] = []
  const older = genai === undefined ? [] : prepared(name, genaiModels(genai, dropped))
  const newer = piName === undefined ? [] : pi.models.get(piName) ?? []
  const which = name === 'openrouter' ? 'dearer' : 'newer'
  const all = merged([...older, ...borrowed(name)], newer, differences, which).map((entry) => withLimits(name, entry))
  const entries = onceOnly(laidOver(name === 'bedrock' ? dearestRegion(all) : all, name, hand))
  const [models, incomplete] = complete(entries)
  byProvider.set(name, entries)
  const provider = { provider: name, ...headOf(name, hand), models: models.map((entry) => written(entry, pi.date)) }
  checkProvider(provider)
  for (const model of provider.models) compileModel(provider, model, hand.version)
  lines.push(providerText(provider))
  report(name, provider.models.length, [...dropped, ...incomplete], differences)
}

const text = `{"schema":1,"version":${JSON.stringify(hand.version)},"providers":[\n${lines.join(',\n')}\n]}\n`
if (!Value.Check(CatalogFileSchema, JSON.parse(text))) throw new Error('the catalog is not what its schema says')
writeFileSync(join(ROOT, 'prices/catalog.json'), text)

function handKept (): HandKept {
  const read: unknown = parse(readFileSync(join(ROOT, 'prices/hand-kept.yaml'), 'utf8'))
  const [wrong] = Value.Errors(HandKeptSchema, read)
  if (wrong !== undefined) throw new Error(`prices/hand-kept.yaml: ${wrong.instancePath} ${wrong.message}`)
  return read as HandKept
}

/** what the other source knows of a provider, in our names */
function prepared (name: string, entries: Entry[]): Entry[] {
  if (name === 'gemini') return entries.filter(({ model }) => /^(?:gemini|gemma|text-embedding)/.test(model))
  if (name === 'azure') return entries.filter(({ contextWindow }) => contextWindow !== undefined)
  if (name !== 'bedrock') return entries
  // `regional.` is none of AWS's prefixes: it stands for the name without one, and for those of continents
  return entries.map((entry) => {
    if (!entry.model.startsWith('regional.')) return entry
    const model = entry.model.slice('regional.'.length)
    return { ...entry, model, aliases: ['us', 'eu', 'apac'].map((region) => `${region}.${model}`) }
  })
}

/** Google's cloud has the prices of its API and of Anthropic, Azure those of OpenAI. */
function borrowed (name: string): Entry[] {
  const of = (provider: string, which: RegExp) => (byProvider.get(provider) ?? [])
    .filter(({ model }) => which.test(model)).map(({ multipliers: _, ...entry }) => entry)
  if (name === 'vertex') return [...of('gemini', /^gemini/), ...of('anthropic', /^claude/)]
  return name === 'azure' ? of('openai', AZURE_TOO) : []
}

function largestLimits ({ models }: PiData): Map<string, Pick<Entry, 'contextWindow' | 'maxOutput'>> {
  const largest = new Map<string, Pick<Entry, 'contextWindow' | 'maxOutput'>>()
  const makers = ['openai', 'azure', 'anthropic', 'google', 'google-vertex', 'xai', 'openrouter']
  for (const { model, contextWindow, maxOutput } of makers.flatMap((name) => models.get(name) ?? [])) {
    const name = model.replace(/^(?:openai|anthropic|google|x-ai)\//, '')
    const known = largest.get(name) ?? {}
    const both = {
      contextWindow: greater(known.contextWindow, contextWindow), maxOutput: greater(known.maxOutput, maxOutput),
    }
    largest.set(name, both as Pick<Entry, 'contextWindow' | 'maxOutput'>)
  }
  return largest
}

function withLimits (provider: string, entry: Entry): Entry {
  const largest = ONE_MAKER.has(provider) ? limits.get(entry.model) ?? {} : {}
  const contextWindow = greater(entry.contextWindow, largest.contextWindow)
  const maxOutput = greater(entry.maxOutput, largest.maxOutput)
  return {
    ...entry,
    ...contextWindow === undefined ? {} : { contextWindow },
    ...maxOutput === undefined ? {} : { maxOutput },
  }
}

/** Without a context window nothing bounds a call's input; without a largest output the window does. */
function complete (entries: readonly Entry[]): [Entry[], Dropped[]] {
  const dropped: Dropped[] = []
  const models = entries.flatMap((entry) => {
    const priced = entry.input !== undefined || entry.units !== undefined
    // what is billed by pages or seconds alone reads no tokens that cost anything
    const contextWindow = readsTokens(entry) ? entry.contextWindow : 0
    if (!priced || contextWindow === undefined) {
      dropped.push({ model: entry.model, why: priced ? 'no context window is known' : 'it has no price' })
      return []
    }
    const maxOutput = hasOutput(entry) ? Math.min(entry.maxOutput ?? contextWindow, contextWindow) : 0
    const tiers = entry.tiers?.filter(({ fromInputTokens }) => fromInputTokens <= contextWindow)
    return [{ ...entry, contextWindow, maxOutput, ...tiers === undefined ? {} : { tiers } }]
  })
  return [models.sort((a, b) => a.model < b.model ? -1 : 1), dropped]
}

function readsTokens ({ input, units = {} }: Entry): boolean {
  return input !== undefined || units['inputAudioTokens'] !== undefined || units['inputImageTokens'] !== undefined
}

function hasOutput ({ output, units = {} }: Entry): boolean {
  return output !== undefined || units['outputAudioTokens'] !== undefined || units['outputImageTokens'] !== undefined
}

function written (entry: Entry, piDate: string): CatalogModel {
  const { model, aliases, contextWindow = 0, maxOutput = 0, reasoning, tiers = [], multipliers, changes, from } = entry
  const day = { 'pi-ai': piDate, 'genai-prices': GENAI.date, hand: hand.version }
  const version = { 'pi-ai': ` ${PI_AI}`, 'genai-prices': ` ${GENAI.version}` }
  const said = {
    model,
    aliases,
    contextWindow,
    maxOutput,
    // what nobody says is taken to be able to, so that a cut answer is charged by what it may have been
    reasoning: reasoning ?? maxOutput > 0,
    ...pricesOf(entry),
    tiers: tiers.length === 0 ? undefined : tiers,
    multipliers,
    asText: entry.asText,
    cachesUnasked: entry.cachesUnasked,
    changes,
    source: from.map((name) => `${name}${version[name as keyof typeof version] ?? ''}`).join(', '),
    checkedAt: from.map((name) => day[name as keyof typeof day]).sort().at(-1),
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as CatalogModel
}

function headOf (name: string, { providers }: HandKept): Omit<CatalogProvider, 'provider' | 'models'> {
  const { models: _, ...head } = providers[name] ?? { cachesUnasked: false }
  return { cachesUnasked: false, ...head }
}

/** a line for each model, so that a change of one is one line of a difference */
function providerText ({ models, ...head }: CatalogProvider): string {
  const text = JSON.stringify(head).slice(0, -1)
  return `${text},"models":[\n${models.map((model) => JSON.stringify(model)).join(',\n')}\n]}`
}

function report (name: string, count: number, dropped: readonly Dropped[], differences: readonly Difference[]): void {
  console.log(`${name}: ${count} models`)
  if (differences.length > 20) console.log(`  the sources differ in ${differences.length} prices: the dearer count`)
  else {
    for (const { model, rate, older, newer } of differences) {
      console.log(`  ${model}: ${rate} is ${older} in genai-prices and ${newer} in pi-ai`)
    }
  }
  for (const reason of new Set(dropped.map(({ why }) => why))) {
    const models = dropped.filter(({ why }) => why === reason).map(({ model }) => model)
    console.log(`  left out, ${reason}: ${models.join(' ')}`)
  }
}
