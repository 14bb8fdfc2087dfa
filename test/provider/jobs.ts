import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'

/**
 * A provider whose responses go on in the background, with books of its own: what it has done for whom, and what it
 * would bill. Written from OpenAI's reference and independently of src/, so that it can contradict it.
 */
export interface JobProvider {
  url: string
  jobs: Map<string, BackgroundJob>
  /** Anthropic's, by their ids */
  batches: Map<string, MessageBatch>
  /** OpenAI's, by their ids */
  fileBatches: Map<string, FileBatch>
  /** what is in each file */
  files: Map<string, string>
  /** requests as they came: method and path */
  asked: string[]
  /** the answers to POST wait for this; null: they do not */
  until: Promise<void> | null
  /** resolves once a POST has been read, and its job has begun */
  begun: () => Promise<BackgroundJob>
  close: () => Promise<void>
}

export interface BackgroundJob {
  id: string
  body: Record<string, unknown>
  status: 'queued' | 'in_progress' | 'completed' | 'failed' | 'incomplete' | 'cancelled'
  /** billed: input and output tokens */
  used: { input: number, output: number } | null
  /** streams that wait for its end */
  streams: ServerResponse[]
  /** ends it, and every stream of it */
  finish: (used: { input: number, output: number } | null, status?: BackgroundJob['status']) => void
}

export interface MessageBatch {
  id: string
  requests: { custom_id: string, params: Record<string, unknown> }[]
  status: 'in_progress' | 'canceling' | 'ended'
  /** what each was billed, in their order; null: it failed, which is free */
  used: ({ input: number, output: number } | null)[]
  finish: (...used: ({ input: number, output: number } | null)[]) => void
}

export interface FileBatch {
  id: string
  endpoint: string
  input: string
  status: 'validating' | 'in_progress' | 'completed' | 'failed' | 'cancelling' | 'cancelled'
  output: string | null
  errors: string | null
  completed: number
  /** `answers`: of each line of the input, the body that it is answered with; null: it failed */
  finish: (status: FileBatch['status'], ...answers: (object | null)[]) => void
}

