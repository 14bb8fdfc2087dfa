import { type Refusal } from '../../errors.ts'
import { isObject, listField, notMetered, shown } from '../body.ts'
import { openaiCompatible } from '../compatible.ts'
import { embeddings } from '../openai/embeddings.ts'
import { type ChatTraits, completions, openaiDialect, responses } from '../openai/index.ts'
import { type CallRequest, type Dialect } from '../provider.ts'
import { openRouterUsage, withCost } from './cost.ts'
import { renderOpenRouterCut, renderOpenRouterRefusal } from './errors.ts'
import { withMaxPrice } from './max-price.ts'

const openRouterDialect: Dialect = {
  ...openaiDialect,
  name: 'openrouter',
  renderRefusal: renderOpenRouterRefusal,
  renderCut: renderOpenRouterCut,
}

/** that cost nothing: they mend or shorten what goes in or comes out */
const FREE_PLUGINS = new Set<unknown>(['response-healing', 'context-compression'])

/**
 * OpenRouter. What a call cost is what its answer says. Other models in its place (`models`, presets, routers), and
 * searches and readers of files (plugins, `:online`), have no bound and are refused.
 */
const traits: ChatTraits = {
  about: { usage: '`usage.cost`; in a stream in its last chunk' },
  fields: { unmetered: ['preset', 'route'], known: new Set(['plugins']) },
  usage: 'always',
  usageOf: openRouterUsage,
  also: readRouting,
  // whoever serves it, at no price above that of the quote
  keptTo: (bytes, body, call, priced) => withMaxPrice(body, bytes, call, priced),
}

export const openrouter = openaiCompatible({
  name: 'openrouter',
  title: 'OpenRouter',
  url: 'https://openrouter.ai',
  base: '/api/v1',
  needsKey: true,
  dialect: openRouterDialect,
  chat: traits,
  more: [
    completions('/api/v1/completions', traits),
    responses('/api/v1/responses', {
      about: { usage: '`usage.cost`; in a stream of `response.completed`' },
      fields: {
        unmetered: ['preset', 'route', 'modalities', 'image_config'],
        known: new Set(['plugins']),
        hostedTools: false,
      },
      also: readRouting,
      usageOf: (response, usage) => withCost(usage, response),
      keptTo: traits.keptTo,
    }),
    embeddings('/api/v1/embeddings', {
      about: { usage: '`usage.cost`' },
      usageOf: (answer, usage) => withCost(usage, answer),
      keptTo: traits.keptTo,
    }),
  ],
})

function readRouting (request: CallRequest, body: Record<string, unknown>): CallRequest | Refusal {
  if (/:online$/.test(request.model)) return notMetered('a model with :online')
  if (request.model.startsWith('@preset/')) return notMetered('a preset')
  const plugins = listField(body, 'plugins')
  if (!Array.isArray(plugins)) return plugins
  for (const plugin of plugins) {
    const { id, enabled } = isObject(plugin) ? plugin : { id: plugin, enabled: true }
    if (enabled !== false && !FREE_PLUGINS.has(id)) return notMetered(`the plugin ${shown(id)}`)
  }
  return cachesLonger(body) ? { ...request, bound: { ...request.bound, cacheWrite: '1h' } } : request
}

/** any `cache_control` with `ttl: 1h`, which Anthropic's models take wherever it stands */
function cachesLonger (body: Record<string, unknown>): boolean {
  const open: unknown[] = [body]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    if ('ttl' in next && next.ttl === '1h') return true
    for (const value of Object.values(next) as unknown[]) if (typeof value === 'object') open.push(value)
  }
  return false
}
