import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { type Refusal } from '../../src/errors.ts'
import { type CallIntake, type JobDesk, type OpenCall } from '../../src/gateway/call.ts'
import { type Job } from '../../src/holds/job.ts'
import { isForm, parseForm } from '../../src/providers/form.ts'
import { fileMeter } from '../../src/providers/file-meter.ts'
import { pathTemplate } from '../../src/providers/paths.ts'
import { type BillableEndpoint, type Endpoint, isRefusal, type JobEndpoint } from '../../src/providers/provider.ts'
import { Exchange, type ExchangeCall, Unsigned } from './exchange.ts'
import { upstreamHeaders } from './headers.ts'
import { type Inbound, isGone, type Plane } from './plane.ts'
import { internalError, refuse, sendRefusal, shuttingDown, withCallId, writeRefusal } from './refusals.ts'
import { type Route } from './routes.ts'
import { openSocket } from './sockets.ts'
import { type Credential, type Upstream } from './upstream.ts'

/** An admitted request, read to its end: it goes where its route says, whatever its path may mean to others. */
export function handle (plane: Plane, request: FastifyRequest, reply: FastifyReply): void {
  const inbound = request.inbound
  const { route } = inbound ?? {}
  if (inbound === null || route === undefined) throw new Error('a request was handled that was not admitted')
  const { endpoint } = route
  if (plane.sockets.has(request.raw)) {
    openSocket(plane, inbound, request, reply)
    return
  }
  if (endpoint.kind === 'free' && endpoint.served === 'models') {
    answerModels(plane, route, request, reply)
    return
  }
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  if (endpoint.kind === 'free' && endpoint.served === 'job') {
    forwardToJob(plane, inbound, endpoint, bytes, request, reply)
    return
  }
  if (endpoint.kind === 'free' && endpoint.served === 'file') {
    forwardFile(plane, inbound, bytes, request, reply)
    return
  }
  if (endpoint.kind === 'free' && (endpoint.method !== 'POST' || bytes.length === 0)) {
    forwardFree(plane, inbound, null, bytes, request, reply)
    return
  }
  const form = formType(endpoint, request)
  const parsed = form === null ? plane.parse(bytes) : parseForm(bytes, form)
  if ('refusal' in parsed) refuse(plane.gate, route.provider, parsed.refusal, request, reply)
  else if (endpoint.kind === 'free') forwardFree(plane, inbound, parsed.body, bytes, request, reply)
  else if (endpoint.reads === undefined) forwardCall(plane, inbound, endpoint, parsed.body, bytes, request, reply)
  else forwardWithFile(plane, inbound, endpoint, parsed.body, bytes, request, reply)
}

/** null: the body is JSON */
function formType (endpoint: Endpoint, { headers }: FastifyRequest): string | null {
  const { 'content-type': type = '' } = headers
  const takesForms = endpoint.kind === 'billable' ? endpoint.takes !== undefined : endpoint.served === 'file'
  return takesForms && isForm(type) ? type : null
}

const DEMO = 'demo'

function answerModels (plane: Plane, route: Route, request: FastifyRequest, reply: FastifyReply): void {
  const { provider, params: { model: modelId } } = route
  const text = provider.dialect.renderModels(plane.gate.models(provider.name), modelId)
  if (text !== null) {
    reply.header('content-type', 'application/json; charset=utf-8').send(text)
    return
  }
  const message = `The model '${(modelId ?? '').slice(0, 100)}' is not in this gateway's catalog.`
  refuse(plane.gate, provider, { code: 'model_not_found', message, field: 'model', retryable: false }, request, reply)
}

/** Costs nothing, so nothing is held; only the key and the credential are checked. */
function forwardFree (
  plane: Plane, inbound: Inbound, body: unknown, bytes: Buffer, request: FastifyRequest, reply: FastifyReply
): void {
  const { provider } = inbound.route
  const name = isDemoModel(body) && plane.upstreams.has(DEMO) ? DEMO : provider.name
  const way = wayTo(plane, name, inbound)
  if (isRefusal(way)) {
    refuse(plane.gate, provider, way, request, reply)
    return
  }
  const outgoing = { ...FREE_PASSAGE, call: FREE, body: bytes.length === 0 ? null : bytes }
  exchange(plane, way, inbound, outgoing, request, reply)
}

