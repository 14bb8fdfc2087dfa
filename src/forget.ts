import { randomUUID } from 'node:crypto'
import { changer, requireSchema, withUrl } from './beside.ts'
import { type Config } from './config.ts'
import { Database } from './stores/postgres/pool.ts'

/** every event is looked at: nothing finds them by user */
const STATEMENT_MS = 3_600_000

/**
 * Data protection: a user's id is replaced wherever it stands by a random name of which nobody keeps whose it is, their
 * keys are revoked, and what their calls say of sessions, requests and descriptions is removed. Amounts, counts and
 * sums stay, so accounts, budgets and reports are as they were.
 */
export async function forget (
  config: Config, user: string, apply: boolean, say: (text: string) => void
): Promise<void> {
  await withUrl(config, async (connectionString) => {
    const database = new Database({
      connectionString, applicationName: 'relaycore forget', max: 1, statementTimeoutMs: STATEMENT_MS,
    })
    try {
      await requireSchema(database)
      const stored = await database.query<{ what: string, stored: string }>({
        text: 'select what, stored from stored_of_user($1)', values: [user],
      })
      for (const { what, stored: count } of stored) say(`${count} ${what}`)
      if (stored.length === 0) say('Nothing is stored that names this user.')
      else if (!apply) say('Nothing was changed. --apply replaces the name in all but the audit log, which is only ever added to.')
      else {
        const as = `forgotten-${randomUUID()}`
        await changer(database)(async ({ repairs }) => { await repairs.forgetUser(user, as) })
        say(`The user is ${as} from now on; nothing says who that was. What stays in the audit log goes with its oldest entries, ` +
          'once they are archived.')
      }
    } finally {
      await database.close()
    }
  })
}
