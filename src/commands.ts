import { parseArgs } from 'node:util'
import { formatLink, GENESIS, parseLink, type Link } from './access/audit-chain.ts'
import { changing, connected, hasDatabase, withUrl } from './beside.ts'
import { systemNow } from './clock.ts'
import { type Config, ConfigError, describeSettings, loadConfig } from './config.ts'
import { diagnose } from './diagnose.ts'
import { problem, type Finding, type Level } from './doctor/finding.ts'
import { AdminTokens } from './keys/admin-tokens.ts'
import { IDENTITY_HEADERS, type IdentityHeader } from './keys/key.ts'
import { createKey } from './keys/key.ts'
import { checkPrices } from './pricing/check.ts'
import { LivePrices } from './pricing/live-prices.ts'
import { catalogWith, pricesAt } from './pricing/price-overlay.ts'
import { namingsOf } from './providers/configured.ts'
import { forget } from './forget.ts'
import { reconcile, restored, writeOff } from './reconcile.ts'
import { PostgresAuditLog } from './stores/postgres/audit-log.ts'
import { grantGateway } from './stores/postgres/grants.ts'
import { migrate } from './stores/postgres/migrate.ts'
import { PostgresPriceStore } from './stores/postgres/price-store.ts'
import { VERSION } from './version.ts'

const HELP = `relaycore: a budget gateway for AI spend

  relaycore start                 start the gateway
  relaycore migrate               bring the database to the schema of this program
      [--grant <role>]            and let this role of PostgreSQL do what a gateway needs, and no more
  relaycore keys create           make a gateway key
      --name <text> --organization <id> [--team <id>] [--project <id>] [--user <id>]
      [--allow-headers user,team,project,session,tags] [--require-headers ...]
  relaycore admin-token rotate    a new administrator's token; all others of administrators end
  relaycore doctor                what is wrong with this deployment, and what to do; ends with 1 at problems
      [--json]                    for programs
      [--call]                    and whether each provider that has a credential can be reached; nothing is spent
  relaycore reconcile             what is not as it should be: gateways that do not answer and have leased something, events
                                  that were set aside, holds past their deadline, figures that do not agree; changes nothing
      [--apply]                   and puts it right, but for gateways
      [--all]                     reads the records of every account, however long it takes
      [--restored]                once, behind a restore of the database from a backup and before a gateway starts
      [--write-off <gateway>]     count what that gateway has leased as spent, if it will not come back
  relaycore forget --user <id>    what is stored of a user; changes nothing
      [--apply]                   and gives them a name that leads to nobody: sums, records and budgets stay as they are
  relaycore audit verify          look for entries of the audit log that were altered, removed or moved
      [--expect <seq>:<hash>]     a link of its chain that was kept elsewhere; may be given several times
      [--after <seq>:<hash>]      begin behind this entry, where those up to it are archived
  relaycore prices check          prices that are old, and names of models in the settings that have none
      [--against <file>]          and what a file of prices has otherwise: ours, LiteLLM's or models.dev's
      [--days <number>]           old: not looked at for so long (90)
  relaycore --help, --version

  --config <file>                 a .json or .yaml file with settings

Commands work beside a running gateway, with the same settings.

Settings (environment variable, name in a file, meaning):
${describeSettings()}
`

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  config: { type: 'string' },
  name: { type: 'string' },
  organization: { type: 'string' },
  team: { type: 'string' },
  project: { type: 'string' },
  user: { type: 'string' },
  'allow-headers': { type: 'string' },
  'require-headers': { type: 'string' },
  'write-off': { type: 'string' },
  json: { type: 'boolean' },
  call: { type: 'boolean' },
  restored: { type: 'boolean' },
  apply: { type: 'boolean' },
  all: { type: 'boolean' },
  expect: { type: 'string', multiple: true },
  after: { type: 'string' },
  grant: { type: 'string' },
  against: { type: 'string' },
  days: { type: 'string' },
} as const

type Values = ReturnType<typeof parse>['values']

function parse (args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true })
  } catch (error) {
    // what Node says is as good, but for what it adds about arguments that begin with a dash
    const [said = ''] = (error as Error).message.split('. ')
    throw new ConfigError(`${said}. \`relaycore --help\` names all options.`)
  }
}

/** Where a command speaks: what was asked for, and what is to be known beside it. */
export interface Speech {
  say (text: string): void
  warn (text: string): void
}

/** `start` is of the process: it lives on, and signals end it. */
export type Start = (config: Config, values: Values, speech: Speech) => Promise<number>

/** Runs what the arguments ask for; answers the exit code, throws what is told in one sentence. */
export async function runCommand (
  args: string[], env: Record<string, string | undefined>, speech: Speech, start: Start
): Promise<number> {
  const { values, positionals } = parse(args)
  const command = positionals.join(' ')
  if (values.version === true) { speech.say(VERSION); return 0 }
  if (values.help === true || command === '' || command === 'help') { speech.say(HELP); return 0 }
  if (command === 'doctor') return await doctor(env, values, speech)
  const run = command === 'start' ? start : COMMANDS[command]
  if (run === undefined) {
    const longer = Object.keys(COMMANDS).filter((name) => name.startsWith(`${command} `))
    const meant = longer.length > 0 ? `, but ${longer.map((name) => `"${name}"`).join(' and ')}` : ''
    throw new ConfigError(`There is no command "${command}"${meant}. \`relaycore --help\` names them all.`)
  }
  return await run(values.config === undefined ? loadConfig(env) : loadConfig(env, values.config), values, speech)
}

