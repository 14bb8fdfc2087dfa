import { demoReply, type DemoReply, field } from './reply.ts'

/** The demo models' side of OpenAI's chat completions (OpenAI API reference, "Chat"). */
export interface ChatAnswer {
  json: () => object
  /** one server-sent event each */
  events: () => string[]
}

export function answerChat (body: unknown, id: string, created: number): ChatAnswer {
  const n = Math.max(1, count(field(body, 'n')) ?? 1)
  const stop = field(body, 'stop')
  const reply = demoReply({
    messages: field(body, 'messages'),
    maxTokens: count(field(body, 'max_completion_tokens')) ?? count(field(body, 'max_tokens')),
    stop: (Array.isArray(stop) ? stop : [stop]).filter((one) => typeof one === 'string'),
  })
  const head = { id, created, model: field(body, 'model'), service_tier: 'default', system_fingerprint: 'fp_demo' }
  const includeUsage = field(field(body, 'stream_options'), 'include_usage') === true
  return {
    json: () => completion(head, reply, n),
    events: () => completionEvents(head, reply, n, includeUsage),
  }
}

function completion (head: object, reply: DemoReply, n: number): object {
  const message = { role: 'assistant', content: reply.words.join(''), refusal: null }
  return {
    ...head,
    object: 'chat.completion',
    choices: choices(n, (index) => ({ index, message, logprobs: null, finish_reason: finishReason(reply) })),
    usage: usageOf(reply, n),
  }
}

function completionEvents (head: object, reply: DemoReply, n: number, includeUsage: boolean): string[] {
  const event = (delta: object, finish: string | null): string => chunk(head, includeUsage ? { usage: null } : {},
    choices(n, (index) => ({ index, delta, logprobs: null, finish_reason: finish })))
  return [
    event({ role: 'assistant', content: '', refusal: null }, null),
    ...reply.words.map((content) => event({ content }, null)),
    event({}, finishReason(reply)),
    ...(includeUsage ? [chunk(head, { usage: usageOf(reply, n) }, [])] : []),
    'data: [DONE]\n\n',
  ]
}

function chunk (head: object, usage: object, choices: object[]): string {
  return `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...usage })}\n\n`
}

function choices (n: number, choice: (index: number) => object): object[] {
  return Array.from({ length: n }, (_, index) => choice(index))
}

function finishReason (reply: DemoReply): string {
  return reply.ended === 'length' ? 'length' : 'stop'
}

function usageOf (reply: DemoReply, n: number): object {
  const completionTokens = reply.words.length * n
  return {
    prompt_tokens: reply.inputTokens,
    completion_tokens: completionTokens,
    total_tokens: reply.inputTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0,
    },
  }
}

function count (value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}
