import t from 'tap'
import { anthropic } from '../../../src/providers/anthropic/index.ts'
import { tierOf } from '../../../src/providers/anthropic/request.ts'
import { quoteNano, withoutPrice } from '../../../src/pricing/quote.ts'
import { aModel } from '../../pricing/builders.ts'
import { aCall, billable, read } from '../builders.ts'
import { AS_ASKED, NO_TARGET } from '../../../src/providers/provider.ts'

const message = { model: 'claude-sonnet-5-5', max_tokens: 10, messages: [] as object[] }
const withBlock = (...content: unknown[]) => ({ ...message, messages: [{ role: 'user', content }] })
const length = (body: object) => Buffer.byteLength(JSON.stringify(body))
/** tokens beyond the bytes */
const more = (body: object) => aCall(anthropic, body).bound.inputTokens - length(body)

t.test('a call is read as the provider will read it', async (t) => {
  t.strictSame(aCall(anthropic, message), {
    model: 'claude-sonnet-5-5',
    stream: false,
    usageAsked: true,
    thinking: 0,
    endUser: null,
    endUserField: 'metadata.user_id',
    bound: { inputTokens: length(message), outputTokens: 10, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0 },
  })
  t.match(aCall(anthropic, { ...message, stream: true, max_tokens: 0 }), { stream: true, bound: { outputTokens: 0 } },
    'nothing but the cache may be asked for')
  const bytes = Buffer.from('{}')
  const streamed = aCall(anthropic, { ...message, stream: true })
  t.equal(billable(anthropic).forwardBody(streamed, message, bytes, AS_ASKED), bytes)
})

t.test('thinking is part of the output, and its budget may be the larger bound', async (t) => {
  const limit = (thinking: unknown) => aCall(anthropic, { ...message, thinking }).bound.outputTokens
  t.equal(limit({ type: 'enabled', budget_tokens: 5 }), 10)
  t.equal(limit({ type: 'enabled', budget_tokens: 500 }), 500)
  t.equal(limit({ type: 'adaptive' }), 10)
  t.equal(limit(null), 10)
})

t.test('the dearest cache that the request allows is found wherever it is asked for', async (t) => {
  const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } }
  const short = { cache_control: { type: 'ephemeral' } }
  const cache = (body: object, text?: string) => {
    const request = read(anthropic, body, text)
    return 'bound' in request ? request.bound.cacheWrite : request.code
  }
  t.equal(cache({ ...message, ...short }), '5m')
  t.equal(cache({ ...message, cache_control: { type: 'ephemeral', ttl: '5m' } }), '5m')
  t.equal(cache({ ...message, ...hour }), '1h')
  t.equal(cache({ ...message, system: [{ type: 'text', text: 'x', ...hour }], ...short }), '1h')
  t.equal(cache({ ...message, tools: [{ name: 'x', ...hour }] }), '1h')
  t.equal(cache(withBlock({ type: 'tool_result', content: [{ type: 'text', text: 'x', ...hour }] }, { type: 'text', ...short })), '1h')
  t.equal(cache({ ...message, cache_control: null }), 'none')
  t.equal(cache(withBlock({ type: 'text', text: '"cache_control":{"ttl":"1h"}' })), 'none', 'words are no instruction')
  t.equal(cache(withBlock({ type: 'tool_use', input: { cache_control: { ttl: '9h' } } })), 'none', 'nor is a tool\'s input')
  const text = JSON.stringify({ ...message, ...hour }).replace('cache_control', 'c\\u0061che_control').replace('1h', '\\u0031h')
  t.equal(cache({}, text), '1h', 'however it is escaped')
  t.equal(cache({ ...message, cache_control: { type: 'ephemeral', ttl: '24h' } }), 'feature_not_metered')
})

t.test('speed and region are named as the catalog names them', async (t) => {
  t.equal(tierOf('fast', 'us'), 'fast+us')
  t.equal(tierOf('fast', undefined), 'fast')
  t.equal(tierOf('standard', 'us'), 'us')
  for (const none of [[null, null], ['standard', 'global'], [undefined, 'not_available']]) t.equal(tierOf(none[0], none[1]), null)
  t.equal(aCall(anthropic, { ...message, speed: 'fast', inference_geo: 'us' }).bound.tier, 'fast+us')
  t.equal(aCall(anthropic, { ...message, service_tier: 'standard_only' }).bound.tier, null)
})

