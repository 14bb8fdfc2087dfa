import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import ts from 'typescript'
import { cpuMs } from '../cpu-ms.ts'

/**
 * Every regular expression of the source, and every pattern of a schema, against texts made for it: long runs of what
 * it takes and of what it nearly takes, which never match in the end. What takes more than linear time for them
 * takes minutes for a body of some megabytes, and the event loop with it.
 */
const ROOT = resolve(import.meta.dirname, '../../..')
const LENGTH = 4_000
/** linear ones take hundredths of it */
const MS = 3

/** of what nobody can make long */
const BOUNDED: Record<string, string> = {
  '0+$': 'the decimals of one amount',
  '\\.?0+$': 'the decimals of one rate or price, which the gateway has written itself',
}

interface Found { file: string, text: string, expression: RegExp }

function expressions (): Found[] {
  const files = ['src', 'plugins'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== 'client/api.ts').map((file) => `${folder}/${file}`))
  return files.flatMap((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8')
    const found: Found[] = []
    const add = (text: string, flags: string): void => {
      found.push({ file, text, expression: new RegExp(text, flags.replace(/[gy]/g, '')) })
    }
    const look = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const end = node.text.lastIndexOf('/')
        add(node.text.slice(1, end), node.text.slice(end + 1))
      } else if (ts.isPropertyAssignment(node) && node.name.getText() === 'pattern' && ts.isStringLiteralLike(node.initializer)) {
        add(node.initializer.text, 'u')
      }
      ts.forEachChild(node, look)
    }
    look(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true))
    return found
  })
}

const COMMON = [...'aZ0 \t\n_-/.,;:="\\[{\u00e9']

/** what may stand in a text of this expression: its own signs, one of each of its classes, and what is none of them */
function signsOf ({ text }: Found): string[] {
  const own = text.replaceAll(/\\[dwsbDWSB]|\(\?[:=!<]+|[\\^$*+?.()[\]{}|]/g, ' ').split(/\s+/).filter((one) => one !== '')
  const words = own.flatMap((one) => [one, one[0] as string, one.at(-1) as string])
  return [...new Set([...COMMON, ...words])]
}

function * attacksOn (found: Found): Generator<string> {
  const signs = signsOf(found)
  const words = signs.filter((one) => one.length > 1).slice(0, 8)
  for (const sign of signs) {
    const run = sign.repeat(Math.ceil(LENGTH / sign.length))
    yield `${run}\u0000`
    for (const word of words) yield `${word}${run}\u0000`
  }
  for (const first of signs.slice(COMMON.length - 6, COMMON.length + 12)) {
    for (const second of COMMON) yield `${(first + second).repeat(LENGTH / (first.length + 1))}\u0000`
  }
}

t.test('no expression takes more than linear time, whatever it is given', async (t) => {
  const all = expressions()
  t.ok(all.length > 90, `${all.length} expressions`)
  const slow: string[] = []
  for (const found of all) {
    if (found.text in BOUNDED) continue
    for (const attack of attacksOn(found)) {
      const before = performance.now()
      found.expression.test(attack)
      if (performance.now() - before < MS) continue
      // or the machine was busy
      const took = cpuMs(() => { found.expression.test(attack) })
      if (took < MS) continue
      slow.push(`${found.file}: /${found.text}/ ${Math.round(took)} ms for ${JSON.stringify(attack.slice(0, 30))}`)
      break
    }
  }
  t.same(slow, [])
})

t.test('an expression that takes more than linear time would be found', async (t) => {
  for (const text of ['(a+)+$', '\\s+$', '^(\\w|\\d)*$', 'x.*y.*z$']) {
    const found = { file: '', text, expression: new RegExp(text) }
    const took = [...attacksOn(found)].some((attack) => {
      try {
        runInNewContext('expression.test(attack)', { expression: found.expression, attack }, { timeout: MS })
        return false
      } catch {
        return true
      }
    })
    t.ok(took, text)
  }
})
