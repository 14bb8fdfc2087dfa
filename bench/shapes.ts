/** The requests that the bench sends: what official SDKs send, of a given size. */
export interface Shape {
  name: string
  path: string
  body: string
  concurrency: number[]
  /** CPU per call against the bare proxy, at most; proven alone and with Redis */
  aim: { alone: number, redis: number }
}

const KB = 1_024

export const SHAPES = {
  json: {
    name: 'JSON, 1 KB each way',
    path: '/v1/chat/completions',
    body: chat(KB, {}),
    concurrency: [1, 64, 256],
    aim: { alone: 0.95, redis: 1.05 },
  },
  sse: {
    name: 'SSE, 50 chunks',
    path: '/v1/chat/completions',
    body: chat(KB, { stream: true, stream_options: { include_usage: true } }),
    concurrency: [1, 64, 256],
    aim: { alone: 0.95, redis: 1.05 },
  },
  unasked: {
    name: 'SSE, 50 chunks, usage not asked for (the gateway asks, and takes it out again)',
    path: '/v1/chat/completions',
    body: chat(KB, { stream: true }),
    concurrency: [64],
    aim: { alone: 0.95, redis: 1.05 },
  },
  large: {
    name: 'JSON, 80 KB request',
    path: '/v1/chat/completions',
    body: chat(80 * KB, {}),
    concurrency: [64],
    aim: { alone: 1.75, redis: 1.75 },
  },
} satisfies Record<string, Shape>

/** a conversation that fills about `bytes`, in messages of the length that people write */
function chat (bytes: number, options: object): string {
  const body = { model: 'gpt-4o-mini', max_completion_tokens: 64, ...options, messages: [] as object[] }
  const text = 'The quick brown fox jumps over the lazy dog; "then", it said, comes the rest.\n'
  for (let i = 0; JSON.stringify(body).length < bytes - 300; i++) {
    body.messages.push({ role: i % 2 === 0 ? 'user' : 'assistant', content: text.repeat(Math.min(8, bytes / 512)) })
  }
  return JSON.stringify(body)
}
