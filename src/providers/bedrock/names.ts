const TELLING = /^arn:[a-z-]+:bedrock:[a-z0-9-]*:\d*:(?:inference-profile|foundation-model)\/([A-Za-z0-9.:-]+)$/

/**
 * The name that the catalog has for what stands in a path: a model's id (`amazon.nova-pro-v1:0`), an inference
 * profile's (`us.`, `eu.`, `global.` and others before it, with prices of their own), or the ARN of either. null: an
 * ARN that says of no model (application inference profiles, provisioned and imported models, prompts, routers).
 */
export function catalogName (model: string): string | null {
  if (!model.startsWith('arn:')) return model
  return TELLING.exec(model)?.[1] ?? null
}

export type Family = 'anthropic' | 'nova' | 'llama' | 'mistral'

/** Whose bodies a model takes as they are; null: of a maker whose bodies are not read here, or not known. */
export function familyOf (model: string, body: Record<string, unknown>): Family | null {
  // no other has it, and Anthropic's demand it
  if (body['anthropic_version'] !== undefined) return 'anthropic'
  const name = catalogName(model) ?? ''
  if (/(^|\.)anthropic\./.test(name)) return 'anthropic'
  if (/(^|\.)amazon\.nova-(micro|lite|pro|premier|2-lite|2-pro)\b/.test(name)) return 'nova'
  if (/(^|\.)meta\.llama/.test(name)) return 'llama'
  return /(^|\.)mistral\./.test(name) ? 'mistral' : null
}