/** also of settings that no other command takes */
async function doctor (
  env: Record<string, string | undefined>, { config, json, call = false }: Values, { say }: Speech
): Promise<number> {
  let findings: Finding[]
  try {
    findings = await diagnose(config === undefined ? loadConfig(env) : loadConfig(env, config), { call })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    findings = [problem('settings', error.message, 'correct it: nothing starts with it')]
  }
  const counted = (level: Level) => findings.filter((one) => one.level === level).length
  const [problems, warnings] = [counted('problem'), counted('warning')]
  if (json === true) say(JSON.stringify({ problems, warnings, findings }, null, 2))
  else {
    for (const { level, about, says, todo } of findings) {
      say(`${level.padEnd(8)} ${about}: ${says}${todo === null ? '' : `\n         -> ${todo}`}`)
    }
    say(`${problems} problems, ${warnings} warnings`)
  }
  return problems > 0 ? 1 : 0
}

const COMMANDS: Record<string, (config: Config, values: Values, speech: Speech) => Promise<number>> = {
  migrate: async (config, { grant }, { say }) => {
    await withUrl(config, async (url) => {
      const { version, applied } = await migrate(url, { say })
      if (grant !== undefined) await grantGateway(url, grant)
      say(applied.length === 0 ? `The schema is up to date (version ${version})` : `Applied: ${applied.join(', ')}`)
      if (grant !== undefined) say(`Role ${grant} may do what a gateway of this version needs, and no more`)
    })
    return 0
  },
  'keys create': async (config, values, { say }) => {
    const { name, organization, team = null, project = null, user = null } = values
    if (name === undefined || organization === undefined) {
      throw new ConfigError('keys create needs --name and --organization')
    }
    const allowHeaders = headersOf('--allow-headers', values['allow-headers'])
    const requireHeaders = headersOf('--require-headers', values['require-headers'])
    const { key, secret } = await changing(config, async ({ keys }) =>
      await createKey(keys, {
        name,
        organizationId: organization,
        teamId: team,
        projectId: project,
        userId: user,
        allowHeaders,
        requireHeaders,
      }))
    say(`${secret}\n\nkey ${key.id} for organization ${organization}; it is not shown again`)
    return 0
  },
  'audit verify': async (config, values, { say }) => {
    const expected = (values.expect ?? []).map((text) => linkOf('--expect', text))
    const anchor = values.after === undefined ? GENESIS : linkOf('--after', values.after)
    const { entries, last, broken } = await withUrl(config, async (url) => await connected(url, (database) =>
      new PostgresAuditLog(database).verify(expected, anchor)))
    if (broken !== null) {
      say(`entry ${broken.seq} ${broken.why}. The ${entries} before it fit together, up to ${formatLink(last)}`)
      return 1
    }
    say(`${entries} entries, all in order. The last one is ${formatLink(last)}`)
    return 0
  },
  'prices check': async (config, { against, days = '90' }, { say, warn }) => {
    if (!/^\d{1,5}$/.test(days)) throw new ConfigError(`--days must be a number of days; got ${days}`)
    const prices = new LivePrices(catalogWith(config.prices, {
      info: () => undefined, warn: (details, message) => { warn(textOf(details, message)) },
    }))
    const overrides = hasDatabase(config)
      ? await withUrl(config, async (url) => await connected(url, (database) =>
        new PostgresPriceStore(database).all()))
      : []
    prices.replace(overrides, ({ provider, model }, { message }) => { warn(textOf({}, `${provider}/${model} was left out: ${message}`)) })
    const findings = checkPrices({
      catalog: prices.catalog,
      prices,
      namings: namingsOf(config),
      against: against === undefined ? null : { file: pricesAt(against, '--against'), name: against },
      now: systemNow(),
      days: Number(days),
    })
    for (const { kind, where, says } of findings) say(`${kind.padEnd(8)} ${where}: ${says}`)
    const models = prices.providers.reduce((sum, provider) => sum + prices.list(provider, systemNow()).length, 0)
    say(`${models} models of ${prices.providers.length} providers, ${findings.length === 0 ? 'nothing' : findings.length} to look at`)
    return findings.length === 0 ? 0 : 1
  },
  reconcile: async (config, values, { say }) => {
    const gateway = values['write-off']
    if (gateway !== undefined) await writeOff(config, gateway, say)
    else if (values.restored === true) await restored(config, say)
    else await reconcile(config, { apply: values.apply === true, all: values.all === true }, say)
    return 0
  },
  forget: async (config, { user, apply = false }, { say }) => {
    if (user === undefined || user === '') throw new ConfigError('forget needs --user <id>')
    await forget(config, user, apply, say)
    return 0
  },
  'admin-token rotate': async (config, _values, { say }) => {
    const token = await changing(config, async ({ tokens }) =>
      await new AdminTokens({ store: tokens }).rotate('admin-token rotate'))
    const beside = config.adminToken === undefined ? '' : ', beside RELAYCORE_ADMIN_TOKEN'
    say(`${token}\n\nthe only administrator's token from now on${beside}; it is not shown again`)
    return 0
  },
}

function linkOf (option: string, text: string): Link {
  const link = parseLink(text)
  if (link === null) throw new ConfigError(`${option} must be a number and 64 hex digits, like 12:9f86…; got ${text}`)
  return link
}

function headersOf (option: string, value: string | undefined): IdentityHeader[] {
  return (value ?? '').split(',').filter((name) => name !== '').map((name) => {
    const header = IDENTITY_HEADERS.find((one) => one === name.trim())
    if (header === undefined) throw new ConfigError(`${option} must be a list of ${IDENTITY_HEADERS.join(', ')}; got ${name}`)
    return header
  })
}

function textOf (details: object, message: string): string { return `${message} ${JSON.stringify(details)}` }
