import * as fs from 'node:fs'
import { promisify } from 'node:util'

/** The file operations that can fail while the gateway runs, so that a test can make them fail. */
export interface FileOps {
  /** creates the file; fails if it exists */
  create (path: string): number
  /** may write less than it was given */
  write (fd: number, bytes: Buffer, from: number, length: number, position: number): number
  truncate (fd: number, length: number): void
  datasync (fd: number): Promise<void>
  read (path: string, offset: number, length: number): Buffer
  remove (path: string): Promise<void>
  close (fd: number): void
}

const datasync = promisify(fs.fdatasync)

export const systemFileOps: FileOps = {
  create: (path) => fs.openSync(path, 'wx', 0o600),
  write: (fd, bytes, from, length, position) => fs.writeSync(fd, bytes, from, length, position),
  truncate: (fd, length) => { fs.ftruncateSync(fd, length) },
  datasync: (fd) => datasync(fd),
  read: readAt,
  remove: (path) => fs.promises.unlink(path),
  close: (fd) => { fs.closeSync(fd) },
}

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
export function syncFolder (path: string): void {
  if (process.platform === 'win32') return
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** The same in the background. */
export async function syncFolderSoon (path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await fs.promises.open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** The file has its old content or the new one, whole, whatever happens meanwhile. */
export function replaceFile (folder: string, path: string, content: string): void {
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
