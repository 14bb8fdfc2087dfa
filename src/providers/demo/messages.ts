import { type ChatAnswer } from './chat.ts'
import { demoReply, type DemoReply, field } from './reply.ts'

/** The demo models' side of Anthropic's messages (Anthropic API reference, "Messages", "Streaming"). */
export function answerMessages (body: unknown, id: string): ChatAnswer {
  const stop = field(body, 'stop_sequences')
  const limit = field(body, 'max_tokens')
  const reply = demoReply({
    messages: field(body, 'messages'),
    system: field(body, 'system'),
    maxTokens: typeof limit === 'number' ? limit : null,
    stop: (Array.isArray(stop) ? stop : []).filter((one) => typeof one === 'string'),
  })
  const head = { id, type: 'message', role: 'assistant', model: field(body, 'model') }
  return {
    json: () => ({
      ...head,
      content: [{ type: 'text', text: reply.words.join('') }],
      ...stopped(reply),
      usage: usageOf(reply, reply.words.length),
    }),
    events: () => messageEvents(head, reply),
  }
}

export function countTokens (body: unknown): object {
  const { inputTokens } = demoReply({
    messages: field(body, 'messages'), system: field(body, 'system'), maxTokens: 0, stop: [],
  })
  return { input_tokens: inputTokens }
}

function messageEvents (head: object, reply: DemoReply): string[] {
  const start = { ...head, content: [], stop_reason: null, stop_sequence: null, usage: usageOf(reply, 1) }
  return [
    event('message_start', { message: start }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('ping', {}),
    ...reply.words.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: stopped(reply), usage: { output_tokens: reply.words.length } }),
    event('message_stop', {}),
  ]
}

function event (type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
}

function stopped (reply: DemoReply): object {
  const reasons = { stop: 'end_turn', length: 'max_tokens', sequence: 'stop_sequence' }
  return { stop_reason: reasons[reply.ended], stop_sequence: reply.sequence }
}

function usageOf (reply: DemoReply, outputTokens: number): object {
  return {
    input_tokens: reply.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
    service_tier: 'standard',
  }
}
