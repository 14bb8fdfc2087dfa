import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Of 127.0.0.1, below the ports that a system gives to connections that go out: it is free again for a process that is
 * started again, whatever others did meanwhile.
 */
export async function freePort (): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000)
    const server = createServer().listen(port, '127.0.0.1')
    const free = await once(server, 'listening').then(() => true, () => false)
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
