import { type Sign } from '../provider.ts'

/** A token as OAuth gives it out. */
export interface AccessToken {
  token: string
  /** ms since the epoch */
  endsAt: number
  /** whose quota its calls count on, where that is not its own; absent: its own */
  quotaProject?: string
}

export type TokenSource = () => Promise<AccessToken>

/** so long before its end a token is asked for anew, beside the calls */
const EARLY_MS = 5 * 60_000
/** so long before its end a token goes with no call any more */
const LATE_MS = 10_000
/** every ask has a deadline: a call waits for it, and its hold with it */
const DEADLINE_MS = 20_000

/**
 * Signs calls with a bearer token that is asked for once for all that wait for it, and anew before it ends. While it
 * is good, an ask that fails holds up nobody; afterwards each call fails that needs one. `now` in ms since the epoch.
 */
export function bearerOf (source: TokenSource, now = (): number => Date.now(), deadlineMs = DEADLINE_MS): Sign {
  let last: AccessToken | null = null
  let asking: Promise<AccessToken> | null = null
  const ask = async (): Promise<AccessToken> => {
    try {
      last = await inTime(source(), deadlineMs)
      return last
    } finally {
      asking = null
    }
  }
  return () => {
    const token = last
    const left = token === null ? 0 : token.endsAt - now()
    if (token !== null && left > EARLY_MS) return header(token)
    asking ??= ask()
    if (token === null || left <= LATE_MS) return asking.then(header)
    // its failure is told by the first call that has no good token left
    asking.catch(() => {})
    return header(token)
  }
}

function header ({ token, quotaProject }: AccessToken): string[] {
  const own = ['authorization', `Bearer ${token}`]
  return quotaProject === undefined ? own : [...own, 'x-goog-user-project', quotaProject]
}

async function inTime<Value> (promise: Promise<Value>, ms: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(new Error(`no access token came within ${ms} ms`)) }, ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'

/** of the library's clients, as far as they are used here */
interface Client {
  credentials: { expiry_date?: number | null }
  /** of credentials of a person, whose projects are many */
  quotaProjectId?: string
  getAccessToken (): Promise<{ token?: string | null }>
}

/**
 * Tokens of Google's own credentials (Application Default Credentials): of the file that GOOGLE_APPLICATION_CREDENTIALS
 * names, of gcloud's, or of the machine. The library is loaded with the first ask. `fetch` takes the place of its own.
 */
export function googleTokens (env: NodeJS.ProcessEnv, fetch?: typeof globalThis.fetch): TokenSource {
  let opened: Promise<Client> | null = null
  return async () => {
    try {
      const client = await (opened ??= openClient(env, fetch))
      const { token } = await client.getAccessToken()
      if (!token) throw new Error('the answer had none')
      const { credentials, quotaProjectId } = client
      const endsAt = credentials.expiry_date ?? Date.now() + EARLY_MS
      return { token, endsAt, ...quotaProjectId ? { quotaProject: quotaProjectId } : {} }
    } catch (error) {
      opened = null
      // the library's own has with it what was asked, which is secret
      throw new Error(`Google gave no access token: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

async function openClient (
  { GOOGLE_APPLICATION_CREDENTIALS: file }: NodeJS.ProcessEnv, fetch: typeof globalThis.fetch | undefined
): Promise<Client> {
  const { GoogleAuth } = await import('google-auth-library')
  const auth = new GoogleAuth({
    scopes: [SCOPE],
    clientOptions: {
      transporterOptions: { timeout: DEADLINE_MS, ...fetch === undefined ? {} : { fetchImplementation: fetch } },
      // it gives its last one out again until this is left of it, and is asked a little later
      eagerRefreshThresholdMillis: EARLY_MS + LATE_MS,
    },
    ...file ? { keyFilename: file } : {},
  })
  return await auth.getClient()
}
