import t from 'tap'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parseBody } from '../../src/providers/body.ts'
import { type BillableEndpoint, isRefusal } from '../../src/providers/provider.ts'
import { anOrganization, CHAT } from './gateway.ts'

t.test('what was read of a body is let go of while its call is open', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const key = await gateway.key()
  t.equal((await gateway.chat(key, {})).status, 200, 'the key and its budgets are known')
  const { gate, providers } = gateway.core
  const provider = providers.find((one) => one.provider.name === 'openai')?.provider
  const endpoint = provider?.endpoints.find((one): one is BillableEndpoint => one.kind === 'billable' && one.name === 'chat.completions')
  const identity = await gate.identify(key, {})
  if (provider === undefined || endpoint === undefined || isRefusal(identity)) throw new Error('there is nobody to call')

  let read: WeakRef<object> | null = null
  const open = () => {
    const bytes = Buffer.from(JSON.stringify(CHAT))
    const parsed = parseBody(bytes)
    if ('refusal' in parsed) throw new Error(parsed.refusal.message)
    read = new WeakRef(parsed.body)
    const target = { params: {}, search: '', headers: {} }
    return gate.open({ provider, endpoint, target, identity, body: parsed.body, bytes, requestId: null }, () => false)
  }
  const call = await open()
  if (isRefusal(call)) throw new Error(call.message)
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  t.equal((read as WeakRef<object> | null)?.deref(), undefined)
  t.ok(call.body.length > 0, 'its bytes go upstream')
  call.release()
})
