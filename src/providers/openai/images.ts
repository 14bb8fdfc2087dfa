import { type Refusal } from '../../errors.ts'
import { type PricedModel } from '../../pricing/price.ts'
import { insteadOf } from '../../pricing/quote.ts'
import {
  BodyMeter, count, EventMeter, type EventTaker, type Facts, isCount, isEncoded, isEventStream, jsonOf, NOTHING_READ,
  takeAll, UnreadMeter,
} from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { SkimmedMeter } from '../../usage/skim.ts'
import { eventData } from '../../usage/sse.ts'
import { NOTHING_USED, type Usage } from '../../usage/usage.ts'
import { badRequest, countField, eachObject, firstRefusal, flagField, isGiven, isObject, modelField, notMetered, shown, } from '../body.ts'
import { changedBody } from '../changed-body.ts'
import { filesOf, typed, withModel } from '../form.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type BillableEndpoint, type CallRequest } from '../provider.ts'
import { imageTokens, SCAFFOLDING_TOKENS, TOKENS_PER_EDITED_IMAGE } from './bounds.ts'
import { objectOf } from './usage.ts'

/** would be read besides, where anybody reads them */
const GIVEN_IMAGES = ['image', 'images', 'image_url', 'mask']

/** In what somebody's images differ from OpenAI's. */
export interface ImageTraits {
  usageOf?: ImageUsageReader
  /** how large they are to be, as the catalog names it; what is no word is refused */
  size?: (body: Record<string, unknown>) => unknown
}

/** OpenAI API reference, "Create image": 10; more are bounded all the same */
const MOST_IMAGES = 100

/** Images of OpenAI and of what speaks its dialect: billed by tokens, or each by its size and quality. */
export function images (path: string, traits: ImageTraits = {}): BillableEndpoint {
  const { usageOf = imageUsage } = traits
  return {
    kind: 'billable',
    name: 'images.generations',
    method: 'POST',
    path,
    about: {
      model: '`model`',
      output: '`n` images of `size` and `quality`, with `partial_images`; of a size that is not said the most that the model can',
      usage: '`usage`, in a stream that of `image_generation.completed`; of models without tokens the images of the answer',
    },
    read: (body, bytes) => readImages(body, bytes, traits),
    forwardBody: (_call, body, bytes, changes) => changedBody(body, bytes, { ...changes, outputTokens: null }, []),
    meter: (call, answer, priced) => meterImages(call, answer, priced, usageOf),
  }
}

/**
 * Images made of others, by a prompt (`edits`) or without one (`variations`): forms, edits as JSON too. Beside the
 * prompt each image counts, and a mask as one.
 */
export function imageEdits (path: string): BillableEndpoint {
  const made = images(path)
  return {
    ...made,
    name: 'images.edits',
    takes: 'either',
    about: { ...made.about, usage: made.about.usage.replace('image_generation', 'image_edit') },
    read: readEdit,
    forwardBody: (_call, body, bytes, changes) => withModel(body, bytes, changes),
  }
}

export function imageVariations (path: string): BillableEndpoint {
  const edits = imageEdits(path)
  return {
    ...edits,
    name: 'images.variations',
    takes: 'form',
    about: { ...edits.about, model: '`model`, else `dall-e-2`', usage: 'the images of the answer' },
    // as the reference says of a request without one
    read: (body, bytes) => readEdit(isObject(body) ? { model: 'dall-e-2', ...body } : body, bytes),
  }
}

function readEdit (body: unknown, bytes: Buffer): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const files = filesOf(body)
  const fields = typed(body, { numbers: ['n', 'partial_images'], flags: ['stream'] })
  const inFiles = files.reduce((sum, file) => sum + file.bytes.length, 0)
  if (files.length > 0) return imageCall(fields, bytes.length - inFiles, files.length)
  const { images, mask } = body
  let [text, named] = [bytes.length, 0]
  eachObject([images, mask], ({ image_url: url }) => {
    named++
    if (typeof url === 'string' && url.startsWith('data:image/')) text -= url.length
  })
  return named > 0 ? imageCall(fields, text, named) : badRequest('image must be a file, or images a list of them.', 'image')
}

function readImages (body: unknown, bytes: Buffer, { size }: ImageTraits): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const given = GIVEN_IMAGES.find((field) => isGiven(body[field]))
  if (given !== undefined) return notMetered(given)
  return imageCall(size === undefined ? body : { ...body, size: size(body) }, bytes.length)
}

/** What images may cost (OpenAI API reference, "Create image"). `text`: the most tokens of what is no image. */
function imageCall (body: Record<string, unknown>, text: number, inputImages = 0): CallRequest | Refusal {
  const model = modelField(body)
  const asked = countField(body, 'n', 1, MOST_IMAGES)
  const partial = countField(body, 'partial_images', 0, MOST_IMAGES)
  const stream = flagField(body, 'stream')
  const [size, quality] = [wordField(body, 'size'), wordField(body, 'quality')]
  const wrong = firstRefusal([model, asked, partial, stream, size, quality])
  if (wrong !== null) return wrong
  const n = Number(asked ?? 1)
  return {
    model: model as string,
    stream: stream as boolean,
    usageAsked: true,
    thinking: null,
    endUser: body['user'],
    endUserField: 'user',
    bound: {
      // each image is made as by a call of its own
      inputTokens: (text + SCAFFOLDING_TOKENS + inputImages * TOKENS_PER_EDITED_IMAGE) * n,
      inputs: n,
      outputTokens: imageTokens(size as string | null, quality as string | null, Number(partial ?? 0)),
      choices: n,
      cacheWrite: 'none',
      tier: null,
      webSearches: 0,
      ...inputImages === 0 ? {} : { inputUnits: ['inputImageTokens'] },
      outputUnits: ['outputImageTokens'],
      instead: byPrice(size as string | null, quality as string | null, n),
    },
  }
}

