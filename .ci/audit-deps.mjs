import { spawnSync } from 'node:child_process'

/**
 * Asks the registry that npm is set to for advisories about what is shipped. Ends with 0: there are none, 1: there are
 * some, 2: it could not be asked, which is said and never taken for none.
 */
const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', shell: process.platform === 'win32' })
const report = parsed(stdout)

if (report?.metadata?.vulnerabilities === undefined) {
  const why = report?.message ?? report?.error?.summary ?? stderr.trim().split('\n')[0] ?? 'npm said nothing'
  console.error(`NOT AUDITED: the registry offers no audit, or cannot be reached (${why}). Run this where it does.`)
  process.exit(2)
}
const { total } = report.metadata.vulnerabilities
for (const { name, severity, range } of Object.values(report.vulnerabilities)) console.log(`${severity}: ${name} ${range}`)
console.log(total === 0 ? 'No advisory is about anything that is shipped.' : `${total} packages with advisories; \`npm audit\` says more.`)
process.exit(total === 0 ? 0 : 1)

function parsed (text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
