import {
  BodyMeter, count, EventMeter, type EventTaker, type Facts, isCount, isEncoded, isEventStream, KeepingMeter,
  NOTHING_READ, takeAll, textOrNull, UnreadMeter,
} from '../../usage/body-meter.ts'
import { type PinnedTerms } from '../../pricing/pinned.ts'
import { type Meter } from '../../usage/meter.ts'
import { dataRange, eventData } from '../../usage/sse.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { topLevelMembers, topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallRequest } from '../provider.ts'
import { objectOf, textUsage } from './usage.ts'

/** in all events that tell something, and in no delta */
const USAGE = Buffer.from('"usage"')
export const RESPONSE_ENDS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed'])
/** events from which the model and the id are read */
const OPENING_EVENTS = 2
const WANTED = ['id', 'model', 'service_tier', 'status', 'usage', 'tool_usage']
/** besides, where tools at the provider are billed by what they did */
const WITH_TOOLS = [...WANTED, 'output']
const UNFINISHED = new Set<unknown>(['queued', 'in_progress'])
const OVER = new Set<unknown>(['completed', 'failed', 'incomplete', 'cancelled'])

/** What is made of the usage that OpenAI's reader found in a response of somebody else. */
export type ResponseUsage = (response: Record<string, unknown>, usage: Usage) => Usage

/** What of its request an answer is read by. */
type Asked = Pick<PinnedTerms, 'bound'> & { background?: boolean }

/** Of one in the background nobody hears before it is held for as long as it may take. */
export function meterResponse (call: CallRequest, answer: AnswerHead, also?: ResponseUsage): Meter {
  return meterOf(call, answer, call.background === true ? 'all' : null, also)
}

/** An answer about a response in the background. */
export function meterStoredResponse ({ bound }: Pick<PinnedTerms, 'bound'>, answer: AnswerHead): Meter {
  return meterOf({ bound, background: true }, answer, 'last')
}

function meterOf (
  asked: Asked, { status, contentType, contentEncoding }: AnswerHead, kept: 'all' | 'last' | null, also?: ResponseUsage
): Meter {
  if (status >= 400) return new UnreadMeter()
  if (!isEventStream(contentType) || isEncoded(contentEncoding)) {
    const meter = new BodyMeter(contentEncoding, (text) => readAnswer(text, asked, also))
    return kept === null ? meter : new KeepingMeter(meter, kept)
  }
  return new EventMeter(new ResponseReader(asked, also), false)
}

/** The event that ends a response has all of it: its usage, the tier that was used, and what tools have done. */
class ResponseReader implements EventTaker {
  readonly #call: Asked
  readonly #also: ResponseUsage | undefined
  #facts = NOTHING_READ
  #opening = OPENING_EVENTS
  counted = 0

  constructor (call: Asked, also?: ResponseUsage) {
    this.#call = call
    this.#also = also
  }

  facts (): Facts { return this.#facts }

  take (event: Buffer): Buffer {
    const opens = this.#opening > 0
    if (opens) this.#opening--
    if (opens || event.includes(USAGE)) this.#read(event)
    return event
  }

  #read (event: Buffer): void {
    const range = dataRange(event)
    const data = range === null ? Buffer.from(eventData(event)) : event.subarray(range.from, range.to)
    const members = topLevelMembers(data)
    const named = (name: string): Buffer | null => {
      const member = members.findLast(({ key }) => key === name)
      return member === undefined ? null : data.subarray(member.valueStart, member.valueEnd)
    }
    const response = named('response')
    if (response === null) return
    const ends = RESPONSE_ENDS.has(named('type')?.toString('utf8').slice(1, -1) ?? '')
    const values = topLevelValues(response, wanted(this.#call))
    if (values === null) return
    const { job } = this.#facts
    if (ends) this.#facts = factsOf(values, this.#call, this.#also)
    // so that a stream that breaks off can still be looked up at the provider
    else this.#facts = { ...this.#facts, modelUsed: textOrNull(values['model']), providerRequestId: textOrNull(values['id']), ...jobOf(values, this.#call) }
    if (this.#facts.job !== undefined && (ends || job === undefined)) this.counted++
  }
}

function readAnswer (text: Buffer, call: Asked, also?: ResponseUsage): Facts {
  const response = topLevelValues(text, wanted(call))
  return response === null ? takeAll(new ResponseReader(call, also), text) : factsOf(response, call, also)
}

function wanted ({ bound: { webSearches, units } }: Asked): string[] {
  return webSearches > 0 || units !== undefined ? WITH_TOOLS : WANTED
}

function factsOf (response: Record<string, unknown>, call: Asked, also?: ResponseUsage): Facts {
  const read = UNFINISHED.has(response['status']) ? null : usageOf(response, call)
  const usage = read === null || also === undefined ? read : also(response, read)
  return {
    usage,
    final: usage !== null,
    modelUsed: textOrNull(response['model']),
    providerRequestId: textOrNull(response['id']),
    ...jobOf(response, call),
  }
}

/** of one in the background, how far it is; one that is over as soon as it is answered needs nothing more */
function jobOf ({ id, status }: Record<string, unknown>, { background }: Asked): Pick<Facts, 'job'> {
  const named = textOrNull(id)
  return background !== true || named === null ? {} : { job: { id: named, over: OVER.has(status) } }
}

function usageOf (response: Record<string, unknown>, { bound }: Asked): Usage | null {
  const reported = response['usage']
  if (!isObject(reported)) return null
  const tools = toolsOf(response)
  const text = textUsage({
    input: reported['input_tokens'],
    output: reported['output_tokens'],
    total: reported['total_tokens'],
    inputDetails: reported['input_tokens_details'],
    outputDetails: reported['output_tokens_details'],
    tier: textOrNull(response['service_tier']),
  }, bound.cacheWrite)
  return text === null || tools === null ? null : { ...text, ...tools }
}

/**
 * What tools at the provider did. `tool_usage` has the searches of the web that are billed, where it is there; all else
 * can only be counted in the output. null: images were made, at the prices of another model.
 */
function toolsOf ({ tool_usage: usage, output }: Record<string, unknown>): Pick<Usage, 'webSearches' | 'units'> | null {
  const told = objectOf(usage)
  const images = objectOf(told['image_gen'])
  if (count(images['input_tokens']) > 0 || count(images['output_tokens']) > 0) return null
  let [searches, fileSearches] = [0, 0]
  const containers = new Set<unknown>()
  for (const item of Array.isArray(output) ? output as unknown[] : []) {
    const { type, action, container_id: container, environment } = objectOf(item)
    switch (type) {
      case 'image_generation_call': return null
      case 'web_search_call': if (['search', undefined].includes(objectOf(action)['type'] as string | undefined)) searches++; break
      case 'file_search_call': fileSearches++; break
      case 'code_interpreter_call': containers.add(container); break
      case 'shell_call': if (isObject(environment) && environment['type'] !== 'local') containers.add(environment['container_id'])
    }
  }
  const counted = objectOf(told['web_search'])['num_requests']
  const units = {
    ...fileSearches > 0 ? { fileSearches } : {},
    ...containers.size > 0 ? { codeSessions: containers.size } : {},
  }
  return {
    webSearches: isCount(counted) ? counted : searches,
    ...Object.keys(units).length > 0 ? { units } : {},
  }
}
