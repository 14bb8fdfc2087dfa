import { type Refusal } from '../../errors.ts'
import { type CallBound } from '../../pricing/price.ts'
import {
  badRequest, countField, eachObject, firstRefusal, isGiven, isObject, listField, modelField, shown,
} from '../body.ts'
import { readChatCompletion } from '../openai/request.ts'
import { type CallRequest, isRefusal } from '../provider.ts'

/** what is told of how to use documents */
const SCAFFOLDING_TOKENS = 1_000
/** documents of one search */
const DOCUMENTS = 100
/** of a document with the query: a longer one counts as several (Cohere's pricing) */
const TOKENS_PER_DOCUMENT = 500
/** where a document is cut off unless the request says otherwise (cohere-ai 8.1, V2RerankRequest) */
const LONGEST_DOCUMENT = 4_096

const CHAT_FIELDS = { limits: ['max_tokens'], texts: new Set<unknown>(['thinking', 'document']) }

/** A chat has much of OpenAI's shape; what is billed of its input is in its bytes. */
export function readChat (body: unknown, bytes: Buffer): CallRequest | Refusal {
  const request = readChatCompletion(body, bytes, CHAT_FIELDS)
  if (isRefusal(request)) return request
  const { documents, thinking } = body as Record<string, unknown>
  const budget = isObject(thinking) ? countField(thinking, 'token_budget', 1, undefined, 'thinking.token_budget') : null
  if (typeof budget === 'object' && budget !== null) return budget
  const more = isGiven(documents) ? SCAFFOLDING_TOKENS : 0
  return {
    ...request,
    usageAsked: true,
    thinking: budget ?? 'open',
    bound: { ...request.bound, inputTokens: request.bound.inputTokens + more },
  }
}

/** Texts are bounded by their bytes, images by the context window of each input. */
export function readEmbed (body: unknown, bytes: Buffer): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const lists = ['texts', 'images', 'inputs'].map((field) => listField(body, field))
  const wrong = firstRefusal([modelField(body), ...lists])
  if (wrong !== null) return wrong
  let images = listOf(body['images']).length > 0
  eachObject(body['inputs'], ({ content }) => {
    eachObject(content, ({ type }) => { images ||= type !== 'text' })
  })
  const inputs = Math.max(1, lists.reduce((sum, list) => sum + listOf(list).length, 0))
  return whole(body, {
    inputTokens: images ? Infinity : bytes.length,
    inputs,
    ...images ? { inputUnits: ['inputImageTokens'] } : {},
  })
}

/**
 * Billed by searches, each of which is a query with up to 100 documents; a document that is longer than 500 tokens with
 * the query counts as several. A token has at least one byte, so there are no more of them than this.
 */
export function readRerank (body: unknown): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const { query } = body
  const documents = listField(body, 'documents')
  const longest = countField(body, 'max_tokens_per_doc', 1)
  const wrong = firstRefusal([modelField(body), documents, longest])
  if (wrong !== null) return wrong
  if (typeof query !== 'string') return badRequest(`query must be a text; got ${shown(query)}.`, 'query')
  const room = Math.max(1, TOKENS_PER_DOCUMENT - Buffer.byteLength(query))
  let parts = 0
  for (const document of documents as unknown[]) {
    if (typeof document !== 'string') {
      return badRequest(`documents must be texts; got ${shown(document)}.`, 'documents')
    }
    const tokens = Math.min(Buffer.byteLength(document), Number(longest ?? LONGEST_DOCUMENT))
    parts += Math.max(1, Math.ceil(tokens / room))
  }
  return whole(body, { inputTokens: 0, units: { searchUnits: Math.max(1, Math.ceil(parts / DOCUMENTS)) } })
}

/** what is answered whole and puts no text out */
function whole (body: Record<string, unknown>, bound: Partial<CallBound> & { inputTokens: number }): CallRequest {
  return {
    model: body['model'] as string,
    stream: false,
    usageAsked: true,
    thinking: null,
    endUserField: 'user',
    bound: { outputTokens: 0, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0, ...bound },
  }
}

function listOf (value: unknown): unknown[] { return Array.isArray(value) ? value : [] }
