import { basename, dirname } from 'node:path'
import { type FileOps } from '../../src/journal/file-ops.ts'
import { type FolderLock, JournalLockedError } from '../../src/journal/lock.ts'
import { type Random } from '../random.ts'

/**
 * The disk of one machine, as its operating system shows it and as it would be after a power cut: what was written
 * survives every process; only what was synced survives the machine, of the rest an arbitrary part does. Names are
 * made, changed and removed in order, as file systems with a journal of their own do it.
 */
interface SimFile {
  data: Buffer
  /** of which `data` is the beginning: there the next bytes are written, so that what was there stays as it was */
  room: Buffer
  /** as a power cut leaves it for certain */
  stable: Buffer
  /** parts that a failed sync may have lost, though later ones succeeded */
  lost: [number, number][]
}

type Entries = Map<string, SimFile>

const NOTHING = Buffer.alloc(0)

/** who uses the disk: told of each thing that it does to the world, by which it may die */
export interface DiskUser {
  readonly dead: boolean
  effect (): boolean
  later (ms: number, run: () => void): void
}

export interface DiskHealth {
  /** no byte more is taken */
  full: boolean
  /** of the bytes that it is given it may take a part */
  shortWrites: boolean
  syncFails: boolean
  /** of one sync, ms */
  syncMs: number
}

export class SimDisk {
  readonly health: DiskHealth = { full: false, shortWrites: false, syncFails: false, syncMs: 2 }
  readonly #random: Random
  #entries: Entries = new Map()
  /** names as they were when the folder was last synced, and what was done since */
  #stable: Entries = new Map()
  #since: ((entries: Entries) => void)[] = []
  #lock: DiskUser | null = null
  /** nothing may be written by whom the machine has left behind */
  #generation = 0

