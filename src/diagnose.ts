import { closeSync, constants, existsSync, openSync, readdirSync, statfsSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { hasDatabase, withUrl } from './beside.ts'
import { systemNow } from './clock.ts'
import { type Config } from './config.ts'
import { judgeDatabase, unreachable, type DatabaseFacts } from './doctor/database.ts'
import { judgeDisk, type DiskFacts, type JournalFacts } from './doctor/disk.ts'
import { problem, warning, type Finding } from './doctor/finding.ts'
import { judgeRedis } from './doctor/redis.ts'
import { judgeSettings, type SettingsFacts } from './doctor/settings.ts'
import { JournalLockedError, lockFolder } from './journal/lock.ts'
import { endedRecorded } from './journal/reading.ts'
import { parseSegmentName } from './journal/segments.ts'
import { readSetAside } from './journal/set-aside.ts'
import { checkPrices } from './pricing/check.ts'
import { LivePrices } from './pricing/live-prices.ts'
import { ownUrl } from './own-url.ts'
import { catalogWith } from './pricing/price-overlay.ts'
import { configuredProviders, namingsOf } from './providers/configured.ts'
import { KeyFile } from './providers/key-file.ts'
import { PostgresAuthority } from './stores/postgres/authority.ts'
import { diagnosePostgres } from './stores/postgres/diagnosis.ts'
import { diagnoseRedis } from './stores/redis/diagnosis.ts'

/** Looks at a deployment by its settings, and judges it. `call`: providers are called too, without a credential. */
export async function diagnose (config: Config, { call }: { call: boolean }): Promise<Finding[]> {
  const database = await databaseFindings(config)
  const redis = config.redisUrl === undefined ? [] : await redisFindings(config.redisUrl)
  const gateways = database.facts?.ledger?.gateways.live ?? 0
  return [
    ...await settingsFindings(config, gateways, call),
    ...judgeDisk(diskFacts(config.dataDir)),
    ...database.findings,
    ...redis,
  ]
}

async function databaseFindings (config: Config): Promise<{ facts: DatabaseFacts | null, findings: Finding[] }> {
  if (!hasDatabase(config)) {
    const none = warning('PostgreSQL', 'DATABASE_URL is not set, and no embedded one is to be seen in the data folder',
      'start the gateway, or set DATABASE_URL')
    return { facts: null, findings: [none] }
  }
  try {
    const facts = await withUrl(config, async (url) => await diagnosePostgres(url, async () => await silent(url)))
    const rateMaxAgeMs = config.ratesMaxAgeHours === 0 ? Infinity : config.ratesMaxAgeHours * 3_600_000
    const terms = { rateMaxAgeMs, auditorMs: config.auditorMs, embedded: config.databaseUrl === undefined }
    return { facts, findings: judgeDatabase(facts, terms) }
  } catch (error) {
    const todo = 'look at DATABASE_URL, and whether the server runs and lets this user in: without it calls go on only from what was leased before'
    return { facts: null, findings: [unreachable('PostgreSQL', (error as Error).message, todo)] }
  }
}

async function silent (url: string) {
  const authority = new PostgresAuthority({ connectionString: url, applicationName: 'relaycore doctor' })
  try {
    return await authority.gateways()
  } finally {
    await authority.close()
  }
}

async function redisFindings (url: string): Promise<Finding[]> {
  const facts = await diagnoseRedis(url)
  if (typeof facts !== 'string') return judgeRedis(facts)
  return [warning('Redis', `it does not answer: ${facts}`, 'look at REDIS_URL; gateways go on without it, a little slower')]
}

async function settingsFindings (config: Config, gateways: number, call: boolean): Promise<Finding[]> {
  try {
    return judgeSettings(await settingsFacts(config, gateways, call))
  } catch (error) {
    return [problem('settings', (error as Error).message, 'correct it: the gateway does not start with it')]
  }
}

async function settingsFacts (config: Config, gateways: number, call: boolean): Promise<SettingsFacts> {
  const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const configured = configuredProviders(config)
  const names = configured.map(({ provider }) => provider.name)
  const keys = config.providerKeys === undefined ? null : await KeyFile.open(config.providerKeys, names, silentLog)
  try {
    const catalog = catalogWith(config.prices, silentLog)
    const prices = new LivePrices(catalog)
    const findings = checkPrices({
      catalog: prices.catalog, prices, namings: namingsOf(config), against: null, now: systemNow(), days: 90,
    })
    const answer = await ask(config.host, config.port, '/readyz')
    const isOurs = answer !== null
    return {
      host: config.host,
      port: config.port,
      adminHost: config.adminHost ?? null,
      adminPort: config.adminPort ?? null,
      metricsToken: config.metricsToken !== undefined,
      behindProxy: config.trustProxy !== undefined,
      hasRedis: config.redisUrl !== undefined,
      gateways,
      providers: await Promise.all(configured.filter(({ provider }) => provider.name !== 'demo').map(async (one) => {
        const { name, needsKey } = one.provider
        const hasKey = one.apiKey !== null || one.sign !== undefined || keys?.has(name) === true
        // those on one's own machines may want none
        const has = one.url !== null && (hasKey || (!needsKey && config.providers?.[name] !== undefined))
        return {
          name,
          configured: has,
          reached: call && has && one.url !== null ? await reach(one.url) : null,
        }
      })),
      ports: isOurs ? [{ port: config.port, is: 'ours' }] : await portsOf(config),
      notReady: answer === null || answer.status === 200 ? null : answer.text,
      oldPrices: new Set(findings.filter(({ kind }) => kind === 'old').map(({ where }) => where)).size,
      missingPrices: findings.filter(({ kind }) => kind === 'missing').map(({ where, says }) => `${where}: ${says}`),
    }
  } finally {
    keys?.close()
  }
}

/** '': it answers, whatever it says */
async function reach (url: string): Promise<string> {
  try {
    const response = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(5_000) })
    await response.body?.cancel()
    return ''
  } catch (error) {
    const { message, cause } = error as Error
    return cause instanceof Error ? `${message} (${cause.message})` : message
  }
}

