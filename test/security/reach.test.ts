import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const ROOT = resolve(import.meta.dirname, '../../..')

/** what, beside the stores, may open a connection, and to whom; nothing of a request says where to */
const REACHES: Record<string, string> = {
  'plugins/gateway/upstream.ts': 'providers, at the addresses of the settings',
  'plugins/gateway/sockets.ts': 'the same, over WebSockets',
  'src/access/issuer.ts': 'the issuer of the settings: https, no redirects',
  'src/diagnose.ts': 'for `relaycore doctor`: its own gateway, and with --call the providers of the settings; no redirects',
  'src/money/rate-feed.ts': 'the rates of the settings: https, no redirects, a megabyte at most',
  'src/providers/vertex/access.ts': 'Google, by its own library, with the settings\' credentials',
}

t.test('only these files reach out, and none of them where a request says', async (t) => {
  const outward = /\bfetch\(|from '(undici|ws|node:(http|https|net|tls|dgram|http2))'|import\('google/
  const types = /^import (type |\{ type [^}]*\} from|.*\btype \w+ \} from)/
  const found = ['src', 'plugins'].flatMap((folder) => filesOf(folder)
    .filter((file) => file.endsWith('.ts') && !/^(client|stores)\//.test(file)).map((file) => `${folder}/${file}`))
    .filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').some((line) =>
      outward.test(line) && !types.test(line) && !/#fetch\(|isIP|STATUS_CODES|validateHeader/.test(line)))
  t.same(found.sort(), Object.keys(REACHES).sort())
})

function filesOf (folder: string): string[] { return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }) }
