import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { type Outgoing, type Sign } from '../provider.ts'

export interface AwsCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/** What a signature adds to a request; the host is written by whoever sends it. */
const ADDED = ['authorization', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token']

/**
 * Signs requests with AWS's own signer (Signature Version 4), over host, path, query, type and body. `now` in ms since
 * the epoch.
 */
export function signerFor (region: string, credentials: AwsCredentials, now = (): number => Date.now()): Sign {
  const signer = new SignatureV4({ service: 'bedrock', region, credentials, sha256: Sha256 })
  return async ({ method, url, body }: Outgoing) => {
    const { protocol, hostname, host, port, pathname, searchParams } = new URL(url)
    const { headers } = await signer.sign({
      method,
      protocol,
      hostname,
      ...port === '' ? {} : { port: Number(port) },
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: { host, ...body === null ? {} : { 'content-type': 'application/json' } },
      ...body === null ? {} : { body },
    }, { signingDate: new Date(now()) })
    return ADDED.flatMap((name) => headers[name] === undefined ? [] : [name, headers[name]])
  }
}

/** as the SDKs of AWS read them; null: there are none */
export function credentialsOf (env: NodeJS.ProcessEnv): AwsCredentials | null {
  const [accessKeyId, secretAccessKey, sessionToken] =
    [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY'], env['AWS_SESSION_TOKEN']]
  if (!accessKeyId || !secretAccessKey) return null
  return { accessKeyId, secretAccessKey, ...sessionToken ? { sessionToken } : {} }
}