t.test('what tokens do not bound is refused, with what it is', async (t) => {
  const cases: [object, RegExp][] = [
    [{ tools: [{ name: 'a' }, { type: 'web_search_20250305', max_uses: 501 }] }, /tool type "web_search_20250305", .* from 1 to 500,/],
    [{ tools: [{ type: 'web_search_20250305', max_uses: 0 }] }, /without max_uses from 1/],
    [{ tools: [{ type: 'web_fetch_20250910', max_uses: 1, allowed_callers: ['code_execution_20250825'] }] }, /called by code/],
    [{ tools: [{ type: 'tool_search_tool_bm25_20251119' }] }, /tool_search_tool_bm25/],
    [{ tools: [{ type: 'advisor_20260301', model: 'claude-opus-5', max_uses: '1' }] }, /advisor_20260301", .* without max_uses/],
    [{ tools: [{ type: 'advisor_20260301', max_uses: 1 }] }, /advisor_20260301/],
    [{ tools: [{ type: 'advisor_20260301', model: 'm', max_uses: 1, caching: { type: 'ephemeral', ttl: '9h' } }] }, /advisor_20260301/],
    [{ speed: 'fast', tools: [{ type: 'advisor_20260301', model: 'm', max_uses: 1 }] }, /an advisor at speed "fast"/],
    [{ tools: [{ type: 'code_execution_20260120' }] }, /code_execution/],
    [{ tools: [{ type: 'bash_20250124_x' }] }, /bash_20250124_x/],
    [{ tools: [{ type: 7 }] }, /tool type 7/],
    [{ tools: ['x'] }, /tool type "x"/],
    [{ mcp_servers: [{}] }, /^mcp_servers /],
    [{ container: 'c' }, /^container /],
    [{ container: { skills: [] } }, /^container /],
    [{ fallbacks: 'default' }, /^fallbacks /],
    [{ compaction: { type: 'summarize' } }, /^compaction /],
    [{ thread: { type: 'continue', previous_message_id: 'm' } }, /^thread /],
    [{ context_management: { edits: [{ type: 'clear_tool_uses_20250919' }, { type: 'other' }] } }, /^context_management /],
    [{ context_management: 'x' }, /^context_management /],
    [{ messages: [{ role: 'system', content: [{ type: 'tool_addition', tool: { type: 'tool_definition', definition: { type: 'web_search_20250305' } } }] }] },
      /tool type "web_search_20250305"/],
    [{ messages: [{ role: 'user', content: [{ type: 'compaction', tool_changes: [{ type: 'tool_addition', tool: { definition: 7 } }] }] }] }, /tool type 7/],
  ]
  for (const [field, message_] of cases) {
    t.match(read(anthropic, { ...message, ...field }), { code: 'feature_not_metered', retryable: false, message: message_ }, JSON.stringify(field))
  }
})

t.test('what tokens do bound is let through', async (t) => {
  for (const field of [{ tools: [{ name: 'x', input_schema: {} }, { type: 'custom', name: 'y' }, { type: null, name: 'z' }] }, { mcp_servers: [] },
    { context_management: { edits: [{ type: 'clear_thinking_20251015' }] } }, { context_management: {} }, { context_management: null },
    { metadata: { user_id: 'u' } }, { tool_choice: { type: 'auto' } }, { output_config: { effort: 'high' } },
    { messages: [{ role: 'user', content: [{ type: 'tool_addition', tool: { definition: { name: 'x' } } }] }] }]) {
    t.match(read(anthropic, { ...message, ...field }), { model: message.model }, JSON.stringify(field))
  }
})

t.test('each use of a tool at the provider is a run of the model more, as is a try too many and a summary', async (t) => {
  const search = (uses: number, more: object = {}) => ({ type: 'web_search_20250305', name: 'web_search', max_uses: uses, ...more })
  const fetch = { type: 'web_fetch_20260209', name: 'web_fetch', max_uses: 2, allowed_callers: ['direct'] }
  const bound = (tools: object[], more: object = {}) => aCall(anthropic, { ...message, tools, ...more }).bound
  t.match(bound([search(3)]), { webSearches: 3, runs: 5, outputTokens: 10 })
  t.match(bound([search(3), fetch, { name: 'own' }]), { webSearches: 3, runs: 8 })
  t.match(bound([fetch]), { webSearches: 0, runs: 4 })
  t.match(bound([{ type: 'web_search_20260209', name: 'web_search' }]), { webSearches: 3, runs: 5 }, 'three, where nothing says how many')
  const summed = { context_management: { edits: [{ type: 'compact_20260112' }] } }
  t.match(bound([search(3)], summed), { webSearches: 3, runs: 10, outputTokens: null })
  t.equal(bound([], summed).runs, undefined, 'it cannot be long enough')
  const early = { context_management: { edits: [{ type: 'compact_20260112', trigger: { type: 'input_tokens', value: 50 } }] } }
  t.match(aCall(anthropic, { ...message, ...early }), { thinking: null, bound: { runs: 2, outputTokens: null } })
  t.match(bound([], { ...summed, system: 'x'.repeat(150_000) }), { runs: 2 })
})

t.test('what bounds a tool is sent where the request does not say it, between its bytes', async (t) => {
  const forward = (tools: string) => {
    const text = `{"model":"m","max_tokens":10,"messages":[],"tools": ${tools} ,"metadata":{"x":"ö"}}`
    const body: unknown = JSON.parse(text)
    const call = aCall(anthropic, body as object)
    const sent = billable(anthropic).forwardBody(call, body, Buffer.from(text), AS_ASKED).toString()
    return sent.replace('{"model":"m","max_tokens":10,"messages":[],"tools": ', '').replace(' ,"metadata":{"x":"ö"}}', '')
  }
  const said = '[ {"name":"own" }, {"type":"web_search_20250305","name":"web_search","max_uses":2} ]'
  t.equal(forward(said), said)
  t.equal(forward('[ {"name":"ö"}, {"type":"web_search_20250305","name":"web_search"},{"type":"web_fetch_20260309","max_uses":null}]'),
    '[{"name":"ö"},{"type":"web_search_20250305","name":"web_search","max_uses":3},' +
    '{"type":"web_fetch_20260309","max_uses":3,"allowed_callers":["direct"]}]')
  t.equal(forward('[{"type":"advisor_20260301","model":"m"}]'), '[{"type":"advisor_20260301","model":"m","max_uses":3}]')
})

t.test('an advisor is another model, which may read the conversation at each use', async (t) => {
  const advisor = { type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-5', max_uses: 3 }
  const bound = (over: object, more: object = {}) =>
    aCall(anthropic, { ...message, tools: [{ ...advisor, ...over }], ...more }).bound
  t.strictSame(bound({}).others, [{
    model: 'claude-opus-5',
    bound: { inputTokens: Infinity, outputTokens: null, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0, runs: 3 },
  }])
  t.match(bound({}), { runs: 5, webSearches: 0 })
  const limited = bound({ max_tokens: 500, caching: { type: 'ephemeral', ttl: '1h' } }, { inference_geo: 'us' })
  t.match(limited.others, [{ bound: { outputTokens: 500, cacheWrite: '1h', tier: 'us' } }])
  t.match(bound({ caching: { type: 'ephemeral' } }).others, [{ bound: { cacheWrite: '5m' } }])
  t.equal(quoteNano(aModel('anthropic', 'claude-haiku-4-5'), bound({})), null, 'its price has not been looked up')
})

t.test('a longer context than the model\'s own has no price', async (t) => {
  const asked = (model: string, headers: Record<string, string | string[]>) => {
    const body = { ...message, model }
    const call = billable(anthropic).read(body, Buffer.from(JSON.stringify(body)), { ...NO_TARGET, headers })
    if ('code' in call) throw new Error(call.message)
    return quoteNano(aModel('anthropic', model), call.bound)
  }
  const long = { 'anthropic-beta': 'files-api-2025-04-14, context-1m-2025-08-07' }
  t.equal(asked('claude-sonnet-4-5', long), null)
  t.equal(asked('claude-sonnet-4-5', { 'anthropic-beta': ['x', 'context-1m-2025-08-07'] }), null)
  t.not(asked('claude-sonnet-4-5', { 'anthropic-beta': 'files-api-2025-04-14' }), null)
  t.equal(asked('claude-sonnet-4-6', long), asked('claude-sonnet-4-6', {}), 'it has so long a one anyway')
  const body = { ...message, anthropic_beta: ['context-1m-2025-08-07'] }
  t.match(aCall(anthropic, body), { bound: { contextWindow: 1_000_000 } })
  t.match(withoutPrice(aModel('anthropic', 'claude-sonnet-4-5'), aCall(anthropic, body).bound), 'with a context of 1000000 tokens')
})

t.test('tools, formats and thinking add the words around them, tools known by name their definitions', async (t) => {
  t.equal(more(message), 0)
  t.equal(more({ ...message, tools: [{ name: 'x' }] }), 1_000)
  t.equal(more({ ...message, thinking: { type: 'adaptive' } }), 1_000)
  t.equal(more({ ...message, output_format: { type: 'json_schema' } }), 1_000)
  const known = ['computer_20251124', 'text_editor_20250728', 'bash_20250124'].map((type) => ({ type, name: type }))
  // 499 around them, 735, 700 and 245 for them (Anthropic's guide to tool use)
  t.ok(more({ ...message, tools: known }) + length({ tools: known }) > 499 + 735 + 700 + 245)
  t.equal(more({ ...message, tools: known }), 8_500)
})

t.test('an image in the request counts as an image, not as its bytes; one from elsewhere is not bounded', async (t) => {
  const data = 'iVBORw0KGgo'.repeat(20_000)
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } }
  t.equal(more(withBlock(image)), 10_000 - data.length)
  t.equal(more(withBlock({ type: 'tool_result', content: [image, { type: 'text', text: 'x' }] })), 10_000 - data.length)
  t.equal(more(withBlock({ type: 'document', source: { type: 'content', content: [image] } })), 10_000 - data.length)
  for (const source of [{ type: 'url', url: 'https://example.com' }, { type: 'file', file_id: 'f' }, { type: 'base64' }, { data }, null]) {
    t.equal(more(withBlock(image, { type: 'image', source })), Infinity)
  }
})