export async function startJobProvider (t: { teardown: (close: () => Promise<void>) => void }): Promise<JobProvider> {
  let told: ((job: BackgroundJob) => void)[] = []
  const provider: JobProvider = {
    url: '',
    jobs: new Map(),
    batches: new Map(),
    fileBatches: new Map(),
    files: new Map(),
    asked: [],
    until: null,
    begun: () => new Promise((resolve) => { told.push(resolve) }),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => { server.close(resolve) })
    },
  }
  const server = createServer((request, response) => {
    provider.asked.push(`${request.method} ${request.url}`)
    void (async () => {
      const bytes = await readAll(request)
      const { pathname } = new URL(request.url ?? '', provider.url)
      if (pathname.startsWith('/v1/files')) {
        answerFile(provider, request, pathname.split('/')[3], bytes, response)
        return
      }
      const body = bytes.length === 0 ? {} : JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
      if (pathname.startsWith('/v1/batches')) {
        answerFileBatch(provider, request, pathname.split('/').slice(3), body, response)
        return
      }
      await answer(provider, request, body, response, (job) => {
        for (const tell of told) tell(job)
        told = []
      })
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(provider.close)
  return provider
}

async function answer (
  provider: JobProvider, { method, url = '' }: IncomingMessage, body: Record<string, unknown>, response: ServerResponse,
  begun: (job: BackgroundJob) => void
): Promise<void> {
  const { pathname, searchParams } = new URL(url, provider.url)
  if (method === 'POST' && pathname === '/v1/responses') {
    const job = begin(provider, body)
    begun(job)
    await provider.until
    if (body['stream'] === true) follow(job, response)
    else send(response, 200, shown(job))
    return
  }
  if (pathname.startsWith('/v1/messages/batches')) {
    answerBatch(provider, method ?? '', pathname.slice('/v1/messages/batches'.length), body, response)
    return
  }
  const [, id = '', rest = ''] = /^\/v1\/responses\/([^/]+)(\/.*)?$/.exec(pathname) ?? []
  const job = provider.jobs.get(id)
  if (job === undefined) {
    send(response, 404, { error: { message: `Response with id '${id}' not found.`, type: 'invalid_request_error', param: null, code: null } })
  } else if (method === 'POST' && rest === '/cancel') {
    if (job.status === 'queued' || job.status === 'in_progress') job.finish(null, 'cancelled')
    send(response, 200, shown(job))
  } else if (method === 'DELETE') {
    provider.jobs.delete(id)
    send(response, 200, { id, object: 'response', deleted: true })
  } else if (searchParams.get('stream') === 'true') follow(job, response)
  else send(response, 200, shown(job))
}

function keepFile ({ files }: JobProvider, text: string): string {
  const id = `file-${Math.random().toString(36).slice(2)}`
  files.set(id, text)
  return id
}

function answerFile (
  provider: JobProvider, { method, url, headers }: IncomingMessage, asked: string | undefined, bytes: Buffer,
  response: ServerResponse
): void {
  const boundary = /boundary=(.+)$/.exec(headers['content-type'] ?? '')?.[1]
  const parts = bytes.toString('utf8').split(`--${boundary}`)
  const part = parts.find((one) => one.includes('name="file"'))
  const id = asked ?? keepFile(provider, (part ?? '').split('\r\n\r\n').slice(1).join('\r\n\r\n').replace(/\r\n$/, ''))
  const text = provider.files.get(id)
  if (text === undefined) send(response, 404, { error: { message: 'No such File object', type: 'invalid_request_error', param: 'id', code: null } })
  else if (url?.endsWith('/content') === true) response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(text)
  else {
    if (method === 'DELETE') provider.files.delete(id)
    send(response, 200, { id, object: 'file', bytes: text.length, created_at: 1, filename: 'b.jsonl', purpose: 'batch', deleted: method === 'DELETE' })
  }
}

function answerFileBatch (
  provider: JobProvider, { method }: IncomingMessage, [id, rest]: string[], body: Record<string, unknown>,
  response: ServerResponse
): void {
  const batch = id === undefined && method === 'POST' ? beginFileBatch(provider, body) : provider.fileBatches.get(id ?? '')
  if (batch === undefined) {
    send(response, 404, { error: { message: 'No batch found', type: 'invalid_request_error', param: null, code: null } })
    return
  }
  if (rest === 'cancel') batch.status = 'cancelling'
  send(response, 200, {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    input_file_id: batch.input,
    completion_window: '24h',
    status: batch.status,
    output_file_id: batch.output,
    error_file_id: batch.errors,
    created_at: 1,
    request_counts: { total: 0, completed: batch.completed, failed: 0 },
  })
}

function beginFileBatch (provider: JobProvider, body: Record<string, unknown>): FileBatch {
  const batch: FileBatch = {
    id: `batch_${Math.random().toString(36).slice(2)}`,
    endpoint: String(body['endpoint']),
    input: String(body['input_file_id']),
    status: 'validating',
    output: null,
    errors: null,
    completed: 0,
    finish (status, ...answers) {
      batch.status = status
      const lines = answers.map((answer, i) => ({
        custom_id: String(i),
        response: answer === null ? { status_code: 400, body: { error: { message: 'no' } } } : { status_code: 200, request_id: 'r', body: answer },
        error: null,
      }))
      const of = (good: boolean) => lines.filter((_, i) => (answers[i] !== null) === good).map((line) => `${JSON.stringify(line)}\n`).join('')
      batch.completed = answers.filter((answer) => answer !== null).length
      if (batch.completed > 0) batch.output = keepFile(provider, of(true))
      if (batch.completed < answers.length) batch.errors = keepFile(provider, of(false))
    },
  }
  provider.fileBatches.set(batch.id, batch)
  return batch
}

function answerBatch (
  provider: JobProvider, method: string, path: string, body: Record<string, unknown>, response: ServerResponse
): void {
  if (path === '') {
    const batch: MessageBatch = {
      id: `msgbatch_${Math.random().toString(36).slice(2)}`,
      requests: body['requests'] as MessageBatch['requests'],
      status: 'in_progress',
      used: [],
      finish (...used) {
        batch.used = used
        batch.status = 'ended'
      },
    }
    provider.batches.set(batch.id, batch)
    send(response, 200, shownBatch(provider, batch))
    return
  }
  const [, id = '', rest = ''] = path.split('/')
  const batch = provider.batches.get(id)
  if (batch === undefined || (rest === 'results' && batch.status !== 'ended')) {
    send(response, 404, { type: 'error', error: { type: 'not_found_error', message: 'There is none.' } })
  } else if (rest === 'results') {
    response.writeHead(200, { 'content-type': 'application/x-jsonl' }).end(batch.requests.map((one, i) => resultOf(batch, one, i)).join(''))
  } else if (method === 'DELETE') {
    provider.batches.delete(id)
    send(response, 200, { id, type: 'message_batch_deleted' })
  } else {
    if (rest === 'cancel') batch.status = 'canceling'
    send(response, 200, shownBatch(provider, batch))
  }
}

function shownBatch ({ url }: JobProvider, { id, status, requests, used }: MessageBatch): object {
  const succeeded = used.filter((one) => one !== null).length
  return {
    id,
    type: 'message_batch',
    processing_status: status,
    request_counts: {
      processing: requests.length - used.length, succeeded, errored: used.length - succeeded, canceled: 0, expired: 0,
    },
    ended_at: status === 'ended' ? '2026-11-26T00:00:00Z' : null,
    created_at: '2026-11-26T00:00:00Z',
    expires_at: '2026-11-27T00:00:00Z',
    archived_at: null,
    cancel_initiated_at: null,
    results_url: status === 'ended' ? `${url}/v1/messages/batches/${id}/results` : null,
  }
}

function resultOf ({ used }: MessageBatch, { custom_id: customId, params }: MessageBatch['requests'][number], i: number): string {
  const spent = used[i] ?? null
  const result = spent === null
    ? { type: 'errored', error: { type: 'error', error: { type: 'invalid_request_error', message: 'It failed.' } } }
    : {
        type: 'succeeded',
        message: {
          id: `msg_${i}`,
          type: 'message',
          role: 'assistant',
          model: params['model'],
          content: [{ type: 'text', text: 'Hello' }],
          stop_reason: 'end_turn',
          usage: { input_tokens: spent.input, output_tokens: spent.output, service_tier: 'batch', inference_geo: 'global' },
        },
      }
  return `${JSON.stringify({ custom_id: customId, result })}\n`
}

function begin (provider: JobProvider, body: Record<string, unknown>): BackgroundJob {
  const job: BackgroundJob = {
    id: `resp_${String(provider.jobs.size + 1)}${Math.random().toString(36).slice(2)}`,
    body,
    status: 'queued',
    used: null,
    streams: [],
    finish (used, status = 'completed') {
      job.used = used
      job.status = status
      const ends = { completed: 'completed', incomplete: 'incomplete' } as Record<string, string>
      for (const stream of job.streams.splice(0)) {
        stream.end(event({ type: `response.${ends[status] ?? 'failed'}`, sequence_number: 2, response: shown(job) }))
      }
    },
  }
  provider.jobs.set(job.id, job)
  return job
}

/** the events of a response from its beginning */
function follow (job: BackgroundJob, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(event({ type: 'response.created', sequence_number: 0, response: shown({ ...job, status: 'queued', used: null }) }))
  response.write(event({ type: 'response.output_text.delta', sequence_number: 1, delta: 'Hel' }))
  job.streams.push(response)
  if (job.status !== 'queued' && job.status !== 'in_progress') job.finish(job.used, job.status)
}

function shown ({ id, body, status, used }: BackgroundJob): object {
  return {
    id,
    object: 'response',
    created_at: 1_790_000_000,
    status,
    background: body['background'] === true,
    error: status === 'failed' ? { code: 'server_error', message: 'it failed' } : null,
    model: body['model'],
    output: used === null ? [] : [{ type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content: [{ type: 'output_text', text: 'Hello', annotations: [] }] }],
    service_tier: 'default',
    usage: used === null
      ? null
      : {
          input_tokens: used.input,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: used.output,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: used.input + used.output,
        },
  }
}

function event (data: { type: string, [name: string]: unknown }): string { return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n` }

function send (response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

async function readAll (request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
