import { tryLock } from 'fs-native-extensions'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chownSync, closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { findBinaries, type PostgresBinaries } from './binaries.ts'

/**
 * A PostgreSQL of the gateway's own, in its data folder: started where none runs, adopted where one still does (it has
 * a process group of its own and outlives the gateway's crash). Reached by a password over a Unix socket in a private
 * folder, or over loopback where that path would be too long. Never run by root: as root it runs as `postgres` or
 * `nobody`, and where that user may not reach the data folder, its files lie in /var/lib/relaycore instead.
 */
export interface LaunchOptions {
  /** absolute; created if it is missing */
  folder: string
  /** 'off' loses data with a crash of the machine: for tests */
  durability?: 'on' | 'off'
  /** ms for everything, crash recovery of the database included */
  timeoutMs?: number
  say?: (message: string) => void
}

export interface LaunchedPostgres {
  /** connection string, with its password: not for logs */
  url: string
  pid: number
  /** it ran already */
  adopted: boolean
  major: number
  /** a fast shutdown, waited for */
  stop (): Promise<void>
}

export class LaunchError extends Error {
  readonly code = 'postgres_not_started'
}

const USER = 'relaycore'
const DATABASE = 'relaycore'
/** sun_path has 108 bytes on Linux and 104 on macOS, the last for its end */
const LONGEST_SOCKET = 103
const SHARED_FOLDER = '/var/lib/relaycore'
const run = promisify(execFile)

interface Account { uid: number, gid: number }

interface Place {
  cluster: string
  log: string
  passwordFile: string
  /** folder of the socket; null: loopback */
  sockets: string | null
  portFile: string
  as: Account | null
}

export async function launchPostgres (options: LaunchOptions): Promise<LaunchedPostgres> {
  const deadline = Date.now() + (options.timeoutMs ?? 90_000)
  const as = process.getuid?.() === 0 ? unprivileged() : null
  const folder = prepare(resolve(options.folder), as)
  const lock = await lockFolder(folder, deadline)
  try {
    return await launchIn(folder, as, options, deadline)
  } finally {
    closeSync(lock)
  }
}

/** for commands beside a gateway: the embedded database of a data folder, which must have one */
export async function attachPostgres (dataDir: string): Promise<LaunchedPostgres> {
  const folder = join(dataDir, 'postgres')
  if (existsSync(folder)) return await launchPostgres({ folder })
  throw new LaunchError(`There is no database in ${dataDir}: start the gateway once, or set DATABASE_URL or RELAYCORE_DATA_DIR.`)
}

async function launchIn (
  folder: string, as: Account | null, options: LaunchOptions, deadline: number
): Promise<LaunchedPostgres> {
  const place = placeIn(folder, as)
  const adopted = await answersAlready(place, deadline)
  if (!adopted) {
    const binaries = reachable(choose(place.cluster), as)
    if (!existsSync(join(place.cluster, 'PG_VERSION'))) await initialise(place, binaries, options)
    await start(place, binaries, options, deadline)
  }
  await ensureDatabase(place)
  const pid = runningPid(place.cluster)
  if (pid === null) throw new LaunchError(`PostgreSQL in ${place.cluster} ended right after its start; see ${place.log}`)
  return {
    url: urlOf(place, DATABASE), pid, adopted, major: versionOf(place.cluster) ?? 0, stop: () => stop(place, pid),
  }
}

/** `postgres` where there is such a user, else `nobody` */
function unprivileged (): Account {
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // no such user; the next one
    }
  }
  throw new LaunchError('PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`. ' +
    'Run the gateway as an ordinary user, or set DATABASE_URL.')
}

/** the folder that the server's user can reach */
function prepare (folder: string, as: Account | null): string {
  // the server's user passes through the folder above and sees nothing of it
  make(dirname(folder), as === null ? 0o700 : 0o711)
  make(folder)
  if (as === null || isTraversable(dirname(folder), as)) {
    if (as !== null) chownSync(folder, as.uid, as.gid)
    return folder
  }
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  const elsewhere = join(SHARED_FOLDER, name)
  make(SHARED_FOLDER, 0o755)
  make(elsewhere)
  chownSync(elsewhere, as.uid, as.gid)
  writeFileSync(join(folder, 'MOVED'), `The database of this folder is in ${elsewhere}: the user that runs it may not enter here.\n`)
  return elsewhere
}

function make (folder: string, mode = 0o700): void {
  try {
    mkdirSync(folder, { recursive: true, mode })
  } catch (error) {
    throw new LaunchError(`The folder ${folder} cannot be made: ${(error as Error).message}`, { cause: error })
  }
}