t.test('text is bounded by its bytes, whatever it is part of', async (t) => {
  const text = { type: 'text', text: 'x' }
  for (const block of [text, 'x', { type: 'document', source: { type: 'text', data: 'x' } }, { type: 'thinking', thinking: 'x', signature: 's' },
    { type: 'redacted_thinking', data: 'x' }, { type: 'tool_use', input: { type: 'image' } }, { type: 'tool_result', content: 'x' },
    { type: 'search_result', content: [text], citations: { enabled: false } },
    { type: 'document', source: { type: 'content', content: [text] } },
    { type: 'web_search_tool_result', content: [{ type: 'web_search_result', encrypted_content: 'x' }] },
    { ...text, citations: [{ type: 'char_location' }] }]) {
    t.equal(more(withBlock(block)), 0, JSON.stringify(block))
  }
  t.equal(more({ ...message, system: [text], messages: [{ role: 'user', content: 'x' }] }), 0)
})

t.test('what stands for more than its bytes may fill the context window', async (t) => {
  for (const block of [{ type: 'document', source: { type: 'base64', data: '' } }, { type: 'document', source: { type: 'url' } }, { type: 'document' },
    { type: 'container_upload', file_id: 'f' }, { type: 'tool_reference', tool_name: 'x' }, { type: 'not_known_yet' }, { text: 'x' }, { type: 7 },
    { type: 'document', source: { type: 'text', data: 'x' }, citations: { enabled: true } },
    { type: 'tool_result', content: [{ type: 'tool_reference', tool_name: 'x' }] },
    { type: 'tool_addition', tool: { type: 'tool_reference', name: 'x' } },
    { type: 'web_fetch_tool_result', content: { type: 'web_fetch_result', content: { type: 'document', source: { type: 'base64' } } } }]) {
    t.equal(more(withBlock(block)), Infinity, JSON.stringify(block))
    t.equal(more({ ...message, system: [block] }), Infinity)
  }
})

t.test('a field of the wrong type, or none where one must be, is refused by its name', async (t) => {
  t.match(read(anthropic, { model: 'm', messages: [] }), { code: 'invalid_request', field: 'max_tokens', message: /^max_tokens is required/ })
  t.match(read(anthropic, { ...message, max_tokens: null }), { code: 'invalid_request', field: 'max_tokens' })
  const wrong: [string, unknown, string?][] = [
    ['model', 7], ['max_tokens', -1], ['max_tokens', 1.5], ['max_tokens', '10'], ['stream', 1], ['speed', {}], ['inference_geo', 7],
    ['service_tier', 7], ['messages', 'x'], ['tools', {}], ['thinking', 'x'],
    ['thinking', { type: 'enabled', budget_tokens: -1 }, 'thinking.budget_tokens'],
  ]
  for (const [field, value, path = field] of wrong) {
    t.match(read(anthropic, { ...message, [field]: value }), { code: 'invalid_request', field: path, retryable: false }, field)
  }
  for (const none of [null, [], 'x']) t.match(billable(anthropic).read(none, Buffer.alloc(0), NO_TARGET), { code: 'invalid_request' })
})
