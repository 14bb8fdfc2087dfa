import { InvalidBody } from '../../src/errors.ts'
import { type Scope } from './index.ts'

/**
 * Bodies are JSON in UTF-8 and nothing else: neither what an app around the gateway parses in its own way, nor text,
 * nor bytes that would be read as something that nobody sent.
 */
export function parseJsonAlone (scope: Scope): void {
  const parse = scope.getDefaultJsonParser('error', 'error')
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(['application/json', 'application/merge-patch+json'], { parseAs: 'buffer' }, (request, body, done) => {
    const text = decode(body as Buffer)
    // clients name a type also where they send nothing; what needs a body says so itself
    if (text === '') done(null, undefined)
    else if (text === null) done(new InvalidBody('The body is not UTF-8'))
    else void parse(request, text, done)
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode (body: Buffer): string | null {
  try {
    return utf8.decode(body)
  } catch {
    return null
  }
}