function isTraversable (folder: string, as: Account): boolean {
  for (let at = folder; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at)
    const bit = uid === as.uid ? 0o100 : gid === as.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (at === dirname(at)) return true
  }
}

function placeIn (folder: string, as: Account | null): Place {
  const sockets = join(folder, 'socket')
  const fits = Buffer.byteLength(join(sockets, '.s.PGSQL.5432')) <= LONGEST_SOCKET && process.platform !== 'win32'
  return {
    cluster: join(folder, 'cluster'),
    log: join(folder, 'postgres.log'),
    passwordFile: join(folder, 'password'),
    sockets: fits ? sockets : null,
    portFile: join(folder, 'port'),
    as,
  }
}

/** one launcher at a time in one folder; the lock dies with its process */
async function lockFolder (folder: string, deadline: number): Promise<number> {
  const fd = openSync(join(folder, 'launch.lock'), 'a+', 0o600)
  while (!tryLock(fd)) {
    if (Date.now() > deadline) {
      closeSync(fd)
      throw new LaunchError(`Another process has been starting PostgreSQL in ${folder} for too long.`)
    }
    await pause(50)
  }
  return fd
}

function versionOf (cluster: string): number | null {
  const file = join(cluster, 'PG_VERSION')
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : null
}

/** a data folder is only for programs of its own major version */
function choose (cluster: string): PostgresBinaries {
  const found = findBinaries()
  const major = versionOf(cluster)
  const fit = major === null ? found[0] : found.find((one) => one.major === major)
  if (fit !== undefined) return fit
  if (major === null) {
    throw new LaunchError('No PostgreSQL was found: install it (Debian: apt-get install postgresql), or run `npm ci` without ' +
      '--omit=optional, or set DATABASE_URL to a database that runs elsewhere.')
  }
  throw new LaunchError(`The data in ${cluster} was made by PostgreSQL ${major}, and only ` +
    `${found.map((one) => one.major).join(' and ') || 'none'} was found: install PostgreSQL ${major}, or set DATABASE_URL.`)
}

/** packaged programs in a folder that the server's user may not enter are copied to where it may */
function reachable (binaries: PostgresBinaries, as: Account | null): PostgresBinaries {
  const { packaged } = binaries
  if (packaged === null || as === null || isTraversable(packaged, as)) return binaries
  const copy = join(SHARED_FOLDER, `postgres-${binaries.major}-${createHash('sha256').update(packaged).digest('hex').slice(0, 8)}`)
  if (!existsSync(copy)) {
    make(SHARED_FOLDER, 0o755)
    const half = `${copy}.${process.pid}`
    cpSync(packaged, half, { recursive: true, verbatimSymlinks: true })
    renameSync(half, copy)
  }
  return { ...binaries, bin: join(copy, 'bin'), packaged: copy }
}