/**
 * The catalog's names of images: by quality and size, by size, or one price for all. What a request leaves out is the
 * smallest size that all models have and the quality they begin with; `auto` may be the best.
 */
function byPrice (size: string | null, quality: string | null, n: number): Record<string, number>[] {
  const known = size === null || size === 'auto' ? '1024x1024' : size
  const kind = quality === null ? 'standard' : quality === 'auto' ? 'hd' : quality
  return [{ [`images/${kind}/${known}`]: n }, { [`images/${known}`]: n }, { images: n }]
}

function wordField (body: Record<string, unknown>, field: string): string | null | Refusal {
  const value = body[field]
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && /^[a-z0-9_.-]{1,24}$/.test(value)) return value
  return badRequest(`${field} must be a short word as in the provider's reference; got ${shown(value)}.`, field)
}

/** What an answer, or the last event of an image, says that was used; null: nothing that is known. */
export type ImageUsageReader = (answer: Record<string, unknown>) => Usage | null

function meterImages (
  call: CallRequest, { status, contentType, contentEncoding }: AnswerHead, priced: PricedModel | undefined,
  usageOf: ImageUsageReader
): Meter {
  if (status >= 400) return new UnreadMeter()
  const units = (priced === undefined ? undefined : insteadOf(priced, call.bound)) ?? null
  const reader = () => new ImageReader(call.bound.choices, usageOf)
  if (!isEventStream(contentType)) {
    const read = (text: Buffer) => readAnswer(text, units, usageOf)
    // an encoding is decoded at the end, and not skimmed before
    return isEncoded(contentEncoding) ? new BodyMeter(contentEncoding, read) : new SkimmedMeter(new BodyMeter('', read))
  }
  return isEncoded(contentEncoding)
    ? new BodyMeter(contentEncoding, (text) => takeAll(reader(), text))
    : new SkimmedMeter(new EventMeter(reader(), false))
}

/** `units`: as all the images are billed that were asked for, where they are not by tokens */
function readAnswer (text: Buffer, units: Readonly<Record<string, number>> | null, usageOf: ImageUsageReader): Facts {
  const answer = topLevelValues(text, ['data', 'usage'])
  if (answer === null) return NOTHING_READ
  const told = usageOf(answer)
  const usage = units === null ? told : imagesMade(answer['data'], units, told)
  return { ...NOTHING_READ, usage, final: usage !== null }
}

/** as many as there are; null: nobody says */
function imagesMade (data: unknown, units: Readonly<Record<string, number>>, told: Usage | null): Usage | null {
  if (!Array.isArray(data)) return null
  const reported = told?.reportedNano === undefined ? {} : { reportedNano: told.reportedNano }
  const made = Object.fromEntries(Object.keys(units).map((unit) => [unit, data.length]))
  return { ...NOTHING_USED, ...data.length === 0 ? {} : { units: made }, ...reported }
}

/** Events of images, of which each has its usage when it is complete. */
class ImageReader implements EventTaker {
  readonly #asked: number
  readonly #usageOf: ImageUsageReader
  #complete = 0
  #facts = NOTHING_READ

  constructor (asked: number, usageOf: ImageUsageReader) {
    this.#asked = asked
    this.#usageOf = usageOf
  }

  take (event: Buffer): Buffer {
    const told = event.includes(COMPLETED) ? jsonOf(eventData(event)) : null
    const usage = told !== null && COMPLETE.has(told['type']) ? this.#usageOf(told) : null
    if (usage === null) return event
    const { usage: before } = this.#facts
    const final = ++this.#complete >= this.#asked
    this.#facts = { ...this.#facts, usage: before === null ? usage : bothUsed(before, usage), final }
    return event
  }

  facts (): Facts { return this.#facts }

  end (): void {
    if (this.#facts.usage !== null) this.#facts = { ...this.#facts, final: true }
  }
}

const COMPLETED = Buffer.from('.completed')
const COMPLETE = new Set<unknown>(['image_generation.completed', 'image_edit.completed'])

function bothUsed (one: Usage, other: Usage): Usage {
  const units: Record<string, number> = { ...one.units }
  for (const [unit, more] of Object.entries(other.units ?? {})) units[unit] = (units[unit] ?? 0) + more
  return {
    ...one,
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    ...Object.keys(units).length === 0 ? {} : { units },
  }
}

/** What is not said to be text of the output is image (OpenAI SDK, ImagesResponse.Usage). */
export function imageUsage (answer: Record<string, unknown>): Usage | null {
  const told = answer['usage']
  if (!isObject(told)) return null
  const { input_tokens: input, output_tokens: output } = told
  if (!isCount(input) || !isCount(output)) return null
  const inputImage = Math.min(count(objectOf(told['input_tokens_details'])['image_tokens']), input)
  const text = Math.min(count(objectOf(told['output_tokens_details'])['text_tokens']), output)
  const units = {
    ...inputImage === 0 ? {} : { inputImageTokens: inputImage },
    ...output === text ? {} : { outputImageTokens: output - text },
  }
  return {
    ...NOTHING_USED,
    inputTokens: input - inputImage,
    outputTokens: text,
    ...Object.keys(units).length === 0 ? {} : { units },
  }
}
