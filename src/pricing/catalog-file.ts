import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CatalogFile } from './catalog.ts'

let read: CatalogFile | undefined

/** The catalog of this program, prices/catalog.json. */
export function ownCatalog (): CatalogFile {
  read ??= JSON.parse(readFileSync(join(pricesDirectory(), 'catalog.json'), 'utf8')) as CatalogFile
  return read
}

/** beside src/ in a checkout, and above the folder that a build is in */
function pricesDirectory (): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (let up = 0; up < 6; up++) {
    const candidate = join(folder, 'prices')
    if (existsSync(join(candidate, 'catalog.json'))) return candidate
    folder = dirname(folder)
  }
  throw new Error('The file prices/catalog.json that belongs to this program is missing')
}
