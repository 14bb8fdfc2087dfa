import { Cluster, Command as Sent, type Redis } from 'ioredis'
import {
  answersInTime, type Command, CONNECT_TIMEOUT_MS, inTime, type Link, type LinkOptions, pauseBefore, type Reply,
  serverOptions,
} from './link.ts'

/**
 * Connections to the primaries of a cluster, a pipeline to each that has keys of a batch. A command whose slot has
 * moved follows it, within the deadline. A node that is not there, or missed a deadline, is not sent anything until it
 * has greeted anew: its commands fail at once and those of the other nodes are as fast as ever.
 */
export class ClusterLink implements Link {
  readonly #cluster: Cluster
  /** primaries that were asked whether they are there */
  readonly #known = new WeakSet<Redis>()
  /** those that said so in time, and have missed no deadline since */
  readonly #answering = new WeakSet<Redis>()
  #closed = false
  #askedForNodesAt = -Infinity

  constructor (options: LinkOptions) {
    const { address, events, listens } = options
    this.#cluster = new Cluster(address.hosts, {
      lazyConnect: true,
      enableOfflineQueue: false,
      // it would be sent to a node that has not greeted yet; a cluster that is down says so in its replies
      enableReadyCheck: false,
      slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
      // to where a slot has moved, or is moving
      maxRedirections: 3,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      clusterRetryStrategy: pauseBefore,
      // Names stay names: certificates are for them, and they are looked up for every connection.
      dnsLookup: (host, callback) => { callback(null, host) },
      redisOptions: serverOptions(options),
    })
    this.#cluster.on('ready', () => { void this.#ready(options) })
    this.#cluster.on('close', events.lost)
    this.#cluster.on('error', events.failed)
    this.#cluster.on('node error', events.noted)
    if (listens) return
    for (const event of ['+node', 'refresh']) this.#cluster.on(event, () => { this.#welcome(options) })
  }

  async connect (): Promise<void> {
    // one that is closed before it is ready leaves the promise of its attempt open
    await new Promise<void>((resolve, reject) => {
      this.#cluster.once('close', () => { reject(new Error('no node of the cluster can be reached')) })
      this.#cluster.connect().then(resolve, reject)
    })
  }

  async send (commands: Command[], deadlineMs: number, drop: boolean): Promise<Reply[]> {
    const until = performance.now() + deadlineMs
    const replies: Reply[] = commands.map(() => [new Error('its node of the cluster is not reachable'), null])
    await Promise.all([...this.#byNode(commands)].map(async ([node, places]) => {
      const sent = await inTime(node.pipeline(places.map((place) => commands[place] as Command)).exec(), deadlineMs)
      if (sent === null && drop) this.#letGo(node)
      for (const [i, place] of places.entries()) {
        replies[place] = sent?.[i] ?? [new Error('its node of the cluster did not answer in time'), null]
      }
    }))
    const moved = [...replies.keys()].filter((place) => isMoved(replies[place]))
    await Promise.all(moved.map(async (place) => {
      const reply = await this.#follow(commands[place] as Command, until - performance.now())
      if (reply !== null) replies[place] = reply
    }))
    return replies
  }

  async subscribe (channel: string, listener: (message: string) => void): Promise<unknown> {
    this.#cluster.removeAllListeners('message')
    this.#cluster.on('message', (_channel: string, message: string) => { listener(message) })
    return await this.#cluster.subscribe(channel)
  }

  reset (): void { if (!this.#closed) this.#cluster.disconnect(true) }

  close (): void {
    this.#closed = true
    this.#cluster.disconnect()
  }

  /** the places of commands that go to the same node, of those that have one */
  #byNode (commands: Command[]): Map<Redis, number[]> {
    const ready = new Map(this.#cluster.nodes('master')
      .filter((node) => node.status === 'ready' && this.#answering.has(node))
      .map((node) => [`${node.options.host}:${node.options.port}`, node]))
    const [any] = ready.values()
    const byNode = new Map<Redis, number[]>()
    let missing = false
    for (const [place, [name, ...args]] of commands.entries()) {
      const slot = new Sent(name, args).getSlot() as number | null
      const node = slot === null ? any : ready.get(this.#cluster.slots[slot]?.[0] ?? '')
      if (node === undefined) {
        missing = true
        continue
      }
      const places = byNode.get(node)
      if (places === undefined) byNode.set(node, [place])
      else places.push(place)
    }
    if (missing) this.#askForNodes()
    return byNode
  }

  /** null: it was not done in time */
  async #follow ([name, ...args]: Command, leftMs: number): Promise<Reply | null> {
    const answer: Promise<unknown> = this.#cluster.call(name, args)
    const reply = answer.then((value): Reply => [null, value], (error: unknown): Reply => [error as Error, null])
    return await inTime(reply, Math.max(1, leftMs))
  }

  /** which node has which slots by now; those that are new are greeted */
  #askForNodes (): void {
    const now = performance.now()
    if (now - this.#askedForNodesAt < 500) return
    this.#askedForNodesAt = now
    this.#cluster.refreshSlotsCache()
  }

  /** a primary that was not one before, or comes back, may know less than its predecessor was told */
  #welcome ({ deadlineMs, events }: LinkOptions): void {
    if (this.#cluster.status !== 'ready') return
    for (const node of this.#cluster.nodes('master')) {
      if (!this.#known.has(node)) void this.#ask(node, deadlineMs).then((answers) => { if (answers) events.ready() })
    }
  }

  /** one that does not answer leaves the pool; the next look at the slots finds it again */
  async #ask (node: Redis, deadlineMs: number): Promise<boolean> {
    this.#known.add(node)
    const answers = await connected(node) && await answersInTime(node, deadlineMs) && node.status === 'ready'
    if (answers) this.#answering.add(node)
    else this.#letGo(node)
    return answers
  }

  /** at once, though its connection takes a while to close */
  #letGo (node: Redis): void {
    this.#answering.delete(node)
    node.disconnect()
  }

  /** each primary answers, or cannot, or takes too long */
  async #ready ({ listens, deadlineMs, events }: LinkOptions): Promise<void> {
    const asked = listens ? [] : this.#cluster.nodes('master').map((node) => this.#ask(node, deadlineMs))
    await inTime(Promise.all(asked), 2 * deadlineMs)
    if (this.#cluster.status === 'ready') events.ready()
  }
}

/** whether it is, once that is known */
async function connected (node: Redis): Promise<boolean> {
  if (node.status === 'wait') node.connect().catch(() => undefined)
  if (node.status === 'ready') return true
  return await new Promise((resolve) => {
    node.once('ready', () => { resolve(true) })
    node.once('end', () => { resolve(false) })
  })
}

function isMoved (reply: Reply | undefined): boolean {
  return reply?.[0] != null && /^(MOVED|ASK) /.test(reply[0].message)
}