/** To a call that goes on at its provider, for whom it is: nothing is held, and what the answer says may settle it. */
function forwardToJob (
  plane: Plane, inbound: Inbound, endpoint: JobEndpoint, bytes: Buffer, request: FastifyRequest, reply: FastifyReply
): void {
  const { provider, params } = inbound.route
  const go = async (): Promise<void> => {
    const job = await jobFor(plane, inbound, endpoint, params['job'] ?? '')
    if (isGone(request, reply)) return
    const way = isRefusal(job) ? job : plane.exchanges.closed ? shuttingDown() : wayTo(plane, provider.name, inbound)
    if (isRefusal(job) || isRefusal(way)) refuse(plane.gate, provider, way as Refusal, request, reply)
    else {
      const call = aboutJob(plane.jobs, endpoint, job)
      const outgoing = { ...FREE_PASSAGE, call, body: bytes.length === 0 ? null : bytes }
      exchange(plane, way, inbound, outgoing, request, reply)
    }
  }
  answering(plane, inbound, request, reply, go(), 'asking about a job failed')
}

async function jobFor (
  plane: Plane, { route: { provider }, identity }: Inbound, endpoint: JobEndpoint, jobId: string
): Promise<Job | Refusal> {
  const named = { provider: provider.name, of: endpoint.of, jobId }
  const find = async () => await plane.jobs.find(named, identity.organizationId)
  const job = await find()
  if (isRefusal(job)) return job
  if (endpoint.whileOpen !== 'refuse' || job.state !== 'open') return job
  await plane.asker.ask(job)
  const now = await find()
  return isRefusal(now) || now.state !== 'open'
    ? now
    : {
        code: 'job_not_over',
        message: `${JSON.stringify(jobId)} goes on at its provider. What it costs could not be known once it is deleted.`,
        retryable: false,
      }
}

/** A file of this organization's, or one that becomes so before anybody hears its name. */
function forwardFile (
  plane: Plane, inbound: Inbound, bytes: Buffer, request: FastifyRequest, reply: FastifyReply
): void {
  const { route: { provider, params: { file } }, identity: { organizationId } } = inbound
  const go = async (): Promise<void> => {
    const refused = file === undefined ? null : await plane.jobs.fileRefusal(provider.name, file, organizationId)
    if (isGone(request, reply)) return
    const way = refused ?? wayTo(plane, provider.name, inbound)
    if (isRefusal(way)) refuse(plane.gate, provider, way, request, reply)
    else {
      const add = (id: string) => plane.jobs.addFiles(provider.name, [id], organizationId)
      const call = file === undefined ? bringing(add) : FREE
      exchange(plane, way, inbound, { ...FREE_PASSAGE, call, body: bytes.length === 0 ? null : bytes }, request, reply)
    }
  }
  answering(plane, inbound, request, reply, go(), 'passing on a file failed')
}

function bringing (add: (id: string) => Promise<Refusal | null>): ExchangeCall {
  return {
    ...FREE,
    meter: ({ status, contentEncoding }) => status >= 400 ? FREE.meter({ status, contentEncoding, contentType: '', headers: {} }) : fileMeter(contentEncoding),
    cover: ({ job }) => job === undefined || job.id === null ? null : add(job.id),
  }
}

/** What is asked for stands in a file at the provider, which is read first, as far as a body may go. */
function forwardWithFile (
  plane: Plane, inbound: Inbound, endpoint: BillableEndpoint, body: unknown, bytes: Buffer,
  request: FastifyRequest, reply: FastifyReply
): void {
  const { provider } = inbound.route
  const go = async (): Promise<void> => {
    const file = await fileFor(plane, inbound, endpoint, body)
    if (isGone(request, reply)) return
    if (Buffer.isBuffer(file)) forwardCall(plane, inbound, endpoint, body, bytes, request, reply, file)
    else refuse(plane.gate, provider, file, request, reply)
  }
  answering(plane, inbound, request, reply, go(), 'reading a file at a provider failed', () => UNREADABLE)
}

const UNREADABLE: Refusal = {
  code: 'upstream_unreachable', message: 'The file could not be read from its provider. Nothing was sent and nothing is charged.', retryable: true,
}

async function fileFor (
  plane: Plane, inbound: Inbound, { reads }: BillableEndpoint, body: unknown
): Promise<Buffer | Refusal> {
  const { route: { provider }, identity: { organizationId }, place } = inbound
  const file = reads?.file(body)
  if (reads === undefined || file === undefined) throw new Error('the endpoint reads no file')
  if (typeof file !== 'string') return file
  const refused = await plane.jobs.fileRefusal(provider.name, file, organizationId)
  if (refused !== null) return { ...refused, field: 'input_file_id' }
  const way = wayTo(plane, provider.name, inbound)
  return isRefusal(way) ? way : await contentOf(way, pathTemplate(reads.path).fill({ file }), plane.bodyBytes, place)
}