  constructor (random: Random) { this.#random = random }

  get bytes (): number {
    let sum = 0
    for (const { data } of this.#entries.values()) sum += data.length
    return sum
  }

  powerCut (): void {
    const kept = this.#stable
    const done = this.#random.int(0, this.#since.length)
    for (const change of this.#since.slice(0, done)) change(kept)
    for (const file of kept.values()) this.#cut(file)
    this.#entries = kept
    this.#stable = new Map(kept)
    this.#since = []
    this.#lock = null
    this.#generation++
  }

  /** a whole sync: what there is now stays */
  #cut (file: SimFile): void {
    const { data, stable } = file
    let same = 0
    while (same < data.length && same < stable.length && data[same] === stable[same]) same++
    const way = this.#random.int(0, 3)
    if (way === 0) file.data = Buffer.from(stable)
    else {
      const length = this.#random.int(same, data.length)
      const rest = way === 1 ? Buffer.alloc(this.#random.int(0, data.length - length)) : Buffer.alloc(0)
      file.data = Buffer.concat([data.subarray(0, Math.max(length, Math.min(stable.length, data.length))), rest])
    }
    for (const [from, to] of file.lost) {
      if (this.#random.chance(0.5)) file.data.fill(0, from, Math.min(to, file.data.length))
    }
    file.lost = []
    file.stable = Buffer.from(file.data)
  }

  /** the files as one process sees them, until it is dead */
  files (user: DiskUser): FileOps {
    const open = new Map<number, SimFile>()
    let nextFd = 1
    const generation = this.#generation
    const act = (): void => {
      if (user.dead || generation !== this.#generation || !user.effect()) throw new Error('the process is dead')
    }
    const fileOf = (fd: number): SimFile => {
      const file = open.get(fd)
      if (file === undefined) throw new Error(`no open file ${fd}`)
      return file
    }
    const named = (path: string): SimFile => {
      const file = this.#entries.get(path)
      if (file === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
      return file
    }
    const change = (how: (entries: Entries) => void): void => {
      how(this.#entries)
      this.#since.push(how)
    }
    const sync = (file: SimFile, data: Buffer): Error | null => {
      if (this.health.syncFails) {
        file.lost.push([file.stable.length, data.length])
        return Object.assign(new Error('input/output error'), { code: 'EIO' })
      }
      file.stable = data
      return null
    }
    const syncNow = (file: SimFile): void => {
      const failed = sync(file, file.data)
      if (failed !== null) throw failed
    }
    const syncNames = (): void => {
      this.#stable = new Map(this.#entries)
      this.#since = []
    }
    const write = (file: SimFile, bytes: Buffer, position: number): void => {
      const { data } = file
      const end = position + bytes.length
      if (position !== data.length || data.buffer !== file.room.buffer || end > file.room.length) {
        file.room = Buffer.allocUnsafeSlow(Math.max(1_024, 2 * Math.max(end, data.length)))
        data.copy(file.room)
        file.room.fill(0, data.length, position)
      }
      bytes.copy(file.room, position)
      file.data = file.room.subarray(0, Math.max(end, data.length))
    }
    const create = (path: string): SimFile => {
      const file: SimFile = { data: NOTHING, room: NOTHING, stable: NOTHING, lost: [] }
      change((entries) => { entries.set(path, file) })
      return file
    }
    const noSpace = (): Error => Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    return {
      create: (path) => {
        act()
        if (this.health.full) throw noSpace()
        if (this.#entries.has(path)) throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' })
        open.set(nextFd, create(path))
        return nextFd++
      },
      write: (fd, bytes, from, length, position) => {
        const file = fileOf(fd)
        if (this.health.full && this.#random.chance(0.5)) throw noSpace()
        const short = this.health.full || (this.health.shortWrites && this.#random.chance(0.2))
        const most = short ? this.#random.int(this.health.full ? 0 : 1, length) : length
        try {
          act()
        } catch (error) {
          // it dies amid the write
          const part = this.#random.int(0, most)
          if (generation === this.#generation) write(file, bytes.subarray(from, from + part), position)
          throw error
        }
        write(file, bytes.subarray(from, from + most), position)
        return most
      },
      truncate: (fd, length) => {
        act()
        const file = fileOf(fd)
        file.data = Buffer.from(file.data.subarray(0, length))
      },
      datasync: (fd) => new Promise((resolve, reject) => {
        act()
        const file = fileOf(fd)
        const { data } = file
        user.later(this.#random.latency(this.health.syncMs, 5_000), () => {
          const failed = sync(file, data)
          if (failed === null) resolve()
          else reject(failed)
        })
      }),
      datasyncNow: (fd) => {
        act()
        syncNow(fileOf(fd))
      },
      read: (path, offset, length) => named(path).data.subarray(offset, offset + length),
      openToRead: async (path) => {
        const { data } = named(path)
        return {
          read: async (buffer, offset, length, position) =>
            ({ bytesRead: data.copy(buffer, offset, position, position + length) }),
          close: async () => {},
        }
      },
      remove: (path) => new Promise((resolve) => {
        act()
        user.later(0.1, () => {
          change((entries) => { entries.delete(path) })
          resolve()
        })
      }),
      removeNow: (path) => {
        act()
        change((entries) => { entries.delete(path) })
      },
      close: (fd) => { open.delete(fd) },
      makeFolder: () => {},
      list: (folder) => [...this.#entries.keys()]
        .filter((path) => dirname(path) === folder).map((path) => basename(path)),
      syncFolder: () => {
        act()
        syncNames()
      },
      syncFolderSoon: () => new Promise((resolve) => {
        act()
        user.later(this.#random.latency(this.health.syncMs, 5_000), () => {
          syncNames()
          resolve()
        })
      }),
      has: (path) => this.#entries.has(path),
      size: (path) => named(path).data.length,
      text: (path) => named(path).data.toString(),
      appendLine: (path, line) => {
        act()
        if (this.health.full) throw noSpace()
        const file = this.#entries.get(path) ?? create(path)
        const text = `${file.data.length > 0 && file.data.at(-1) !== 0x0a ? '\n' : ''}${line}\n`
        write(file, Buffer.from(text), file.data.length)
        syncNow(file)
      },
      replace: (_folder, path, content) => {
        act()
        if (this.health.full) throw noSpace()
        const data = Buffer.from(content)
        const file: SimFile = { data, room: NOTHING, stable: data, lost: [] }
        change((entries) => { entries.set(path, file) })
        syncNames()
      },
      move: (from, to) => {
        act()
        const file = named(from)
        change((entries) => {
          entries.delete(from)
          entries.set(to, file)
        })
      },
      lock: (folder): FolderLock => {
        if (this.#lock !== null && !this.#lock.dead) throw new JournalLockedError(folder, null)
        this.#lock = user
        return { release: () => { if (this.#lock === user) this.#lock = null } }
      },
    }
  }
}
