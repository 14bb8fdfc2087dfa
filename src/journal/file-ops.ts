import * as fs from 'node:fs'
import { promisify } from 'node:util'
import { type FolderLock, lockFolder } from './lock.ts'

/**
 * All that the journal does with files, so that a test can make it fail, and lose what a machine that stops would lose.
 * What is made, renamed or removed survives the machine once its folder was synced, what is written once its file was.
 */
export interface FileOps {
  /** creates the file; fails if it exists */
  create (path: string): number
  /** may write less than it was given */
  write (fd: number, bytes: Buffer, from: number, length: number, position: number): number
  truncate (fd: number, length: number): void
  datasync (fd: number): Promise<void>
  /** the same, done when it returns */
  datasyncNow (fd: number): void
  read (path: string, offset: number, length: number): Buffer
  openToRead (path: string): Promise<ReadableFile>
  remove (path: string): Promise<void>
  removeNow (path: string): void
  close (fd: number): void
  /** with all above it; nothing happens where it is there */
  makeFolder (path: string): void
  /** names of what is in it */
  list (folder: string): string[]
  syncFolder (path: string): void
  syncFolderSoon (path: string): Promise<void>
  has (path: string): boolean
  /** bytes */
  size (path: string): number
  text (path: string): string
  /** a line behind the last one, which a crash may have cut short; on stable storage when it returns */
  appendLine (path: string, line: string): void
  /** it has its old content or the new one, whole, whatever happens meanwhile */
  replace (folder: string, path: string, content: string): void
  move (from: string, to: string): void
  /** throws JournalLockedError where another process has it */
  lock (folder: string, now: number): FolderLock
}

export interface ReadableFile {
  read (buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  close (): Promise<void>
}

const datasync = promisify(fs.fdatasync)

export const systemFileOps: FileOps = {
  create: (path) => fs.openSync(path, 'wx', 0o600),
  write: (fd, bytes, from, length, position) => fs.writeSync(fd, bytes, from, length, position),
  truncate: (fd, length) => { fs.ftruncateSync(fd, length) },
  datasync: (fd) => datasync(fd),
  datasyncNow: (fd) => { fs.fdatasyncSync(fd) },
  read: readAt,
  openToRead: (path) => fs.promises.open(path, 'r'),
  remove: (path) => fs.promises.unlink(path),
  removeNow: (path) => { fs.unlinkSync(path) },
  close: (fd) => { fs.closeSync(fd) },
  makeFolder: (path) => { fs.mkdirSync(path, { recursive: true, mode: 0o700 }) },
  list: (folder) => fs.readdirSync(folder),
  syncFolder,
  syncFolderSoon,
  has: (path) => fs.existsSync(path),
  size: (path) => fs.statSync(path).size,
  text: (path) => fs.readFileSync(path, 'utf8'),
  appendLine,
  replace: replaceFile,
  move: (from, to) => { fs.renameSync(from, to) },
  lock: lockFolder,
}

const NEWLINE = 0x0a

function readAt (path: string, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const fd = fs.openSync(path, 'r')
  try {
    return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, offset))
  } finally {
    fs.closeSync(fd)
  }
}

/** Makes creations, renames and removals in a folder survive the machine. Windows has no such call and needs none. */
function syncFolder (path: string): void {
  if (process.platform === 'win32') return
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** The same in the background. */
async function syncFolderSoon (path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await fs.promises.open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function appendLine (path: string, line: string): void {
  const fd = fs.openSync(path, 'a+', 0o600)
  try {
    fs.writeSync(fd, `${endsInside(fd) ? '\n' : ''}${line}\n`)
    fs.fdatasyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function endsInside (fd: number): boolean {
  const { size } = fs.fstatSync(fd)
  if (size === 0) return false
  const last = Buffer.alloc(1)
  fs.readSync(fd, last, 0, 1, size - 1)
  return last[0] !== NEWLINE
}

function replaceFile (folder: string, path: string, content: string): void {
  const draft = `${path}.draft`
  const fd = fs.openSync(draft, 'w', 0o600)
  try {
    fs.writeFileSync(fd, content)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  fs.renameSync(draft, path)
  syncFolder(folder)
}