function asUser (as: Account | null, folder: string) {
  return { cwd: folder, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' }, ...as }
}

async function initialise (place: Place, { bin, major }: PostgresBinaries, options: LaunchOptions): Promise<void> {
  options.say?.(`Creating a database with PostgreSQL ${major} in ${place.cluster}`)
  // a half-made one, from an attempt that was interrupted
  rmSync(place.cluster, { recursive: true, force: true })
  writeFileSync(place.passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
  if (place.as !== null) chownSync(place.passwordFile, place.as.uid, place.as.gid)
  const half = `${place.cluster}.new`
  rmSync(half, { recursive: true, force: true })
  const args = ['-D', half, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${place.passwordFile}`]
  args.push('-E', 'UTF8', '--locale=C')
  if (options.durability === 'off') args.push('-N')
  try {
    await run(join(bin, 'initdb'), args, asUser(place.as, dirname(place.cluster)))
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? (error as Error).message
    throw new LaunchError(`PostgreSQL could not create its data folder ${place.cluster}: ${said.trim().slice(-500)}`, { cause: error })
  }
  renameSync(half, place.cluster)
}

async function start (
  place: Place, { bin }: PostgresBinaries, options: LaunchOptions, deadline: number
): Promise<void> {
  const args = ['-D', place.cluster, '-c', 'timezone=UTC', '-c', 'max_connections=100', '-c', 'log_timezone=UTC']
  if (options.durability === 'off') {
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes', 'jit']) args.push('-c', `${setting}=off`)
  }
  if (place.sockets !== null) {
    // a lock left in it may name a process that is a zombie now, or somebody else
    rmSync(place.sockets, { recursive: true, force: true })
    make(place.sockets)
    if (place.as !== null) chownSync(place.sockets, place.as.uid, place.as.gid)
    args.push('-c', 'listen_addresses=', '-c', `unix_socket_directories=${place.sockets}`, '-p', '5432')
  } else {
    // the same port again, where it can be had: whoever is connected finds it there
    const port = await freePort(existsSync(place.portFile) ? Number(readFileSync(place.portFile, 'utf8')) : 0)
    writeFileSync(place.portFile, String(port), { mode: 0o600 })
    args.push('-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-p', String(port))
  }
  for (;;) {
    // whoever it names is not this database: that was asked before
    rmSync(join(place.cluster, 'postmaster.pid'), { force: true })
    const ended = spawnServer(join(bin, 'postgres'), args, place)
    const said = await Promise.race([ended, answers(place, deadline).then(() => null)])
    if (said === null) return
    // the last server's children may need a moment to let go of its memory
    if (!said.includes('shared memory block') || Date.now() > deadline) {
      throw new LaunchError(`PostgreSQL in ${place.cluster} did not start: ${said.trim().slice(-500)}`)
    }
    await pause(300)
  }
}

/** resolves with the end of its log when the server ends */
function spawnServer (program: string, args: string[], place: Place): Promise<string> {
  const log = openSync(place.log, 'a', 0o600)
  const from = statSync(place.log).size
  const child = spawn(program, args, {
    ...asUser(place.as, dirname(place.cluster)), detached: true, stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  return new Promise((resolve) => {
    child.once('error', (error) => { resolve(error.message) })
    child.once('exit', () => { resolve(existsSync(place.log) ? readFileSync(place.log).subarray(from).toString('utf8') : '') })
  })
}

/** the process of the server that runs in this folder; null: none, whatever a file left behind says */
function runningPid (cluster: string): number | null {
  const file = join(cluster, 'postmaster.pid')
  if (!existsSync(file)) return null
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
  return Number.isInteger(pid) && pid > 1 && commandOf(pid).includes(cluster) ? pid : null
}

/** the command line of a process, empty: there is none */
function commandOf (pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    // it has ended
    return ''
  }
}

function urlOf (place: Place, database: string): string {
  const password = readFileSync(place.passwordFile, 'utf8').trim()
  const host = place.sockets === null
    ? `127.0.0.1:${readFileSync(place.portFile, 'utf8').trim()}`
    : encodeURIComponent(place.sockets)
  return `postgres://${USER}:${password}@${host}/${database}`
}

/** false: none runs there. One that is just ending, killed with the gateway before this one, is none. */
async function answersAlready (place: Place, deadline: number): Promise<boolean> {
  const pid = runningPid(place.cluster)
  return pid !== null && await answers(place, deadline, () => runningPid(place.cluster) !== pid)
}

/** waits until it answers; false: it never will */
async function answers (place: Place, deadline: number, hasEnded = () => false): Promise<boolean> {
  for (;;) {
    try {
      await query(urlOf(place, 'postgres'), 'select 1')
      return true
    } catch (error) {
      if (hasEnded()) return false
      if (Date.now() > deadline) {
        const said = (error as Error).message
        throw new LaunchError(`PostgreSQL in ${place.cluster} does not answer (${said}); see ${place.log}`, { cause: error })
      }
      await pause(25)
    }
  }
}

/** that of the ledger */
async function ensureDatabase (place: Place): Promise<void> {
  await query(urlOf(place, 'postgres'), `create database ${DATABASE}`).catch((error: unknown) => {
    const there = error instanceof pg.DatabaseError && (error.code === '42P04' || error.code === '23505')
    if (!there) throw error
  })
}

async function query (url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  // a connection that breaks later is told by the query too
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(sql)
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function stop (place: Place, pid: number): Promise<void> {
  if (runningPid(place.cluster) !== pid) return
  process.kill(pid, 'SIGINT')
  const deadline = Date.now() + 30_000
  while (commandOf(pid).includes(place.cluster)) {
    if (Date.now() > deadline) throw new LaunchError(`PostgreSQL (process ${pid}) does not stop; see ${place.log}`)
    await pause(20)
  }
}

function freePort (wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => {
      if (wanted === 0) reject(error)
      else resolve(freePort(0))
    })
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => { resolve(port) })
    })
  })
}

function pause (ms: number): Promise<void> { return new Promise((resolve) => { setTimeout(resolve, ms) }) }
