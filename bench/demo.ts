import Anthropic from '@anthropic-ai/sdk'
import OpenAI, { RateLimitError } from 'openai'
import { setTimeout as wait } from 'node:timers/promises'
import { formatNano } from '../src/money/amount.ts'
import { type Budget, type BudgetInput, type DemoGateway, startGateway, type Status } from './demo-gateway.ts'

/**
 * `npm run demo`: the whole story in the terminal, offline. A gateway of its own, on its embedded PostgreSQL in a
 * temporary folder, with the built-in demo models; official SDKs as clients. What the clients reckon from the usage
 * that they are told is compared with what the gateway says and what stands in the ledger. Ends with 1 if they differ.
 */
const CALLS = 50
const AFFORDED = 20
/** demo-small, nano-USD per token */
const INPUT_NANO = 1_000n
const OUTPUT_NANO = 4_000n
const MODEL = 'demo-small'
const QUESTION = 'How do you know what this will cost?'
const ANSWER_TOKENS = 40
const STARTED = 'Starting a gateway with its own PostgreSQL in a temporary folder ...'

/** what the clients reckon, by budget id */
const books = new Map<string, bigint>()
const wrong: string[] = []

async function story (gateway: DemoGateway): Promise<void> {
  say(`It listens on ${gateway.url}.`)
  title('1. Budgets: an organization, a team below it, and a key for the team')
  const acme = await gateway.createBudget({ name: 'Acme', scopeType: 'organization', scopeId: 'acme', amount: '5' })
  const team = await gateway.createBudget({
    name: 'Research', scopeType: 'team', scopeId: 'research', amount: '0.5', parentBudgetId: acme.id,
  })
  const key = await gateway.createKey({ name: 'research', organizationId: 'acme', teamId: 'research' })
  for (const budget of [acme, team]) say(described(budget))
  say(`Key ${key.slice(0, 12)}... for team research`)

  title('2. Spending, with the official SDKs')
  for (const [name, call] of callers(gateway.url, key)) await spend(gateway, name, call, [acme, team])

  title(`3. ${CALLS} calls at once, for a project that affords ${AFFORDED} of them`)
  const project = await race(gateway, [acme, team])

  title('4. The ledger')
  await gateway.recorded()
  for (const budget of [acme, team, project]) await compare(gateway, budget)
}

interface Told { inputTokens: number, outputTokens: number, text: string }
type Caller = () => Promise<Told>

function callers (url: string, key: string): [string, Caller][] {
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key })
  const anthropic = new Anthropic({ baseURL: url, apiKey: key })
  const messages = [{ role: 'user' as const, content: QUESTION }]
  const chat = { model: MODEL, max_tokens: 120, messages }
  return [
    ['openai', async () => {
      const { choices, usage } = await openai.chat.completions.create(chat)
      return told(usage, choices[0]?.message.content ?? '')
    }],
    ['openai, streaming', async () => await streamed(openai, chat)],
    ['anthropic', async () => {
      const { content, usage } = await anthropic.messages.create(chat)
      return { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens, text: textOf(content) }
    }],
    ['anthropic, streaming', async () => {
      const { content, usage } = await anthropic.messages.stream(chat).finalMessage()
      return { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens, text: textOf(content) }
    }],
  ]
}

const STREAM = { stream: true as const, stream_options: { include_usage: true } }

type Chat = Pick<OpenAI.ChatCompletionCreateParams, 'model' | 'max_tokens' | 'messages'>

async function streamed (openai: OpenAI, chat: Chat): Promise<Told> {
  const stream = await openai.chat.completions.create({ ...chat, ...STREAM })
  let text = ''
  let usage: OpenAI.CompletionUsage | null | undefined
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage ?? usage
  }
  return told(usage, text)
}

function told (usage: OpenAI.CompletionUsage | null | undefined, text: string): Told {
  if (usage === null || usage === undefined) throw new Error('an answer came without its usage')
  return { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens, text }
}

