import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Test } from 'tap'
import ts from 'typescript'

const ROOT = resolve(import.meta.dirname, '../../..')
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
  buildClient(join(stage, 'dist'))
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
      return complaintsOf(ts.createProgram(files, OF_USER))
    },
    run: async (text, env) => {
      const file = join(folder, 'user.js')
      const { outputText } = ts.transpileModule(text, { compilerOptions: { ...OF_USER, module: ts.ModuleKind.ESNext } })
      writeFileSync(file, outputText)
      return (await execute(process.execPath, [file], { env: { PATH: process.env['PATH'] ?? '', ...env } })).stdout
    },
  }
}

const OF_USER: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
}

/** as `npm run build` does, of the client alone */
function buildClient (outDir: string): void {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: object }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
  const { tsBuildInfoFile: _, ...rest } = options
  const program = ts.createProgram([join(ROOT, 'src/client/index.ts')], {
    ...rest,
    outDir,
    declaration: true,
    incremental: false,
    sourceMap: false,
    // these tests were built of the same files
    noCheck: true,
  })
  if (program.emit().emitSkipped) throw new Error('The client does not build')
}

function complaintsOf (program: ts.Program): string[] {
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined || start === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
    return `${basename(file?.fileName ?? '', '.ts')}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
