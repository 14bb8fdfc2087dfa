import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Test } from 'tap'

const ROOT = resolve(import.meta.dirname, '../../..')
const COMPILER = join(ROOT, 'node_modules/typescript-7/bin/tsc')
const execute = promisify(execFile)
const NAME = 'relaycore-budget-gateway'

export interface Project {
  /** of somebody who has the packed package installed */
  folder: string
  /** what the compiler says of files of these texts, as it does at their user's: `name:line: what` */
  complaints (texts: Record<string, string>): string[]
  /** writes it as JavaScript, and what it prints when it runs */
  run (text: string, env: Record<string, string>): Promise<string>
}

/** The package's client, built, packed by npm, and installed in a project of its own. */
export function aProject (t: Test): Project {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-package-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  const stage = join(folder, 'stage')
  const installed = join(folder, 'node_modules', NAME)
  for (const path of [stage, installed]) mkdirSync(path, { recursive: true })
  buildClient(folder, join(stage, 'dist'))
  for (const file of ['package.json', 'README.md', 'LICENSE']) copyFileSync(join(ROOT, file), join(stage, file))
  const args = ['pack', '--silent', '--pack-destination', folder]
  execFileSync('npm', args, { cwd: stage, stdio: 'pipe', shell: process.platform === 'win32' })
  const [packed = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  execFileSync('tar', ['-xzf', join(folder, packed), '-C', installed, '--strip-components=1'])
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers', '@types', 'undici-types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  return {
    folder,
    complaints: (texts) => {
      const files = Object.entries(texts).map(([name, text]) => {
        const file = join(folder, `${name}.ts`)
        writeFileSync(file, text)
        return file
      })
      return complaintsOf(compile(folder, files, OF_USER))
    },
    run: async (text, env) => {
      const file = join(folder, 'user.ts')
      writeFileSync(file, text)
      compile(folder, [file], { ...OF_USER, noEmit: false, noCheck: true })
      return (await execute(process.execPath, [join(folder, 'user.js')], { env: { PATH: process.env['PATH'] ?? '', ...env } })).stdout
    },
  }
}

/** of a user's project */
const OF_USER = {
  target: 'es2022',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
}
const COMPLAINT = /^(?:.*\/)?([^/]+)\.ts\((\d+),\d+\): error \w+: ([^]*)$/

/** as `npm run build` does, of the client alone; what it is built of was checked when these tests were built */
function buildClient (folder: string, outDir: string): void {
  const files = [join(ROOT, 'src/client/index.ts')]
  const none = { incremental: false, tsBuildInfoFile: null, sourceMap: false, noCheck: true }
  const typeRoots = [join(ROOT, 'node_modules/@types')]
  const options = { ...none, outDir, declaration: true, rootDir: ROOT, typeRoots }
  const said = compile(folder, files, options, join(ROOT, 'tsconfig.json'))
  if (said !== '') throw new Error(`The client does not build: ${said}`)
}

/** what the compiler says, of files and their options alone */
function compile (folder: string, files: string[], compilerOptions: object, base?: string): string {
  const project = join(folder, 'tsconfig.json')
  const from = base === undefined ? {} : { extends: base }
  writeFileSync(project, JSON.stringify({ ...from, compilerOptions, include: [], files }))
  const args = [COMPILER, '-p', project, '--pretty', 'false']
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return `${stdout}${stderr}`
}

/** what goes on with the next line is indented */
function complaintsOf (said: string): string[] {
  return said.split(/\n(?! )/).flatMap((line) => {
    const [, name, at, what] = COMPLAINT.exec(line) ?? []
    return name === undefined ? [] : [`${name}:${at}: ${what}`]
  })
}