async function contentOf (
  { upstream, credential }: Way, asked: string, most: number, place: Inbound['place']
): Promise<Buffer | Refusal> {
  const path = upstream.path(asked)
  const sent = { method: 'GET' as const, path, headers: upstreamHeaders({}, [], null), body: null }
  const own = typeof credential === 'function' ? await credential({ ...sent, url: `${upstream.origin}${path}` }) : credential
  const signal = AbortSignal.timeout(FILE_WITHIN_MS)
  const answer = await upstream.pool.request({ ...sent, headers: [...sent.headers, ...own], signal })
  if (answer.statusCode !== 200) {
    await answer.body.dump()
    const message = `The provider answers ${answer.statusCode} for this file.`
    return { code: 'invalid_request', message, field: 'input_file_id', retryable: false }
  }
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer.body) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > most) {
      const message = `The file is larger than this gateway reads (${most} bytes).`
      return { code: 'body_too_large', message, field: 'input_file_id', retryable: false }
    }
    const full = place?.grow((chunk as Buffer).length) ?? null
    if (full !== null) return full
  }
  return Buffer.concat(chunks)
}

const FILE_WITHIN_MS = 120_000

function aboutJob (jobs: JobDesk, endpoint: JobEndpoint, job: Job): ExchangeCall {
  let status: number | null = null
  return {
    meter (answer) {
      status = answer.status
      return endpoint.meter(job.terms, answer)
    },
    cover: (reading) => reading.job?.over === true ? jobs.heard(job, reading, status).then(() => null) : null,
    release: () => {},
    settle: () => {},
  }
}

function isDemoModel (body: unknown): boolean {
  if (typeof body !== 'object' || body === null || !('model' in body)) return false
  return typeof body.model === 'string' && body.model.startsWith(`${DEMO}-`)
}

const FREE: ExchangeCall = {
  cover: () => null,
  meter: () => ({ data: (chunk) => chunk, end: () => null, reading: () => NOTHING_READ }),
  release: () => {},
  settle: () => {},
}
const NOTHING_READ = { usage: null, final: false, modelUsed: null, providerRequestId: null, bodyBytes: 0 }

function forwardCall (
  plane: Plane, inbound: Inbound, endpoint: BillableEndpoint, body: unknown, bytes: Buffer,
  request: FastifyRequest, reply: FastifyReply, file?: Buffer
): void {
  const { route: { provider, params }, identity, search } = inbound
  const gone = (): boolean => isGone(request, reply)
  const requestId = firstOf(request.headers['x-request-id'])
  const target = { params, search, headers: request.headers, ...file === undefined ? {} : { file } }
  const intake = { provider, endpoint, target, identity, body, bytes, requestId }
  answering(plane, inbound, request, reply, openCall(plane, inbound, intake, request, reply, gone), 'opening a call failed')
}

/** Where work for a request fails that is waited for, its client hears of it all the same. */
export function answering (
  plane: Plane, { route: { provider } }: Inbound, request: FastifyRequest, reply: FastifyReply,
  work: Promise<void>, failed: string, refusal: () => Refusal = internalError
): void {
  work.catch((error: unknown) => {
    request.log.error({ err: error }, failed)
    if (!reply.sent) refuse(plane.gate, provider, refusal(), request, reply)
  })
}

async function openCall (
  plane: Plane, inbound: Inbound, intake: CallIntake, request: FastifyRequest, reply: FastifyReply, gone: () => boolean
): Promise<void> {
  plane.exchanges.opening()
  try {
    const opened = await plane.gate.open(intake, gone)
    if (!isRefusal(opened)) startOrRelease(plane, inbound, opened, request, reply)
    // the gate has counted it
    else if (!gone()) sendRefusal(intake.provider, opened, request, reply)
  } finally {
    plane.exchanges.opened()
  }
}

/** What is open must end: until an exchange has it, that is ours to see to. */
function startOrRelease (
  plane: Plane, inbound: Inbound, call: OpenCall, request: FastifyRequest, reply: FastifyReply
): void {
  try {
    startCall(plane, inbound, call, request, reply)
  } catch (error) {
    if (!reply.sent) call.release()
    throw error
  }
}

function startCall (
  plane: Plane, inbound: Inbound, call: OpenCall, request: FastifyRequest, reply: FastifyReply
): void {
  if (isGone(request, reply)) {
    call.release()
    return
  }
  const way = plane.exchanges.closed ? shuttingDown() : wayTo(plane, call.upstream, inbound)
  if (isRefusal(way)) {
    call.release()
    reply.headers(call.headers)
    refuse(plane.gate, inbound.route.provider, way, request, reply)
    return
  }
  const filtered = call.request.stream && !call.request.usageAsked
  const outgoing = {
    call,
    body: call.body,
    own: call.headers,
    filtered,
    model: call.changedModel,
    // what goes on without its client is read until it is known by what name
    onDisconnect: call.request.background === true ? 'drain' as const : undefined,
  }
  exchange(plane, way, inbound, outgoing, request, reply)
}