/** null: no gateway of ours answers there */
async function ask (host: string, port: number, path: string): Promise<{ status: number, text: string } | null> {
  const url = ownUrl(host, port)
  try {
    const health = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) })
    await health.body?.cancel()
    if (health.status !== 200) return null
    const ready = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(2_000) })
    return { status: ready.status, text: (await ready.text()).slice(0, 200) }
  } catch {
    // nobody listens there, or not in HTTP: whether the port is free is looked at next
    return null
  }
}

async function portsOf ({ host, port, adminHost, adminPort }: Config): Promise<SettingsFacts['ports']> {
  const wanted = [{ host, port }, ...adminPort === undefined ? [] : [{ host: adminHost ?? host, port: adminPort }]]
  return await Promise.all(wanted.map(async (one) => ({ port: one.port, is: await listenOn(one) })))
}

async function listenOn ({ host, port }: { host: string, port: number }): Promise<string> {
  return await new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EADDRINUSE' ? 'another program listens there' : error.message)
    })
    server.listen({ host, port }, () => { server.close(() => { resolve('free') }) })
  })
}

function diskFacts (dataDir: string): DiskFacts {
  const absent = { folder: dataDir, exists: false, refused: null, free: 0, fileSystem: 0, open: false, journal: null }
  try {
    if (statSync(dataDir, { throwIfNoEntry: false }) === undefined) return absent
  } catch (error) {
    return { ...absent, refused: (error as Error).message }
  }
  const { bavail, bsize, type } = statfsSync(dataDir)
  return {
    folder: dataDir,
    exists: true,
    refused: refusal(dataDir),
    free: bavail * bsize,
    fileSystem: type,
    open: process.platform !== 'win32' && (statSync(dataDir).mode & 0o006) !== 0,
    journal: seenOf(join(dataDir, 'journal')),
  }
}

/** why nothing can be written; null: it can */
function refusal (folder: string): string | null {
  const probe = join(folder, `.doctor-${process.pid}`)
  try {
    writeFileSync(probe, '', { flag: 'wx', mode: 0o600 })
    unlinkSync(probe)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

function seenOf (folder: string): DiskFacts['journal'] {
  try {
    return statSync(folder, { throwIfNoEntry: false }) === undefined ? null : journalFacts(folder)
  } catch (error) {
    return (error as Error).message
  }
}

function journalFacts (folder: string): JournalFacts {
  const owner = ownerOf(folder)
  const segments = readdirSync(folder).sort().flatMap((name) => {
    const segment = parseSegmentName(name)
    const path = join(folder, name)
    // a gateway that runs lets go of its segments meanwhile
    const bytes = segment === null ? undefined : statSync(path, { throwIfNoEntry: false })?.size
    return segment === null || bytes === undefined ? [] : [{ ...segment, path, bytes }]
  })
  const last = new Map(segments.map(({ incarnation, path }) => [incarnation, path]))
  const { events, unreadable } = readSetAside(folder)
  const kept = join(folder, 'kept')
  return {
    owner,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    lives: owner === 'nobody' ? [...last.values()].filter((path) => !endedRecorded(path)).length : last.size,
    setAside: events.length,
    unreadable: unreadable.length,
    kept: existsSync(kept) ? readdirSync(kept).length : 0,
  }
}

function ownerOf (folder: string): JournalFacts['owner'] {
  const lock = join(folder, 'lock')
  if (!existsSync(lock)) return 'nobody'
  try {
    // as who may not write there would be told of that, and not of who has it
    closeSync(openSync(lock, constants.O_RDWR))
    lockFolder(folder, systemNow()).release()
    return 'nobody'
  } catch (error) {
    return error instanceof JournalLockedError ? error.owner ?? 'somebody' : 'somebody'
  }
}
