import { type Refusal } from '../../errors.ts'
import { changedMessages } from '../anthropic/change.ts'
import { anthropicDialect } from '../anthropic/index.ts'
import { meterMessages } from '../anthropic/meter.ts'
import { readMessages } from '../anthropic/request.ts'
import { badRequest, flagField, isGiven, isObject } from '../body.ts'
import { meterPrediction, readPrediction } from '../gemini/embed.ts'
import { asksForImages, meterImages, readImages } from './images.ts'
import { compatible, contentEndpoints, embedContent, geminiDialect } from '../gemini/index.ts'
import {
  type BillableEndpoint, type CallRequest, type Dialect, type Endpoint, type FreeEndpoint, isRefusal, type Provider,
  type Target,
} from '../provider.ts'
import { bearerOf, googleTokens } from './access.ts'

/** Google's, as its SDK reads it from Vertex AI. */
export const vertexDialect: Dialect = {
  ...geminiDialect,
  name: 'vertex',
  speaks: () => false,
  renderModels (models, id) {
    if (id !== undefined) return models.includes(id) ? JSON.stringify(model(id)) : null
    return JSON.stringify({ publisherModels: models.map(model) })
  },
}

function model (id: string) {
  const maker = id.startsWith('claude-') ? 'anthropic' : 'google'
  return { name: `publishers/${maker}/models/${id}`, versionId: 'default', launchStage: 'GA' }
}

/** Where an operator's calls may go; null: wherever the path says. */
interface Place { location: string | null, project: string | null }

const VERSIONS = ['/v1', '/v1beta1']
const ANYWHERE = 'global'
/** as the catalog names what a place costs besides */
const REGIONAL = 'regional'

function endpointsAt (place: Place): Endpoint[] {
  return VERSIONS.flatMap((version) => {
    const publishers = `${version}/projects/{project}/locations/{location}/publishers`
    const google = `${publishers}/google/models`
    const anthropic = `${publishers}/anthropic/models`
    return [
      ...contentEndpoints(google),
      embedContent(`${google}/{model}:embedContent`),
      predict(`${google}/{model}:predict`),
      // it is no model, so it stands before them
      {
        kind: 'free', name: 'messages.count_tokens', method: 'POST', path: `${anthropic}/count-tokens:rawPredict`, dialect: anthropicDialect, served: 'forward',
      },
      messages(`${anthropic}/{model}:rawPredict`, false),
      messages(`${anthropic}/{model}:streamRawPredict`, true),
      compatible(`${version}/projects/{project}/locations/{location}/endpoints/openapi/chat/completions`),
      ...modelsOf(`${version}/publishers/google/models`),
    ] satisfies Endpoint[]
  }).map((endpoint) => endpoint.kind === 'billable'
    ? { ...endpoint, read: placed(endpoint.read, place) }
    : { ...endpoint, path: pathAt(endpoint.path, place) })
}

/** what nothing is read of is there by the place's own name alone */
function pathAt (path: string, { location, project }: Place): string {
  return path.replace('{location}', location ?? '{location}').replace('{project}', project ?? '{project}')
}

function modelsOf (path: string): FreeEndpoint[] {
  return [
    { kind: 'free', name: 'models', method: 'GET', path, served: 'models' },
    { kind: 'free', name: 'models', method: 'GET', path: `${path}/{model+}`, served: 'models' },
  ]
}

function predict (path: string): BillableEndpoint {
  return {
    ...embedContent(path),
    name: 'predict',
    about: {
      model: 'in the path; embeddings of text, images of Imagen',
      output: '`parameters.sampleCount` of images, else 4',
      usage: '`predictions`',
    },
    read: (body, bytes, target) => (asksForImages(body) ? readImages : readPrediction)(body, bytes, target),
    forwardBody: (_call, _body, bytes) => bytes,
    meter: (call, answer) => call.bound.units === undefined ? meterPrediction(call, answer) : meterImages(answer),
  }
}

/** Anthropic's messages, whose model and whose way to answer are in the path. */
function messages (path: string, stream: boolean): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'messages',
    method: 'POST',
    path,
    dialect: anthropicDialect,
    about: { model: 'in the path', output: '`max_tokens`', usage: stream ? '`message_start` and `message_delta`' : '`usage`' },
    read: (body, bytes, target) => readMessage(body, bytes, target, stream),
    forwardBody: (_call, body, bytes, changes) => changedMessages(body, bytes, { ...changes, model: null }),
    meter: meterMessages,
  }
}

