import { type Refusal } from '../../errors.ts'
import { BodyMeter, NOTHING_READ, UnreadMeter } from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { NOTHING_USED } from '../../usage/usage.ts'
import { countField, isGiven, isObject } from '../body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallRequest, type Target } from '../provider.ts'
import { checked, fieldsOf, listOf, partOf, reading, unmetered, wrong } from '../gemini/fields.ts'
import { topFields } from '../gemini/request.ts'

/** Parameters that change nothing of the price; to edit or to enlarge an image has prices of its own. */
const KNOWN = new Set([
  'sampleCount', 'aspectRatio', 'negativePrompt', 'personGeneration', 'safetySetting', 'safetyFilterLevel', 'language',
  'seed', 'guidanceScale', 'outputOptions', 'outputMimeType', 'compressionQuality', 'addWatermark', 'includeRaiReason',
  'includeSafetyAttributes', 'enhancePrompt', 'sampleImageSize', 'imageSize', 'storageUri',
])
/** where nothing says how many (Imagen API, `sampleCount`) */
const UNSAID = 4
/** no model makes more at once */
const MOST = 8

/** Whether a prediction is one of images: its first instance has a prompt. */
export function asksForImages (body: unknown): boolean {
  const [first] = isObject(body) ? listOf(body['instances']) : []
  return isObject(first) && isGiven(first['prompt'])
}

/** What images of Imagen may cost (Vertex AI, "Imagen API"): each of them its price. */
export function readImages (body: unknown, bytes: Buffer, target: Target): CallRequest | Refusal {
  return reading(() => {
    const model = target.params['model'] ?? ''
    const fields = topFields(body, target, model)
    for (const name in fields) {
      if (isGiven(fields[name]) && name !== 'instances' && name !== 'parameters') unmetered(name)
    }
    const [instance, ...more] = listOf(fields['instances'])
    if (more.length > 0) return wrong('instances must have one prompt.', 'instances')
    const prompt = fieldsOf(instance, 'instances')
    for (const name in prompt) if (isGiven(prompt[name]) && name !== 'prompt') unmetered(`instances.${name}`)
    const parameters = partOf(fields, 'parameters')
    for (const name in parameters) if (isGiven(parameters[name]) && !KNOWN.has(name)) unmetered(`parameters.${name}`)
    const images = checked(countField(parameters, 'sampleCount', 1, MOST, 'parameters.sampleCount')) ?? UNSAID
    return {
      model,
      stream: false,
      usageAsked: true,
      thinking: null,
      endUserField: 'labels.user',
      bound: {
        inputTokens: bytes.length,
        outputTokens: 0,
        choices: 1,
        cacheWrite: 'none',
        tier: null,
        webSearches: 0,
        units: { images },
      },
    }
  })
}

/** Those that were made; in the place of one that was kept back stands why, and it is not billed. */
export function meterImages ({ status, contentEncoding }: AnswerHead): Meter {
  if (status >= 400) return new UnreadMeter()
  return new BodyMeter(contentEncoding, (text) => {
    const predictions = topLevelValues(text, ['predictions'])?.['predictions']
    if (!Array.isArray(predictions)) return NOTHING_READ
    const images = predictions.filter((one) => isObject(one) && IMAGE.some((field) => isGiven(one[field]))).length
    const usage = { ...NOTHING_USED, ...images === 0 ? {} : { units: { images } } }
    return { ...NOTHING_READ, usage, final: true }
  })
}

const IMAGE = ['bytesBase64Encoded', 'gcsUri']
