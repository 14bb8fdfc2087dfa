import { BodyMeter, type Facts, NOTHING_READ } from '../../usage/body-meter.ts'
import { isGiven, isObject, notMetered } from '../body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type BillableEndpoint, NO_PARAMS } from '../provider.ts'

/** Answers from an operator's own data: searches, and what they find goes into the prompt. */
const NOT_METERED = ['data_sources', 'dataSources', 'enhancements']
const ERROR = ['error'] as const

/**
 * An endpoint of OpenAI's as Azure has it. Where the path names the deployment, that counts and no `model` of the body
 * does; else `model` is the deployment.
 */
export function atAzure (endpoint: BillableEndpoint): BillableEndpoint {
  const inPath = endpoint.path.includes('{model}')
  return {
    ...endpoint,
    about: { ...endpoint.about, model: inPath ? 'the deployment, in the path' : 'the deployment, as `model`' },
    read (body, bytes, target) {
      if (!isObject(body)) return endpoint.read(body, bytes, target)
      for (const field of NOT_METERED) if (isGiven(body[field])) return notMetered(field)
      const { model } = target.params
      return endpoint.read(inPath ? { ...body, model } : body, bytes, { ...target, params: NO_PARAMS })
    },
    forwardBody (call, body, bytes, changes) {
      // in the path it is changed there
      const named = !inPath || (isObject(body) && isGiven(body['model']))
      return endpoint.forwardBody(call, body, bytes, named ? changes : { ...changes, model: null })
    },
    meter: (call, answer, priced) => answer.status === 400
      ? new BodyMeter(answer.contentEncoding, readRefused)
      : endpoint.meter(call, answer, priced),
  }
}

/**
 * A prompt that the content filter refused is billed, and so is what was made of it meanwhile (Microsoft Learn,
 * "Content filtering": a charge for both the prompt and completion tokens will occur). The answer does not say how
 * much.
 */
function readRefused (text: Buffer): Facts {
  const error = topLevelValues(text, ERROR)?.['error']
  const inner = isObject(error) ? error['innererror'] : null
  const filtered = isObject(error) &&
    (error['code'] === 'content_filter' || (isObject(inner) && inner['code'] === 'ResponsibleAIPolicyViolation'))
  return filtered ? { ...NOTHING_READ, billed: true } : NOTHING_READ
}