export interface Way {
  upstream: Upstream
  credential: Credential
}

interface Passage {
  call: ExchangeCall
  body: Buffer | null
  own: Record<string, string>
  filtered: boolean
  /** in the path, where it is not the one that was asked for */
  model: string | null
  /** absent: as is set for the upstream */
  onDisconnect?: 'drain' | 'abort' | undefined
}

const FREE_PASSAGE = { own: {}, filtered: false, model: null, onDisconnect: 'abort' } as const

/** Hands the request over to undici. From the hijack on nothing may throw: Fastify would not answer any more. */
function exchange (
  plane: Plane, way: Way, inbound: Inbound, outgoing: Passage,
  request: FastifyRequest, reply: FastifyReply
): void {
  const { route: { provider }, place } = inbound
  const { call, filtered } = outgoing
  const { upstream, credential } = way
  const response = reply.raw
  const headers = ownHeaders(reply, outgoing.own)
  const userAgent = request.headers['user-agent'] ?? ''
  const sent = toSend(way, inbound, outgoing, request)
  reply.hijack()
  place?.keep()
  const receiver = new Exchange({
    call,
    response,
    connection: request.raw.socket,
    headers,
    filtered,
    onDisconnect: outgoing.onDisconnect ?? plane.onDisconnect[upstream.name] ?? 'drain',
    exchanges: plane.exchanges,
    over: () => { place?.leave() },
    refuse: (refusal, released) => {
      const named = withCallId(refusal, headers)
      if (released) plane.gate.refused(named, provider.name)
      writeRefusal(provider, named, response, headers, userAgent)
    },
    lastWords: (refusal) => {
      const named = withCallId(refusal, headers)
      plane.gate.refused(named, provider.name)
      return provider.dialect.renderCut?.(named, named.callId) ?? null
    },
    log: request.log,
  })
  const unsent = (error: unknown): void => {
    receiver.onResponseError(null, error instanceof Error ? error : new Error(String(error)))
  }
  const dispatch = (): void => {
    try {
      upstream.pool.dispatch(sent, receiver)
    } catch (error) {
      unsent(error)
    }
  }
  if (typeof credential !== 'function') {
    dispatch()
    return
  }
  Promise.resolve(credential({ ...sent, url: `${upstream.origin}${sent.path}` })).then((signature) => {
    sent.headers.push(...signature)
    dispatch()
  }).catch((error: unknown) => {
    request.log.error({ err: error }, 'a call could not be signed')
    unsent(new Unsigned('no credential', { cause: error }))
  })
}

/** The request for the provider; where it is signed, without its signature. */
function toSend (
  { upstream, credential }: Way, { route: { endpoint, params, path }, search }: Inbound, { body, model }: Passage,
  request: FastifyRequest
) {
  const { headers } = request
  const asked = model === null || params['model'] === undefined ? path : pathTemplate(endpoint.path).fill({ ...params, model })
  const contentType = body === null ? null : formType(endpoint, request) ?? 'application/json'
  return {
    path: `${upstream.path(asked)}${search}`,
    method: endpoint.method,
    headers: upstreamHeaders(headers, typeof credential === 'function' ? [] : credential, contentType),
    body,
  }
}

/** What stands on every answer: what the app around us has set, and what the gate says of the call. */
function ownHeaders (reply: FastifyReply, own: Record<string, string>): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  const set: Record<string, number | string | string[] | undefined> = reply.getHeaders()
  for (const name in set) headers[name] = set[name]
  for (const name in own) headers[name] = own[name]
  return headers
}

/** The upstream and what is sent along to it, if calls may go there. */
export function wayTo (plane: Plane, name: string, { identity }: Inbound): Way | Refusal {
  const upstream = plane.upstreams.get(name)
  if (upstream === undefined) return notConfigured(`No upstream '${name}' is configured.`)
  const credential = upstream.credential(identity.organizationId)
  if (credential !== null) return { upstream, credential }
  return notConfigured(`${name} is not configured on this gateway. Its operator must set ${upstream.settingName}.`)
}

function notConfigured (message: string): Refusal {
  return { code: 'provider_not_configured', message, retryable: false }
}

function firstOf (value: IncomingHttpHeaders[string]): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null
}
