/**
 * The servers that a connection string names, of which one takes changes at a time. Several are written as libpq does:
 * `postgres://user:password@a:5432,b:5432/database`. Connections go to the one that took them last; where it cannot be
 * reached, or is a standby, the next ones are tried, each once. So a failover to another address needs nobody: whoever
 * is promoted is found by the next connection.
 *
 * `target_session_attrs` may say what is meant anyway: read-write or primary. `pgbouncer=true` or `false` says whether
 * a pooler in between changes servers from one transaction to the next; without it each connection finds out.
 */
export class Hosts {
  /** a connection string each, of one server */
  readonly urls: readonly string[]
  /** null: to be found out */
  readonly pooled: boolean | null
  #current = 0

  constructor (connectionString: string) {
    const match = /^(postgres(?:ql)?:\/\/(?:[^/?]*@)?)([^/?@]*)([^?]*)(?:\?(.*))?$/s.exec(connectionString)
    if (match === null) throw new Error('it is no postgres:// URL')
    const [, before = '', hosts = '', path = '', query = ''] = match
    const parameters = new URLSearchParams(query)
    const wanted = parameters.get('target_session_attrs') ?? 'read-write'
    if (wanted !== 'read-write' && wanted !== 'primary') {
      throw new Error(`its target_session_attrs must be read-write or primary, since a gateway writes; it is ${JSON.stringify(wanted)}`)
    }
    const pgbouncer = parameters.get('pgbouncer')
    if (pgbouncer !== null && pgbouncer !== 'true' && pgbouncer !== 'false') {
      throw new Error(`its pgbouncer must be true or false; it is ${JSON.stringify(pgbouncer)}`)
    }
    this.pooled = pgbouncer === null ? null : pgbouncer === 'true'
    const rest = query.split('&').filter((one) => one !== '' && !/^(target_session_attrs|pgbouncer)=/.test(one))
    const after = path + (rest.length === 0 ? '' : `?${rest.join('&')}`)
    this.urls = hosts.split(',').map((host) => before + host + after)
    if (this.urls.length > 1 && hosts.split(',').includes('')) throw new Error('one of its hosts is empty')
  }

  get current (): string { return this.urls[this.#current] as string }

  /** it cannot be reached, or takes no changes */
  failed (url: string): void {
    if (url === this.current) this.#current = (this.#current + 1) % this.urls.length
  }
}