function textOf (content: Anthropic.ContentBlock[]): string {
  return content.map((block) => block.type === 'text' ? block.text : '').join('')
}

async function spend (gateway: DemoGateway, name: string, call: Caller, budgets: Budget[]): Promise<void> {
  const answer = await call()
  const cost = enter(answer, budgets)
  say(`${name.padEnd(21)} ${answer.inputTokens} tokens in, ${answer.outputTokens} out: ${formatNano(cost)} USD`)
  say(`  "${answer.text.slice(0, 90)}..."`)
  for (const budget of budgets) {
    const status = await gateway.status(budget.id)
    say(`  ${statusLine(budget, status)}`)
    check(`the status of ${budget.name}`, parseNano(status.currentAmount), books.get(budget.id) ?? 0n)
  }
}

/** what a call cost by the usage that its client was told, entered for all budgets that it counts for */
function enter (answer: Told, budgets: Budget[]): bigint {
  const cost = costOf(answer)
  for (const { id } of budgets) books.set(id, (books.get(id) ?? 0n) + cost)
  return cost
}

function costOf ({ inputTokens, outputTokens }: Told): bigint {
  return BigInt(inputTokens) * INPUT_NANO + BigInt(outputTokens) * OUTPUT_NANO
}

/**
 * The budget is 19 costs and one quote: when 19 calls are paid, a 20th can still be held, and when 20 are paid, no call
 * can. Nor can a 21st be let in while others are open, since what is open is held at its quote, which is never less
 * than its cost. Who meets only open holds is told to try again in a moment, and the SDK does so by itself.
 */
async function race (gateway: DemoGateway, above: Budget[]): Promise<Budget> {
  const key = await gateway.createKey({
    name: 'project', organizationId: 'acme', teamId: 'research', projectId: 'twenty',
  })
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 1_000 })
  const chat: Chat = { model: MODEL, max_tokens: ANSWER_TOKENS, messages: [{ role: 'user', content: QUESTION }] }
  const { quote, cost } = await measured(openai, chat, above)
  const amount = formatNano(BigInt(AFFORDED - 1) * cost + quote)
  const project = await gateway.createBudget({
    name: 'Twenty', scopeType: 'project', scopeId: 'twenty', organizationId: 'acme', amount,
  })
  say(`Such a call is held at ${formatNano(quote)} USD, the most it can cost, and costs ${formatNano(cost)}.`)
  say(described(project))

  const budgets = [...above, project]
  const calls = Array.from({ length: CALLS }, () => streamed(openai, chat))
  const watching = watch(gateway, project, Promise.allSettled(calls))
  const results = await Promise.allSettled(calls)
  const peak = await watching
  const admitted = results.filter((result) => result.status === 'fulfilled')
  for (const { value } of admitted) enter(value, budgets)
  report(results, admitted.length, peak, parseNano(amount))
  return project
}

/** quote and cost of one call, made before the project's budget exists */
async function measured (openai: OpenAI, chat: Chat, budgets: Budget[]): Promise<{ quote: bigint, cost: bigint }> {
  const { data, response } = await openai.chat.completions.create({ ...chat, ...STREAM }).withResponse()
  let usage: OpenAI.CompletionUsage | null | undefined
  for await (const chunk of data) usage = chunk.usage ?? usage
  return { quote: parseNano(response.headers.get('x-relaycore-quote') ?? ''), cost: enter(told(usage, ''), budgets) }
}

/** the greatest sum of spent and held that the status showed meanwhile */
async function watch (gateway: DemoGateway, budget: Budget, ended: Promise<unknown>): Promise<bigint> {
  const race = { over: false }
  let peak = 0n
  let shown = ''
  void ended.then(() => { race.over = true })
  while (!race.over) {
    const status = await gateway.status(budget.id)
    const sum = parseNano(status.currentAmount) + parseNano(status.held)
    if (sum > peak) peak = sum
    if (status.currentAmount !== shown) say(`  ${statusLine(budget, status)}`)
    shown = status.currentAmount
    await wait(20)
  }
  return peak
}

