import { withMembers } from '../changed-body.ts'
import { isObject } from '../body.ts'
import { topLevelElements, topLevelMembers } from '../json-scan.ts'
import { type CallChanges } from '../provider.ts'
import { spelling } from './fields.ts'

/** The body with another model where it names one, and no output limit above the lower one; unchanged around them. */
export function changedContent (body: unknown, bytes: Buffer, { model, outputTokens }: CallChanges): Buffer {
  const values = new Map<string, string>()
  if (model !== null && namesModel(body)) values.set('model', JSON.stringify(`models/${model}`))
  if (outputTokens !== null) {
    const config = spelling(body, 'generationConfig') ?? 'generationConfig'
    values.set(config, limited((body as Record<string, unknown>)[config], valueOf(bytes, config), outputTokens))
  }
  return values.size === 0 ? bytes : withMembers(bytes, values)
}

function namesModel (body: unknown): boolean { return isObject(body) && typeof body['model'] === 'string' }

/** `text`: the configuration as it is written */
function limited (config: unknown, text: Buffer | null, outputTokens: number, unsaid = 'maxOutputTokens'): string {
  const field = spelling(config, 'maxOutputTokens') ?? unsaid
  if (!isObject(config) || text === null) return JSON.stringify({ [field]: outputTokens })
  const own = config[field]
  const limit = typeof own === 'number' ? Math.min(own, outputTokens) : outputTokens
  return withMembers(text, new Map([[field, String(limit)]])).toString()
}

function valueOf (bytes: Buffer, name: string): Buffer | null {
  const member = topLevelMembers(bytes).find(({ key }) => key === name)
  return member === undefined ? null : bytes.subarray(member.valueStart, member.valueEnd)
}

/** The same for a batch, each of whose requests names the model. */
export function changedBatch (bytes: Buffer, { model }: CallChanges): Buffer {
  const requests = model === null ? null : valueOf(bytes, 'requests')
  if (model === null || requests === null) return bytes
  const changed = topLevelElements(requests)
    .map(({ start, end }) => changedContent({ model }, requests.subarray(start, end), { model, outputTokens: null }))
  return withMembers(bytes, new Map([['requests', `[${changed.join()}]`]]))
}

/** The same for an interaction, which names its model and spells its fields otherwise. */
export function changedInteraction (body: unknown, bytes: Buffer, { model, outputTokens }: CallChanges): Buffer {
  const values = new Map<string, string>()
  if (model !== null) values.set('model', JSON.stringify(model))
  if (outputTokens !== null) {
    const config = spelling(body, 'generationConfig') ?? 'generation_config'
    const own = (body as Record<string, unknown>)[config]
    values.set(config, limited(own, valueOf(bytes, config), outputTokens, 'max_output_tokens'))
  }
  return values.size === 0 ? bytes : withMembers(bytes, values)
}
