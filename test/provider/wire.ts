/**
 * What both providers' answers look like on the wire, written from their documentation and independently of src/,
 * so that it can contradict it.
 */

/** What a call consumed, as the provider counts it. */
export interface ReportedUsage {
  /** all input: what was read from and written to a cache is part of it */
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
  /** part of `output` */
  reasoning: number
}

export interface Answer {
  id: string
  model: string
  usage: ReportedUsage
  /** false: the answer says nothing of usage */
  usageShown: boolean
  pieces: string[]
  /** choices of a chat completion */
  n: number
}

export type DialectName = 'openai' | 'anthropic'

const CREATED = 1_790_000_000

function chatUsage (usage: ReportedUsage): object {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cacheRead, cache_write_tokens: usage.cacheWrite, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

export function chatJson (answer: Answer): object {
  const content = answer.pieces.join('')
  const message = { role: 'assistant', content, refusal: null, annotations: [] }
  return {
    id: answer.id,
    object: 'chat.completion',
    created: CREATED,
    model: answer.model,
    choices: Array.from({ length: answer.n }, (_, index) => ({
      index, message, logprobs: null, finish_reason: 'stop',
    })),
    ...(answer.usageShown ? { usage: chatUsage(answer.usage) } : {}),
    service_tier: 'default',
    system_fingerprint: 'fp_test',
  }
}

/** Each string is one server-sent event. `includeUsage`: what the request's stream_options asked for. */
export function chatEvents (answer: Answer, includeUsage: boolean): string[] {
  const shown = includeUsage && answer.usageShown
  const chunk = (choices: object[], usage: object | null): string => `data: ${JSON.stringify({
    id: answer.id,
    object: 'chat.completion.chunk',
    created: CREATED,
    model: answer.model,
    service_tier: 'default',
    system_fingerprint: 'fp_test',
    choices,
    ...(includeUsage ? { usage } : {}),
  })}\n\n`
  const choices = (delta: object, finish: string | null): object[] =>
    Array.from({ length: answer.n }, (_, index) => ({ index, delta, logprobs: null, finish_reason: finish }))
  return [
    chunk(choices({ role: 'assistant', content: '', refusal: null }, null), null),
    ...answer.pieces.map((content) => chunk(choices({ content }, null), null)),
    chunk(choices({}, 'stop'), null),
    ...(shown ? [chunk([], chatUsage(answer.usage))] : []),
    'data: [DONE]\n\n',
  ]
}

function messageUsage (usage: ReportedUsage, output: number): object {
  return {
    input_tokens: usage.input - usage.cacheRead - usage.cacheWrite,
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    service_tier: 'standard',
  }
}

export function messageJson (answer: Answer): object {
  return {
    id: answer.id,
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: [{ type: 'text', text: answer.pieces.join('') }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    ...(answer.usageShown ? { usage: messageUsage(answer.usage, answer.usage.output) } : {}),
  }
}

export function messageEvents (answer: Answer): string[] {
  const event = (data: { type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
  const start = { ...messageJson({ ...answer, usageShown: false, pieces: [] }), content: [], stop_reason: null }
  const shown = (usage: object): object => answer.usageShown ? { usage } : {}
  return [
    event({ type: 'message_start', ...{ message: { ...start, ...shown(messageUsage(answer.usage, 1)) } } }),
    event({ type: 'content_block_start', ...{ index: 0, content_block: { type: 'text', text: '' } } }),
    event({ type: 'ping' }),
    ...answer.pieces.map((text) =>
      event({ type: 'content_block_delta', ...{ index: 0, delta: { type: 'text_delta', text } } })),
    event({ type: 'content_block_stop', ...{ index: 0 } }),
    event({
      type: 'message_delta',
      ...{ delta: { stop_reason: 'end_turn', stop_sequence: null } },
      ...shown(messageUsage(answer.usage, answer.usage.output)),
    }),
    event({ type: 'message_stop' }),
  ]
}

export function errorJson (dialect: DialectName, status: number, id: string): object {
  const message = `the test provider answers ${status}`
  if (dialect === 'openai') return { error: { message, type: errorType(status), param: null, code: null } }
  return { type: 'error', error: { type: errorType(status), message }, request_id: id }
}

function errorType (status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 429) return 'rate_limit_error'
  return status < 500 ? 'invalid_request_error' : 'api_error'
}
