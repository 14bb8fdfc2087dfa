import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/**
 * A private real Redis: a server from PATH, else installed from Debian's packages (as root), else unpacked from them
 * into a cache folder (as an ordinary user). It has no persistence and listens on a Unix socket of its own.
 */
export interface PrivateRedis {
  /** path of its Unix socket */
  socket: string
  pid: number
  stop (): Promise<void>
}

const CACHE = resolve(import.meta.dirname, '../../../.cache/redis')
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblua5.1-0', 'liblzf1', 'libatomic1', 'lua-cjson',
  'lua-bitop']

export async function startRedis (port = 0): Promise<PrivateRedis> {
  const { program, env } = findServer()
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-redis-'))
  const socket = join(folder, 'redis.sock')
  const child = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--unixsocket', socket, '--save', '',
    '--appendonly', 'no', '--dir', folder, '--daemonize', 'no'], { stdio: 'ignore', env: { ...process.env, ...env } })
  const ended = new Promise<void>((resolve) => { child.once('exit', () => { resolve() }) })
  let failed: Error | null = null
  child.once('error', (error) => { failed = error })
  await untilItAnswers(socket, () => failed)
  return {
    socket,
    pid: child.pid as number,
    async stop () {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Server { program: string, env: Record<string, string> }

/**
 * Its program, and what its environment needs; installed or unpacked where there is none. RELAYCORE_TEST_REDIS_PROGRAM
 * names another one: a valkey-server, or another version.
 */
export function findServer (): Server {
  const named = process.env['RELAYCORE_TEST_REDIS_PROGRAM']
  if (named !== undefined) return { program: named, env: {} }
  const known = fromPath() ?? fromCache()
  if (known !== null) return known
  if (process.getuid?.() === 0 && inPath('apt-get') !== null) {
    execFileSync('apt-get', ['update'], { stdio: 'ignore' })
    execFileSync('apt-get', ['install', '-y', 'redis-server'], {
      stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    const installed = fromPath()
    if (installed !== null) return installed
  }
  if (inPath('apt-get') !== null && inPath('dpkg') !== null) {
    unpack()
    const unpacked = fromCache()
    if (unpacked !== null) return unpacked
  }
  throw new Error('The tests need a Redis: install redis-server or valkey-server, so that it is in PATH, or set ' +
    'RELAYCORE_TEST_REDIS to the URL of one whose data may be lost.')
}

function fromPath (): Server | null {
  const program = inPath('redis-server') ?? inPath('valkey-server')
  return program === null ? null : { program, env: {} }
}

function fromCache (): Server | null {
  const program = join(CACHE, 'complete')
  if (!existsSync(program)) return null
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => {
    const path = join(CACHE, 'root', folder)
    return existsSync(path) ? readdirSync(path).filter((name) => name.includes('-linux-')).map((name) => join(path, name)) : []
  })
  return { program: join(CACHE, 'root/usr/bin/redis-server'), env: { LD_LIBRARY_PATH: libraries.join(delimiter) } }
}

function inPath (program: string): string | null {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin']) {
    if (folder !== '' && existsSync(join(folder, program))) return join(folder, program)
  }
  return null
}

/** without root: package lists, downloads and files all in the cache folder */
function unpack (): void {
  const state = join(CACHE, 'apt')
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(state, folder), { recursive: true })
  const download = mkdtempSync(join(CACHE, 'download-'))
  const apt = ['-o', `Dir::State=${state}`, '-o', `Dir::State::lists=${join(state, 'lists')}`, '-o', `Dir::Cache=${state}`,
    '-o', `APT::Sandbox::User=${process.env['USER'] ?? ''}`, '-o', 'Dir::State::status=/var/lib/dpkg/status']
  execFileSync('apt-get', [...apt, 'update'], { stdio: 'ignore' })
  execFileSync('apt-get', [...apt, 'download', ...PACKAGES], { stdio: 'ignore', cwd: download })
  for (const name of readdirSync(download).filter((name) => name.endsWith('.deb'))) {
    execFileSync('dpkg', ['-x', join(download, name), join(CACHE, 'root')], { stdio: 'ignore' })
  }
  rmSync(download, { recursive: true })
  writeFileSync(join(CACHE, 'complete'), '')
}

/** one PING after the other until a PONG */
async function untilItAnswers (socket: string, failed: () => Error | null): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!await answers(socket)) {
    const error = failed()
    if (error !== null) throw error
    if (Date.now() > deadline) throw new Error('redis-server did not start within 10 s')
  }
}

function answers (socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket)
    const end = (answer: boolean) => {
      connection.destroy()
      setTimeout(() => { resolve(answer) }, answer ? 0 : 10)
    }
    connection.once('error', () => { end(false) })
    connection.once('data', (data) => { end(data.toString().startsWith('+PONG')) })
    connection.write('PING\r\n')
  })
}
