import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { ADMIN, aGateway } from '../e2e/gateway.ts'
import { aProject } from './package.ts'

const README = readFileSync(resolve(import.meta.dirname, '../../../README.md'), 'utf8')

const START = `
import { ApiError, createClient } from 'relaycore-budget-gateway/client'
const api = createClient({ baseUrl: 'http://127.0.0.1:8080', token: 'x' })
const budget = { name: 'n', scopeType: 'team', scopeId: 's', amount: '1', currency: 'USD', period: 'daily' } as const
const path = { id: 'x' }
`

t.test('what the package ships as its client is typed by the API, and does what the README says', async (t) => {
  const project = aProject(t)
  const installed = join(project.folder, 'node_modules/relaycore-budget-gateway')

  const { exports, main, types } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as
    { exports: Record<string, { types: string, default: string }>, main: string, types: string }
  t.same(exports['.'], { types: `./${types}`, default: `./${main}` }, 'the main entry stays what it was')
  for (const file of Object.values(exports['./client'] ?? {})) t.ok(existsSync(join(installed, file)), file)

  const fine = `${START}
    await api.POST('/budgets', { body: { ...budget, alerts: [{ threshold: 80 }] } })
    const { data, response } = await api.PUT('/budgets/{id}', { params: { path, header: { 'if-match': '"1"' } }, body: { amount: 5 } })
    const version: number = data.version
    const etag: string | null = response.headers.get('etag')
    for await (const page of api.pages('/keys')) { const hint: string | undefined = page.keys[0]?.hint; void hint }
    const gone: undefined = (await api.DELETE('/keys/{id}', { params: { path } })).data
    await api.GET('/budgets').catch((error) => { if (error instanceof ApiError && error.code === 'forbidden') throw error })
    void [version, etag, gone]`
  const wrong: [string, RegExp][] = [
    ['await api.GET(\'/budget\', {})', /"\/budget"/],
    ['await api.POST(\'/budgets/{id}/status\', { params: { path } })', /"\/budgets\/\{id\}\/status"/],
    ['await api.POST(\'/budgets\', { body: { ...budget, amuont: \'1\' } })', /amuont/],
    ['await api.POST(\'/budgets\', { body: { name: \'n\' } })', /scopeId/],
    ['await api.POST(\'/budgets\', { body: { ...budget, period: \'hourly\' } })', /hourly/],
    ['await api.GET(\'/budgets/{id}\')', /Expected 2 arguments/],
    ['await api.GET(\'/budgets\', { params: { query: { colour: \'red\' } } })', /colour/],
    ['const { data } = await api.GET(\'/budgets/{id}/status\', { params: { path } }); data.helt', /helt/],
    ['const { data } = await api.GET(\'/budgets/{id}\', { params: { path } }); const n: number = data.amount', /string.*number/],
    ['for await (const page of api.pages(\'/budgets/{id}\', { params: { path } })) void page', /"\/budgets\/\{id\}"/],
    ['await api.GET(\'/keys\').catch((error) => error instanceof ApiError && error.code === \'no_such_code\')', /no_such_code|no overlap/],
  ]
  const [, readme = ''] = /## From TypeScript\n[^]*?```ts\n([^]*?)```/.exec(README) ?? []
  t.match(readme, /createClient/)
  const bad = `${START}${wrong.map(([line]) => `{ ${line} }`).join('\n')}`
  const complaints = project.complaints({ fine, bad, readme })
  t.same(complaints.filter((one) => !one.startsWith('bad:')), [])
  for (const [i, [line, about]] of wrong.entries()) {
    const at = START.split('\n').length + i
    t.match(complaints.find((one) => one.startsWith(`bad:${at}: `)) ?? 'nothing', about, line)
  }

  const { url, admin } = await aGateway(t)
  const printed = await project.run(readme.replace('http://127.0.0.1:8080', url), { ADMIN_TOKEN: ADMIN })
  t.equal(printed, '50 USD remain\nDocs team 80 USD\n')
  t.match((await admin('GET', '/budgets')).body, { budgets: [{ name: 'Docs team', amount: '80' }] })
})
