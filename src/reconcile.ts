import { join } from 'node:path'
import { holdChange } from './access/audit.ts'
import { describeDrift, isDerived, isRepairable, type Drift } from './auditor/drift.ts'
import { changer, changing, requireSchema, withUrl, type Change } from './beside.ts'
import { type Config, ConfigError } from './config.ts'
import { lockFolder } from './journal/lock.ts'
import { dropSetAside, readSetAside, type SetAsideEvent } from './journal/set-aside.ts'
import { formatNano } from './money/amount.ts'
import { allAccounts, driftsOf, knownDrifts } from './stores/postgres/auditor-books.ts'
import { PostgresAuthority } from './stores/postgres/authority.ts'
import { Database } from './stores/postgres/pool.ts'

/**
 * What is not as it should be, and its repair: gateways that do not answer, usage events that were set aside, holds
 * past their deadline that no gateway has charged, figures that do not agree. Nothing is changed unless that is asked
 * for; each repair is one transaction with its entry in the audit log.
 */
export interface ReconcileOptions {
  apply: boolean
  /** every account is compared with its records, and not only those of which something is known to be wrong */
  all: boolean
}

type Say = (text: string) => void

/** an account of millions of records is read by one statement */
const STATEMENT_MS = 600_000
const AT_ONCE = 100

export async function reconcile (config: Config, options: ReconcileOptions, say: Say): Promise<void> {
  await withUrl(config, async (url) => {
    await listLostGateways(url, say)
    const database = new Database({
      connectionString: url, applicationName: 'relaycore reconcile', max: 1, statementTimeoutMs: STATEMENT_MS,
    })
    try {
      await requireSchema(database)
      const change = options.apply ? changer(database) : null
      const found = [
        await setAsideEvents(config, change, say),
        await overdueHolds(database, change, say),
        await drifts(database, options.all, change, say),
      ]
      if (change === null && found.some((some) => some)) say('Nothing was changed. --apply does what is said to be done with it.')
    } finally {
      await database.close()
    }
  })
}

export async function writeOff (config: Config, gateway: string, say: Say): Promise<void> {
  if (!/^\d{1,15}$/.test(gateway)) throw new ConfigError(`--write-off must be the number of a gateway; got ${gateway}`)
  const written = await changing(config, async ({ gateways }) => await gateways.writeOff(Number(gateway)))
  for (const { accountId, amountNano } of written) {
    say(`account ${accountId}: ${formatNano(amountNano)} counted as spent`)
  }
}

/** what was given out behind the backup is passed over, so that journals and Redis mean nothing else by it */
export async function restored (config: Config, say: Say): Promise<void> {
  await changing(config, async ({ repairs }) => { await repairs.restored() })
  say('The database is ready for gateways that know more than it does. Start each on its own data folder, one after the ' +
    'other, before calls come; then see `relaycore doctor` and `relaycore reconcile --all`.')
}

async function listLostGateways (url: string, say: Say): Promise<void> {
  const authority = new PostgresAuthority({ connectionString: url, applicationName: 'relaycore cli' })
  try {
    const found = await authority.gateways()
    if (found.length === 0) say('Every gateway that has leased something answers.')
    for (const { incarnation, host, state, since, accounts } of found) {
      say(`gateway ${incarnation} on ${host}: ${state}, silent since ${new Date(since).toISOString()}, ` +
        `with leases on ${accounts} account(s). Start it again on its journal; if that is lost: --write-off ${incarnation}`)
    }
  } finally {
    await authority.close()
  }
}

/** of the journal in the data folder; a gateway tries them again at its start, which may be long ago */
async function setAsideEvents ({ dataDir }: Config, change: Change | null, say: Say): Promise<boolean> {
  const folder = join(dataDir, 'journal')
  const { events, unreadable } = readSetAside(folder)
  for (const line of unreadable) say(`line ${line} of ${join(folder, 'set-aside.jsonl')} cannot be read: it stays there`)
  const recorded: string[] = []
  for (const one of events) {
    const what = `event ${one.event.opening.id} of gateway ${one.incarnation}, set aside because: ${one.reason}`
    if (change === null) say(`${what}: is to be recorded`)
    else if (await isRecorded(one, change, (says) => { say(`${what}: ${says}`) })) recorded.push(one.event.opening.id)
  }
  if (recorded.length > 0) dropWhereFree(folder, recorded, say)
  return events.length > 0
}

async function isRecorded ({ incarnation, event }: SetAsideEvent, change: Change, says: Say): Promise<boolean> {
  try {
    const first = await change(async ({ repairs }) => await repairs.record(incarnation, event))
    says(first ? 'recorded' : 'is recorded already')
    return true
  } catch (error) {
    says(`is still refused: ${(error as Error).message}`)
    return false
  }
}

/** beside a gateway its file is its own */
function dropWhereFree (folder: string, ids: string[], say: Say): void {
  try {
    const lock = lockFolder(folder, Date.now())
    try {
      dropSetAside(folder, ids)
    } finally {
      lock.release()
    }
  } catch (error) {
    say(`${(error as Error).message} Its next start finds that they are recorded.`)
  }
}

async function overdueHolds (database: Database, change: Change | null, say: Say): Promise<boolean> {
  const rows = await database.query<OverdueRow>({ text: OVERDUE })
  for (const { id, expires_at: at, amount_nano: nano, currency } of rows) {
    say(`hold ${id}: past its deadline since ${at.toISOString()}, is ${change === null ? 'to be ' : ''}charged at ` +
      `${formatNano(BigInt(nano))} ${currency} and marked uncertain`)
  }
  if (change === null) return rows.length > 0
  const expire = async () => await change(async ({ holds, audit }) => {
    const over = await holds.expire(AT_ONCE)
    for (const hold of over) audit.note(holdChange('expired', { state: 'open' }, hold))
    return over.length
  })
  while (await expire() >= AT_ONCE);
  return rows.length > 0
}

async function drifts (
  database: Database, all: boolean, change: Change | null, say: Say
): Promise<boolean> {
  const known = async () => [...new Set((await knownDrifts(database)).map(({ accountId }) => accountId))]
  const accounts = await (all ? allAccounts(database) : known())
  let found = 0
  for (const accountId of accounts) {
    const wrong = await driftsOf(database, [accountId])
    found += wrong.length
    for (const drift of wrong) say(`${describeDrift(drift)}: ${change === null ? toBeDone(drift) : 'was wrong'}`)
    if (change === null) continue
    if (wrong.some((drift) => !isDerived(drift) && isRepairable(drift))) {
      await change(async ({ repairs }) => await repairs.healAccount(accountId))
    }
    if (wrong.some(isDerived)) await change(async ({ repairs }) => await repairs.healDerived(accountId))
    for (const drift of await driftsOf(database, [accountId])) say(`${describeDrift(drift)}: ${toBeDone(drift)}`)
  }
  const looked = all ? `${accounts.length} accounts compared with their records` : 'as far as the auditor has looked'
  if (found === 0) say(`The ledger agrees with itself (${looked}).`)
  return found > 0
}

function toBeDone (drift: Drift): string {
  if (isRepairable(drift)) return 'is to be put right'
  return 'nothing repairs this: it is what all else is made of; correct it by recording the difference'
}

interface OverdueRow { id: string, expires_at: Date, amount_nano: string, currency: string }

const OVERDUE = `
  select h.id, h.expires_at, h.amount_nano, h.currency from long_holds h
  where h.state = 'open' and h.expires_at <= clock_timestamp() order by h.expires_at limit 1000`
