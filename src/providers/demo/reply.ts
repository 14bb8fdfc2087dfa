/**
 * What the demo models say, and how much of it that is. They are no models: their text and their token counts follow
 * from the request alone, so that a budget can be watched to the nano-dollar without a provider.
 */
export interface DemoReply {
  /** one word each, with the blank before it; a token is a word here */
  words: string[]
  /** why it ends: 'length' where the limit cut it, 'sequence' where a stop sequence did */
  ended: 'stop' | 'length' | 'sequence'
  /** the stop sequence that cut it */
  sequence: string | null
  inputTokens: number
}

export interface DemoRequest {
  messages: unknown
  system?: unknown
  /** null: none asked for */
  maxTokens: number | null
  stop: string[]
}

const OPENING = 'This is a demo model: it runs inside the gateway, costs nothing real and knows nothing. You said:'
const CLOSING = 'Its tokens are counted in words and charged at demo prices, so every budget moves as it would for real.'
/** words of the user's that are repeated */
const ECHOED = 30

export function demoReply ({ messages, system, maxTokens, stop }: DemoRequest): DemoReply {
  const inputTokens = Math.max(1, wordsOf(textOf(system)).length + wordsOf(textOf(messages)).length)
  const asked = wordsOf(lastUserText(messages)).slice(0, ECHOED)
  const all = [...wordsOf(OPENING), `"${asked.join(' ')}".`, ...wordsOf(CLOSING)]
    .flatMap((words) => wordsOf(words))
    .map((word, i) => i === 0 ? word : ` ${word}`)
  const words = maxTokens === null ? all : all.slice(0, maxTokens)
  const cut = firstStop(words.join(''), stop)
  if (cut !== null) {
    const left = split(words.join('').slice(0, cut.at))
    return { words: left, ended: 'sequence', sequence: cut.sequence, inputTokens }
  }
  return { words, ended: words.length < all.length ? 'length' : 'stop', sequence: null, inputTokens }
}

function firstStop (text: string, stop: string[]): { at: number, sequence: string } | null {
  let first: { at: number, sequence: string } | null = null
  for (const sequence of stop) {
    const at = sequence === '' ? -1 : text.indexOf(sequence)
    if (at !== -1 && (first === null || at < first.at)) first = { at, sequence }
  }
  return first
}

function split (text: string): string[] {
  return text.match(/ ?[^ ]+|(?<! ) +$/g) ?? []
}

function wordsOf (text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** The last message of the user's, as text. */
function lastUserText (messages: unknown): string {
  if (!Array.isArray(messages)) return ''
  const last: unknown = messages.findLast((message) => field(message, 'role') === 'user')
  return textOf(field(last, 'content'))
}

/** All text in messages, content parts and system prompts, without what only describes it. */
function textOf (value: unknown): string {
  const texts: string[] = []
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === 'string') texts.push(next)
    else if (Array.isArray(next)) for (const one of next.toReversed()) open.push(one)
    else open.push(...[field(next, 'text'), field(next, 'content')].filter((one) => one !== undefined))
  }
  return texts.join(' ')
}

export function field (value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}
