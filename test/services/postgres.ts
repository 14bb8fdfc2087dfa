import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launchPostgres } from '../../src/stores/postgres/launcher.ts'

export interface PrivatePostgres {
  url: string
  stop (): Promise<void>
}

/** A private PostgreSQL by the gateway's launcher, without durability, in a folder that is removed after. */
export async function startPostgres (): Promise<PrivatePostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-pg-'))
  // as root the server runs as another user, who has to pass through
  chmodSync(folder, 0o711)
  const server = await launchPostgres({ folder: join(folder, 'data', 'postgres'), durability: 'off' })
  return {
    url: server.url,
    async stop () {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
