import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { aFaultProxy } from './fault-proxy.ts'

/** answers each request with itself and its own name, and remembers what it was asked */
async function anEchoServer (t: Test, name = '') {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      asked.push(bytes.toString())
      socket.write(`${bytes.toString()}${name}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (server.address() as AddressInfo).port, asked, sockets }
}

/** with an error or without */
function closing (socket: Socket): Promise<void> {
  return new Promise((resolve) => { socket.once('close', () => { resolve() }) })
}

async function aClient (t: Test, port: number) {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  const errors: string[] = []
  socket.on('error', (error: NodeJS.ErrnoException) => { errors.push(error.code ?? '') })
  const closed = closing(socket)
  await once(socket, 'connect')
  return {
    socket,
    errors,
    closed,
    say: (text: string) => { socket.write(text) },
    async ask (text: string): Promise<string> {
      socket.write(text)
      const [bytes] = await once(socket, 'data') as [Buffer]
      return bytes.toString()
    },
  }
}

t.test('bytes pass as they are, and an end on one side is an end on the other', async (t) => {
  const server = await anEchoServer(t)
  const proxy = await aFaultProxy(t, server.port)
  const client = await aClient(t, proxy.port)
  t.equal(await client.ask('one'), 'one')
  t.equal(await client.ask('two'), 'two')
  t.strictSame([proxy.open, proxy.accepted], [1, 1])
  client.socket.end()
  await client.closed
  t.equal(client.errors.length, 0)

  const left = await aClient(t, proxy.port)
  await left.ask('three')
  for (const socket of server.sockets) socket.end()
  await left.closed
  t.equal(left.errors.length, 0)
})

t.test('what is held arrives with the pass, whole and in order; the other direction goes on', async (t) => {
  const server = await anEchoServer(t)
  const proxy = await aFaultProxy(t, server.port)
  const client = await aClient(t, proxy.port)
  await client.ask('hello')
  const [at] = [...server.sockets]

  proxy.hold('replies')
  client.say('one')
  await once(at as Socket, 'data')
  t.strictSame(server.asked, ['hello', 'one'])
  proxy.hold('requests')
  client.say('two')
  proxy.pass()
  let heard = ''
  client.socket.on('data', (bytes) => { heard += bytes.toString() })
  while (heard.length < 6) await once(client.socket, 'data')
  t.equal(heard, 'onetwo')

  proxy.hold('requests')
  client.say('three')
  at?.write('news')
  await once(client.socket, 'data')
  t.equal(heard, 'onetwonews')
  t.notOk(server.asked.includes('three'))
})

t.test('a connection that is made into a black hole is made, and lives when it is gone', async (t) => {
  const server = await anEchoServer(t)
  const proxy = await aFaultProxy(t, server.port)
  proxy.hold()
  const client = await aClient(t, proxy.port)
  const answer = client.ask('late')
  t.strictSame(server.asked, [])
  proxy.pass()
  t.equal(await answer, 'late')
})

t.test('each piece is delayed on its way there and on its way back', async (t) => {
  const server = await anEchoServer(t)
  const proxy = await aFaultProxy(t, server.port)
  const client = await aClient(t, proxy.port)
  proxy.delay(20)
  const from = performance.now()
  t.equal(await client.ask('slow'), 'slow')
  t.ok(performance.now() - from >= 38, `${performance.now() - from} ms`)
})

for (const [moment, asked, heard] of [
  ['before', [], ''], ['unanswered', ['begin; com', 'mit'], 'begin; com'], ['after', ['begin; com', 'mit'], 'begin; commit'],
] as const) {
  t.test(`a connection is cut where it should be: ${moment}`, async (t) => {
    const server = await anEchoServer(t)
    const proxy = await aFaultProxy(t, server.port)
    const client = await aClient(t, proxy.port)
    let text = ''
    client.socket.on('data', (bytes) => { text += bytes.toString() })
    const cut = proxy.cutOn(moment === 'before' ? 'begin; com' : 'commit', moment)
    client.say('begin; com')
    if (moment !== 'before') {
      while (text.length < 10) await once(client.socket, 'data')
      client.say('mit')
    }
    await Promise.all([cut, client.closed])
    t.strictSame(server.asked, asked)
    t.equal(text, heard)

    const again = await aClient(t, proxy.port)
    t.equal(await again.ask('commit'), 'commit', 'once')
  })
}

t.test('half-open, the client goes on and nobody hears', async (t) => {
  const server = await anEchoServer(t)
  const proxy = await aFaultProxy(t, server.port)
  const client = await aClient(t, proxy.port)
  await client.ask('hello')
  const [at] = [...server.sockets]
  const lost = closing(at as Socket)
  proxy.halfOpen()
  await lost
  client.say('anybody?')
  const other = await aClient(t, proxy.port)
  t.equal(await other.ask('new'), 'new')
  t.strictSame([server.asked, client.socket.destroyed], [['hello', 'new'], false])
})

t.test('refused, cut, and led to another server', async (t) => {
  const [one, two] = [await anEchoServer(t, ' by one'), await anEchoServer(t, ' by two')]
  const proxy = await aFaultProxy(t, one.port)
  const client = await aClient(t, proxy.port)
  t.equal(await client.ask('a'), 'a by one')
  proxy.refuse()
  await client.closed
  t.strictSame(client.errors, ['ECONNRESET'])
  await closing(connect(proxy.port, '127.0.0.1').on('error', () => undefined))

  proxy.pass()
  proxy.retarget(two.port)
  const later = await aClient(t, proxy.port)
  t.equal(await later.ask('b'), 'b by two')
  proxy.cut()
  await later.closed
  t.equal(proxy.open, 0)
})

t.test('where there is no server, connections are reset', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  const proxy = await aFaultProxy(t, port)
  await closing(connect(proxy.port, '127.0.0.1').on('error', () => undefined))
  t.equal(proxy.open, 0)
})