function report (results: PromiseSettledResult<Told>[], admitted: number, peak: bigint, limit: bigint): void {
  const errors = results.flatMap((result) => result.status === 'rejected' ? [result.reason as unknown] : [])
  const refused = errors.filter((error) => error instanceof RateLimitError && error.code === 'insufficient_quota')
  say(`${admitted} admitted, ${refused.length} refused, ${errors.length - refused.length} failed otherwise`)
  const [first] = refused
  if (first instanceof RateLimitError) say(`A refused one sees a ${first.constructor.name}:\n    ${first.message}`)
  for (const error of errors) if (!refused.includes(error)) wrong.push(`a call failed: ${String(error)}`)
  check('the number of admitted calls', BigInt(admitted), BigInt(AFFORDED))
  check('the number of refused calls', BigInt(refused.length), BigInt(CALLS - AFFORDED))
  say(`Spent and held together were never more than ${formatNano(peak)} of ${formatNano(limit)} USD`)
  if (peak > limit) wrong.push(`spent and held came to ${formatNano(peak)}, above the limit of ${formatNano(limit)}`)
}

/** one amount from five places, which must be the same to the nano-dollar */
async function compare (gateway: DemoGateway, budget: Budget): Promise<void> {
  const reckoned = books.get(budget.id) ?? 0n
  const usage = await gateway.usage(budget.id)
  const ledger = await gateway.ledger(budget.id)
  const amounts: [string, bigint][] = [
    ['reckoned by the clients', reckoned],
    ['GET /budgets/:id/status', parseNano((await gateway.status(budget.id)).currentAmount)],
    [`GET /budgets/:id/usage, sum of ${usage.length} records`, usage.reduce((sum, one) => sum + parseNano(one.amount), 0n)],
    ['SQL calculate_budget_status()', ledger.calculatedNano],
    ['SQL budget_accounts.settled_nano', ledger.settledNano],
  ]
  say(budget.name)
  for (const [name, nano] of amounts) {
    say(`  ${name.padEnd(42)} ${nano.toString().padStart(12)} nano-USD`)
    check(`${budget.name}, ${name}`, nano, reckoned)
  }
}

/** of a decimal amount as the API writes it */
function parseNano (text: string): bigint {
  const match = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text)
  if (match === null) throw new Error(`${JSON.stringify(text)} is not an amount`)
  return BigInt(`${match[1]}${(match[2] ?? '').padEnd(9, '0')}`)
}

function check (name: string, found: bigint, expected: bigint): void {
  if (found !== expected) wrong.push(`${name}: ${found}, expected ${expected}`)
}

function described ({ name, scopeType, scopeId, amount, period }: BudgetInput & { period: string }): string {
  return `Budget "${name}" of ${scopeType} ${scopeId}: ${amount} USD, ${period}`
}

function statusLine ({ name }: Budget, { currentAmount, held, remaining, percentUsed, status }: Status): string {
  return `${name.padEnd(9)} spent ${currentAmount.padEnd(9)} held ${held.padEnd(9)} remaining ${remaining.padEnd(9)} ` +
    `${percentUsed} % (${status})`
}

function title (text: string): void { console.log(`\n${text}\n${'-'.repeat(text.length)}`) }
function say (text: string): void { console.log(`  ${text}`) }

console.log(STARTED)
const gateway = await startGateway()
process.once('SIGINT', () => { gateway.close().finally(() => { process.exit(130) }) })
try {
  await story(gateway)
  console.log(wrong.length === 0 ? '\nEverything agrees to the nano-dollar.' : `\nNot as it should be:\n  ${wrong.join('\n  ')}`)
} catch (error) {
  console.error(error)
  wrong.push('the demo could not be finished')
} finally {
  await gateway.close()
}
process.exitCode = wrong.length === 0 ? 0 : 1