function readMessage (
  body: unknown, bytes: Buffer, target: Target, stream: boolean
): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const { params, search } = target
  if (isGiven(body['model'])) return badRequest('model must be left out: it stands in the path on Vertex AI.', 'model')
  if (search !== '') return badRequest('The query must be left out: no parameter is passed on here.')
  const asked = flagField(body, 'stream')
  if (typeof asked !== 'boolean') return asked
  return readMessages({ ...body, model: params['model'], stream: stream || asked }, bytes, target)
}

/** Its prices are those of the place in the path, and that has to be where the calls go. */
function placed (read: BillableEndpoint['read'], place: Place): BillableEndpoint['read'] {
  return (body, bytes, target) => {
    const elsewhere = notThere(target, place)
    if (elsewhere !== null) return elsewhere
    const call = read(body, bytes, target)
    if (isRefusal(call) || target.params['location'] === ANYWHERE) return call
    const { others } = call.bound
    const dearer = others?.map((other) => ({ ...other, bound: { ...other.bound, surcharge: REGIONAL } }))
    return { ...call, bound: { ...call.bound, surcharge: REGIONAL, ...dearer === undefined ? {} : { others: dearer } } }
  }
}

function notThere ({ params }: Target, place: Place): Refusal | null {
  for (const [part, setting] of [['location', 'region'], ['project', 'project']] as const) {
    const own = place[part]
    if (own === null || params[part] === own) continue
    return {
      code: 'path_not_allowed',
      message: `This gateway forwards calls to the ${part} ${own} of Vertex AI alone: ask for /${part}s/${own}/. ` +
        `Its operator sets it as providers.vertex.${setting}.`,
      field: part,
      retryable: false,
    }
  }
  return null
}

/**
 * `claude-opus-4-6@default`, `gemini-2.0-flash-001`, and `google/gemini-3.5-flash` as OpenAI's clients have to say: the
 * same models at the same prices (guides to model versions, and to the OpenAI libraries)
 */
const VERSIONED = /^google\/|@default$|-00\d$(?<=^(?:google\/)?gemini-2\.0-.+-00\d)/g

/** Vertex AI: Gemini and Claude in Google's cloud, in one location. */
export const vertex: Provider = {
  name: 'vertex',
  title: 'Vertex AI',
  url: null,
  base: '',
  atRoot: false,
  needsKey: true,
  dialect: vertexDialect,
  catalogName: (name) => name.replace(VERSIONED, ''),
  endpoints: endpointsAt({ location: null, project: null }),
  credential: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
  fromEnv (env, { region, project, url }) {
    const location = region ?? locationIn(url) ?? env['GOOGLE_CLOUD_LOCATION'] ?? env['CLOUD_ML_REGION'] ?? null
    const endpoints = endpointsAt({ location, project: project ?? env['GOOGLE_CLOUD_PROJECT'] ?? null })
    const known = location !== null && /^[a-z0-9-]{1,32}$/.test(location)
    return {
      url: known ? addressOf(location) : null,
      sign: known || url !== null ? bearerOf(googleTokens(env)) : null,
      missing: 'providers.vertex.region or GOOGLE_CLOUD_LOCATION',
      endpoints,
    }
  },
}

/** of continents, which have an address of another form (Google's and Anthropic's SDKs alike) */
const CONTINENTS = new Set(['us', 'eu'])

function addressOf (location: string): string {
  if (location === ANYWHERE) return 'https://aiplatform.googleapis.com'
  if (CONTINENTS.has(location)) return `https://aiplatform.${location}.rep.googleapis.com`
  return `https://${location}-aiplatform.googleapis.com`
}

/** of an address of Google's own */
function locationIn (url: string | null): string | null {
  const found = /^https:\/\/(?:([a-z0-9-]+)-)?aiplatform(?:\.([a-z]+)\.rep)?\.googleapis\.com(?:[:/]|$)/.exec(url ?? '')
  return found === null ? null : found[1] ?? found[2] ?? ANYWHERE
}
