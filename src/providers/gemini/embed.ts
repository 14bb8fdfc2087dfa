import { type Refusal } from '../../errors.ts'
import { BodyMeter, type Facts, isCount, UnreadMeter } from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { isGiven, isObject } from '../body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallRequest, type Target } from '../provider.ts'
import { addContents, type ContentBound } from './content.ts'
import { fieldsOf, listOf, reading, unmetered, wrong } from './fields.ts'
import { contentUsage } from './meter.ts'
import { checkModel, topFields } from './request.ts'

const OPTIONS = ['model', 'taskType', 'title', 'outputDimensionality', 'embedContentConfig', 'autoTruncate', 'mimeType']
const ONE = new Set([...OPTIONS, 'content'])
/** no request has more inputs (Gemini API, guide to embeddings: 100; Vertex AI: 250) */
const MAX_INPUTS = 1_000

/** What `embedContent` may cost (Gemini API reference, "Embeddings"): its input, no output. */
export function readEmbedding (body: unknown, bytes: Buffer, target: Target): CallRequest | Refusal {
  return reading(() => {
    const model = target.params['model'] ?? ''
    const bound: ContentBound = { tokens: bytes.length, units: new Set() }
    addEmbedding(topFields(body, target, model), 'content', bound)
    return embedding(model, bound, 1)
  })
}

/** The same for a list of requests, each of which is an input of its own. */
export function readEmbeddings (body: unknown, bytes: Buffer, target: Target): CallRequest | Refusal {
  return reading(() => {
    const model = target.params['model'] ?? ''
    const fields = topFields(body, target, model)
    for (const name in fields) if (isGiven(fields[name]) && name !== 'requests' && name !== 'model') unmetered(name)
    const bound: ContentBound = { tokens: bytes.length, units: new Set() }
    const requests = inputs(fields['requests'], 'requests')
    requests.forEach((request, i) => {
      const one = fieldsOf(request, `requests[${i}]`)
      checkModel(one['model'], model, `requests[${i}].model`)
      addEmbedding(one, `requests[${i}].content`, bound)
    })
    return embedding(model, bound, requests.length)
  })
}

function addEmbedding (fields: Record<string, unknown>, path: string, bound: ContentBound): void {
  for (const name in fields) if (isGiven(fields[name]) && !ONE.has(name)) unmetered(name)
  addContents(fields['content'], path, bound)
}

/** Vertex AI's older way: `instances`, each a text. What else goes through `predict` makes images and videos. */
export function readPrediction (body: unknown, bytes: Buffer, target: Target): CallRequest | Refusal {
  return reading(() => {
    const model = target.params['model'] ?? ''
    const fields = topFields(body, target, model)
    for (const name in fields) if (isGiven(fields[name]) && name !== 'instances' && name !== 'parameters') unmetered(name)
    const instances = inputs(fields['instances'], 'instances')
    for (const instance of instances) {
      const one = fieldsOf(instance, 'instances')
      if (typeof one['content'] !== 'string') unmetered('an instance without content, which embeds no text,')
      for (const name in one) if (isGiven(one[name]) && !ONE.has(name)) unmetered(`instances.${name}`)
    }
    return embedding(model, { tokens: bytes.length, units: new Set() }, instances.length)
  })
}

function inputs (value: unknown, field: string): unknown[] {
  const list = listOf(value)
  return list.length > 0 && list.length <= MAX_INPUTS ? list : wrong(`${field} must be a list of 1 to ${MAX_INPUTS}.`, field)
}

function embedding (model: string, { tokens, units }: ContentBound, inputs: number): CallRequest {
  return {
    model,
    stream: false,
    usageAsked: true,
    thinking: null,
    endUserField: 'labels.user',
    bound: {
      inputTokens: tokens,
      inputs,
      outputTokens: 0,
      choices: 1,
      cacheWrite: 'none',
      tier: null,
      webSearches: 0,
      ...units.size === 0 ? {} : { inputUnits: [...units] },
    },
  }
}

/** Newer models say in `usageMetadata` what they have read; of others nothing is known. */
export function meterEmbedding (call: CallRequest, { status, contentEncoding }: AnswerHead): Meter {
  if (status >= 400) return new UnreadMeter()
  return new BodyMeter(contentEncoding, (text) => {
    const metadata = topLevelValues(text, ['usageMetadata'])?.['usageMetadata']
    return isObject(metadata) ? facts(contentUsage(metadata, null, call)) : facts(null)
  })
}

/** `predictions[].embeddings.statistics.token_count` (Vertex AI, "Text embeddings API"). */
export function meterPrediction (call: CallRequest, { status, contentEncoding }: AnswerHead): Meter {
  if (status >= 400) return new UnreadMeter()
  return new BodyMeter(contentEncoding, (text) => {
    const predictions = topLevelValues(text, ['predictions'])?.['predictions']
    if (!Array.isArray(predictions)) return facts(null)
    let tokens = 0
    for (const prediction of predictions as unknown[]) {
      const read = tokensOf(prediction)
      if (!isCount(read)) return facts(null)
      tokens += read
    }
    return facts(contentUsage({ promptTokenCount: tokens }, null, call))
  })
}

function tokensOf (prediction: unknown): unknown {
  const embeddings = isObject(prediction) ? prediction['embeddings'] : null
  const statistics = isObject(embeddings) ? embeddings['statistics'] : null
  return isObject(statistics) ? statistics['token_count'] ?? statistics['tokenCount'] : null
}

function facts (usage: Facts['usage']): Facts {
  return { usage, final: usage !== null, modelUsed: null, providerRequestId: null }
}
