import { type LockOwner } from '../journal/lock.ts'
import { ok, problem, warning, type Finding } from './finding.ts'

export interface DiskFacts {
  folder: string
  exists: boolean
  /** why nothing can be written, or what is there cannot be seen; null: it can */
  refused: string | null
  /** bytes that this user may still write */
  free: number
  /** the kind of file system, by its number in statfs(2) */
  fileSystem: number
  /** rights of others than the owner */
  open: boolean
  /** or why it cannot be read; null: there is none */
  journal: JournalFacts | string | null
}

export interface JournalFacts {
  /** who has it; 'nobody', or 'somebody' who has not said who */
  owner: LockOwner | 'nobody' | 'somebody'
  bytes: number
  /** process lives that are not known to have ended in order, with all their calls recorded */
  lives: number
  setAside: number
  unreadable: number
  /** files of lives that could not be read whole */
  kept: number
}

const ABOUT = 'data folder'
const AS_ITS_USER = 'run this as the user that the gateway runs as (`sudo -u`, `docker exec`): what waits there is not known'
const LOW = 2 ** 30
const LOWEST = 100 * 2 ** 20

/** what a crash of the machine, or of the container, takes with it or never had */
const FILE_SYSTEMS: Record<number, { name: string, wrong: string, level: 'warning' | 'problem' }> = {
  0x01021994: { name: 'tmpfs', wrong: 'it is in memory: what it holds is gone with the machine', level: 'problem' },
  0x858458f6: { name: 'ramfs', wrong: 'it is in memory: what it holds is gone with the machine', level: 'problem' },
  0x794c7630: { name: 'overlay', wrong: 'it is a layer of a container: what it holds is gone with the container', level: 'warning' },
  0x6969: { name: 'NFS', wrong: 'its locks and its fsync are those of a server elsewhere', level: 'warning' },
  0xff534d42: { name: 'CIFS', wrong: 'its locks and its fsync are those of a server elsewhere', level: 'warning' },
  0xfe534d42: { name: 'SMB', wrong: 'its locks and its fsync are those of a server elsewhere', level: 'warning' },
}

export function judgeDisk (facts: DiskFacts): Finding[] {
  const { folder, exists, refused, free, fileSystem, open, journal } = facts
  if (!exists && refused !== null) return [problem(ABOUT, `${folder} cannot be looked into: ${refused}`, AS_ITS_USER)]
  if (!exists) {
    return [warning(ABOUT, `${folder} is not there: no gateway has ever started on it`,
      'start the gateway once, or set RELAYCORE_DATA_DIR to the folder that it uses')]
  }
  const found: Finding[] = []
  if (refused === null) found.push(ok(ABOUT, `${folder} can be written`))
  else found.push(problem(ABOUT, `${folder} cannot be written: ${refused}`, 'no call is forwarded without a journal: give this user the right to write there'))
  const left = `${Math.floor(free / 2 ** 20)} MiB are free`
  if (free >= LOW) found.push(ok(ABOUT, left))
  else {
    const judge = free < LOWEST ? problem : warning
    found.push(judge(ABOUT, left, 'make room: once the journal cannot be written, no call is forwarded'))
  }
  const kind = FILE_SYSTEMS[fileSystem]
  if (kind === undefined) found.push(ok(ABOUT, 'its file system outlives the process'))
  else {
    const judge = kind.level === 'problem' ? problem : warning
    found.push(judge(ABOUT, `its file system is ${kind.name}: ${kind.wrong}`,
      'put the data folder on a disk of this machine, or on a volume of its own: the calls that PostgreSQL does not have yet are in it'))
  }
  if (open) {
    found.push(warning(ABOUT, 'others than its owner may read it', `chmod o-rwx ${folder}: the journal names keys, users and costs of calls`))
  }
  if (journal === null) return found
  if (typeof journal !== 'string') return [...found, ...judgeJournal(folder, journal)]
  return [...found, problem('journal', `${folder}/journal cannot be read: ${journal}`, AS_ITS_USER)]
}

function judgeJournal (folder: string, journal: JournalFacts): Finding[] {
  const { owner, bytes, lives, setAside, unreadable, kept } = journal
  const about = 'journal'
  const found: Finding[] = []
  if (owner === 'nobody') {
    if (lives === 0) found.push(ok(about, 'no gateway runs on it, and nothing waits in it'))
    else {
      found.push(problem(about, `${lives} process lives ended on it that are not recorded`,
        'start a gateway on this data folder: until then what they had leased is in doubt'))
    }
  } else if (owner === 'somebody') found.push(ok(about, 'another process has it'))
  else found.push(ok(about, `process ${owner.pid} on ${owner.host} has it since ${owner.startedAt}; ${bytes} bytes`))
  if (setAside > 0) {
    found.push(problem(about, `${setAside} usage events were refused by PostgreSQL and set aside`,
      'find out why (`relaycore reconcile` says what PostgreSQL said), then `relaycore reconcile --apply`'))
  }
  if (unreadable > 0) {
    found.push(problem(about, `${unreadable} lines of set-aside.jsonl cannot be read`, `look at them in ${folder}/journal: they are money`))
  }
  if (kept > 0) {
    found.push(warning(about, `${kept} files of journals that were not read whole are kept`,
      `look at ${folder}/journal/kept: the rest of those leases stays in doubt until it is written off`))
  }
  return found
}
