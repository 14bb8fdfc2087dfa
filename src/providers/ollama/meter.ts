import {
  BodyMeter, count, isCount, isEncoded, jsonOf, NOTHING_READ, textOrNull, UnreadMeter,
} from '../../usage/body-meter.ts'
import { Bytes } from '../../usage/bytes.ts'
import { type Meter, type Reading } from '../../usage/meter.ts'
import { MAX_EVENT_BYTES } from '../../usage/sse.ts'
import { NOTHING_USED, type Usage } from '../../usage/usage.ts'
import { type AnswerHead, type CallRequest } from '../provider.ts'

const LF = 0x0a
/** what the telling line has and no other: counts, or why it is the last */
const TELLING = [Buffer.from('_count"'), Buffer.from('"done_reason"')]

export function meterOllama (_call: CallRequest, { status, contentEncoding }: AnswerHead): Meter {
  if (status >= 400) return new UnreadMeter()
  if (!isEncoded(contentEncoding)) return new LineMeter()
  return new BodyMeter(contentEncoding, (text) => {
    const meter = new LineMeter()
    meter.data(text)
    meter.end()
    return meter.reading()
  })
}

/** Reads lines of JSON as they pass, or a single one. After a line too long to be read the usage is not known. */
class LineMeter implements Meter {
  readonly #kept = new Bytes()
  #facts = NOTHING_READ
  #bytes = 0
  #overflowed = false

  data (chunk: Buffer): Buffer {
    this.#bytes += chunk.length
    let start = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.#keep(chunk.subarray(start, end))
      this.#line()
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
    return chunk
  }

  end (): null {
    this.#line()
    return null
  }

  reading (): Reading {
    const facts = this.#overflowed ? { ...this.#facts, usage: null, final: false } : this.#facts
    return { ...facts, bodyBytes: this.#bytes }
  }

  #keep (bytes: Buffer): void {
    if (this.#kept.length + bytes.length > MAX_EVENT_BYTES) this.#overflowed = true
    if (!this.#overflowed && bytes.length > 0) this.#kept.add(bytes)
  }

  #line (): void {
    if (this.#kept.length === 0) return
    const line = this.#kept.take()
    if (!TELLING.some((telling) => line.includes(telling))) return
    const answer = jsonOf(line.toString('utf8'))
    const usage = answer === null ? null : usageOf(answer)
    if (answer === null || usage === null) return
    this.#facts = { usage, final: true, modelUsed: textOrNull(answer['model']), providerRequestId: null }
  }
}

/**
 * The counts of the last line (Ollama API, "Generate a chat completion"). What is zero is left out, and older servers
 * leave out what they had in their cache, so without the input's count nothing is known; but for requests that only
 * load or unload a model.
 */
function usageOf (answer: Record<string, unknown>): Usage | null {
  const { done, done_reason: reason, prompt_eval_count: input, eval_count: output } = answer
  if (done !== undefined && done !== true) return null
  if (!isCount(input)) return reason === 'load' || reason === 'unload' ? NOTHING_USED : null
  return { ...NOTHING_USED, inputTokens: input, outputTokens: count(output) }
}
