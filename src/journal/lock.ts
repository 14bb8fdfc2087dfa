import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { tryLock, unlock } from 'fs-native-extensions'

/**
 * One journal has one living owner. The operating system holds the lock on an open file, so it dies with its process,
 * however that ends; it is seen through container borders, since it belongs to the file and not to a process id. The
 * lock file is never replaced or removed: two starters would otherwise lock two different files of one name.
 *
 * What the file says about its owner is for people only; the lock alone decides.
 */
export interface FolderLock {
  release (): void
}

export interface LockOwner {
  pid: number
  host: string
  startedAt: string
}

export class JournalLockedError extends Error {
  readonly code = 'journal_locked'
  /** null: the owner has not yet written who it is */
  readonly owner: LockOwner | null

  constructor (folder: string, owner: LockOwner | null) {
    const who = owner === null
      ? 'another process'
      : `process ${owner.pid} on ${owner.host}, which runs since ${owner.startedAt}`
    super(`The journal in ${folder} is in use by ${who}. Stop that process, or give this one a data folder of its own.`)
    this.owner = owner
  }
}

export class JournalLockError extends Error {
  readonly code = 'journal_lock_failed'
}

/** Windows forbids reading what is locked, so the lock lies far behind the text; macOS locks whole files only. */
const RANGE = process.platform === 'win32' ? [2 ** 30, 1] as const : [0, 0] as const

export function lockFolder (folder: string, now: number): FolderLock {
  const path = join(folder, 'lock')
  const fd = openLock(path, folder)
  try {
    if (!take(fd, folder)) throw new JournalLockedError(folder, readOwner(path))
    sign(fd, { pid: process.pid, host: hostname(), startedAt: new Date(now).toISOString() })
  } catch (error) {
    closeSync(fd)
    throw error
  }
  let held = true
  return {
    release () {
      if (!held) return
      held = false
      ftruncateSync(fd, 0)
      unlock(fd, ...RANGE)
      closeSync(fd)
    },
  }
}

function openLock (path: string, folder: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  } catch (error) {
    throw cannotLock(folder, error as Error)
  }
}

function take (fd: number, folder: string): boolean {
  try {
    return tryLock(fd, ...RANGE)
  } catch (error) {
    throw cannotLock(folder, error as Error)
  }
}

function cannotLock (folder: string, cause: Error): JournalLockError {
  return new JournalLockError(`The journal folder ${folder} cannot be locked: ${cause.message}`, { cause })
}

function sign (fd: number, owner: LockOwner): void {
  ftruncateSync(fd, 0)
  writeSync(fd, JSON.stringify(owner) + '\n', 0)
}

function readOwner (path: string): LockOwner | null {
  try {
    const owner: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof owner !== 'object' || owner === null) return null
    const { pid, host, startedAt } = owner as Partial<LockOwner>
    return pid === undefined || host === undefined || startedAt === undefined ? null : { pid, host, startedAt }
  } catch {
    // The owner took the lock and is about to write its name, or the text is no JSON: there is nobody to name.
    return null
  }
}
