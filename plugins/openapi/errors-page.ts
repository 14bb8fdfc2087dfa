import { type FastifyInstance, type FastifyPluginOptions } from 'fastify'
import { ADMIN_CODES, type ErrorCode, REFUSAL_CODES } from '../../src/error-codes.ts'

/** One page for people: every code that an answer can carry, each at `#<code>`. The `type` of a problem leads there. */
export interface ErrorsPageOptions extends FastifyPluginOptions {
  path: string
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export default async function errorsPage (app: FastifyInstance, { path }: ErrorsPageOptions): Promise<void> {
  app.get(path, { schema: { hide: true } }, async (_request, reply) => await reply
    .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY })
    .send(page()))
}

function page (): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>RelayCore errors</title>
<style>body { font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em } :target { background: #fe9 }</style>
<h1>Errors</h1>
<h2>Of the admin API</h2>
<dl>${termsOf(ADMIN_CODES, (code) => code)}</dl>
<h2>To AI clients</h2>
<dl>${termsOf(REFUSAL_CODES, (code) => `call-${code}`)}</dl>
</html>
`
}

type Term = Omit<ErrorCode, 'status'> & { status?: number }

/** what AI clients hear goes by the same codes, some with another meaning */
function termsOf (codes: Record<string, Term>, idOf: (code: string) => string): string {
  return Object.entries(codes).map(([code, { status, meaning, remedy }]) => `
<dt id="${idOf(code)}"><code>${code}</code>${status === undefined ? '' : ` (${status})`}</dt>
<dd>${htmlOf(meaning)} ${htmlOf(remedy)}</dd>`).join('')
}

/** text with code between backticks */
function htmlOf (text: string): string {
  const safe = text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)
  return safe.replace(/`([^`]+)`/g, '<code>$1</code>')
}
