import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * `node bundle.mjs dist`: makes of a compiled program (dist/src/cli.js) and what it depends on some few files
 * (dist/program/cli.js). To find, read and compile more than a thousand modules is most of the work of a start.
 */
const ROOT = import.meta.dirname ?? fileURLToPath(new URL('.', import.meta.url))

/** what looks for files beside its own, and what is not loaded by most starts */
const APART = ['@fastify/swagger-ui', 'fs-native-extensions', 'google-auth-library', 'pg-native']

/** what modules of the older kind find where they are loaded as such */
const REQUIRE = `
import { createRequire as programRequire } from 'node:module'
import { dirname as programDirname } from 'node:path'
import { fileURLToPath as programPath } from 'node:url'
const require = programRequire(import.meta.url), __filename = programPath(import.meta.url), __dirname = programDirname(__filename)
`

/** where the program is then */
export async function bundle (folder) {
  const outdir = join(folder, 'program')
  rmSync(outdir, { recursive: true, force: true })
  await build({
    absWorkingDir: ROOT,
    entryPoints: [join(folder, 'src', 'cli.js')],
    outdir,
    bundle: true,
    // what a command does not need is not loaded
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.15',
    external: APART,
    banner: { js: REQUIRE },
    logLevel: 'warning',
  })
  return join(outdir, 'cli.js')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(process.argv[2])
