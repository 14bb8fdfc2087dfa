import { readFile, stat } from 'node:fs/promises'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import { ConfigError } from '../config.ts'

/** visible ASCII: it goes into a header */
const Key = Type.String({ pattern: '^[\\x21-\\x7e]{1,4096}$' })

const KeyFileSchema = Type.Record(Type.String(), Type.Object({
  apiKey: Type.Optional(Key),
  organizations: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 256 }), Key)),
}, { additionalProperties: false }))

type Keys = Static<typeof KeyFileSchema>

interface Log {
  info (details: object, message: string): void
  error (details: object, message: string): void
}

const LOOK_EVERY_MS = 1_000

/**
 * Keys of providers from a file (JSON or YAML) that may change while the gateway runs: for all, and for organizations
 * of their own. A file that cannot be read any more, or is wrong, changes nothing and is logged; what it says is not.
 */
export class KeyFile {
  readonly #path: string
  readonly #providers: readonly string[]
  readonly #log: Log
  #keys: ReadonlyMap<string, ReadonlyMap<string | null, string>> = new Map()
  /** of the file as it was read last */
  #version = ''
  #looking: Promise<void> = Promise.resolve()
  readonly #timer: NodeJS.Timeout

  /** Throws a ConfigError that names the place and never the value. */
  static async open (path: string, providers: readonly string[], log: Log): Promise<KeyFile> {
    const file = new KeyFile(path, providers, log)
    try {
      // before it is read, so that a change meanwhile is seen
      file.#version = await file.#versionNow()
      file.#keys = await file.#read()
      return file
    } catch (error) {
      file.close()
      throw error
    }
  }

  private constructor (path: string, providers: readonly string[], log: Log) {
    this.#path = path
    this.#providers = providers
    this.#log = log
    this.#timer = setInterval(() => { void this.look() }, LOOK_EVERY_MS).unref()
  }

  /** The organization's own key, else that for all; null: the file has none, and what the settings say counts. */
  keyOf (provider: string, organizationId: string): string | null {
    const keys = this.#keys.get(provider)
    return keys?.get(organizationId) ?? keys?.get(null) ?? null
  }

  /** whether it has a key of this provider for anybody */
  has (provider: string): boolean { return (this.#keys.get(provider)?.size ?? 0) > 0 }

  /** whether it has changed; one look after the other, so that the last one counts */
  look (): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      const version = await this.#versionNow()
      if (version === this.#version) return
      this.#version = version
      try {
        this.#keys = await this.#read()
        this.#log.info({ providers: [...this.#keys.keys()] }, 'the keys of providers were read anew')
      } catch (err) {
        this.#log.error({ err }, 'the keys of providers could not be read anew: those from before are used on')
      }
    })
    return this.#looking
  }

  close (): void { clearInterval(this.#timer) }

  async #versionNow (): Promise<string> {
    const found = await stat(this.#path, { bigint: true }).catch(() => null)
    return found === null ? 'gone' : `${found.ino} ${found.size} ${found.mtimeNs}`
  }

  async #read (): Promise<ReadonlyMap<string, ReadonlyMap<string | null, string>>> {
    const unreadable = (why: string) => new ConfigError(`The file of providers' keys ${this.#path} cannot be read: ${why}`)
    const text = await readFile(this.#path, 'utf8').catch((error: Error) => { throw unreadable(error.message) })
    let content: unknown
    try {
      content = parse(text)
    } catch {
      // the parser's message shows what it stumbled over
      throw unreadable('it is neither JSON nor YAML')
    }
    const [wrong] = Value.Errors(KeyFileSchema, content)
    if (wrong !== undefined) {
      throw new ConfigError(`The file of providers' keys ${this.#path}: ${wrong.instancePath || 'it'} is wrong. It must have, by the name of each ` +
        'provider, apiKey (a key) and organizations (keys by organization id), or one of them.')
    }
    const keys = content as Keys
    const unknown = Object.keys(keys).find((name) => !this.#providers.includes(name))
    if (unknown !== undefined) {
      throw new ConfigError(`The file of providers' keys ${this.#path}: ${unknown} is no provider. Providers: ${this.#providers.join(', ')}`)
    }
    return new Map(Object.entries(keys).map(([name, { apiKey, organizations = {} }]) => {
      const own = new Map<string | null, string>(Object.entries(organizations))
      return [name, apiKey === undefined ? own : own.set(null, apiKey)]
    }))
  }
}
