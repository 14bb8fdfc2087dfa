import { mkdtempSync, rmSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { startServer } from '../../src/server.ts'
import { launchPostgres } from '../../src/stores/postgres/launcher.ts'

t.test('the embedded database may be killed under the gateway: it refuses, starts it again, and loses nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-embedded-'))
  chmodSync(folder, 0o711)
  const said: string[] = []
  const config = loadConfig({ RELAYCORE_DATA_DIR: join(folder, 'data'), PORT: '0', RELAYCORE_LOG_LEVEL: 'silent' })
  const server = await startServer({
    config, say: (line) => { said.push(line) }, onFatal: (error) => { t.fail(error.message) },
  })
  t.teardown(async () => {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const [key] = /rk_\w+/.exec(said.join()) ?? ['']
  const chat = async () => {
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{"model":"demo-small","max_tokens":9,"messages":[]}',
    })
    await answer.text()
    return answer.status
  }
  for (let i = 0; i < 5; i++) t.equal(await chat(), 200)
  const { pid } = await launchPostgres({ folder: join(config.dataDir, 'postgres') })
  process.kill(-pid, 'SIGKILL')

  const until = Date.now() + 30_000
  let served = 5
  let recovered = false
  while (!recovered && Date.now() < until) {
    const status = await chat()
    if (status === 200) served++
    else t.equal(status, 503, 'refused, and told to try again')
    recovered = await server.core.database.query({ text: 'select 1' }).then(() => true, () => false)
    await wait(50)
  }
  t.ok(recovered)
  while (server.core.writer.backlog > 0) await wait(20)
  // what is leased may not suffice for it, and until a heartbeat is answered nobody asks for more
  let status = await chat()
  for (; status === 503 && Date.now() < until; status = await chat()) await wait(50)
  t.equal(status, 200)
  while (server.core.gate.openCalls > 0 || server.core.writer.backlog > 0) await wait(20)
  await wait(200)
  const [row] = await server.core.database.query<{ n: string }>({ text: 'select count(*) as n from usage_events' })
  t.equal(Number(row?.n), served + 1, 'every call that was answered is recorded once')
})
