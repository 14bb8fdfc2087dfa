import { readFileSync } from 'node:fs'
import { ConfigError } from '../config.ts'
import { ownCatalog } from './catalog-file.ts'
import { laid, type LaidCatalog } from './layers.ts'
import { type PriceFile, readPriceFile } from './price-file.ts'

/** Our catalog with a file of prices laid over it. Throws ConfigError where the file cannot be read, or cannot be. */
export function catalogWith (
  path: string | undefined, log: Record<'info' | 'warn', (details: object, message: string) => void>
): LaidCatalog {
  if (path === undefined) return ownCatalog()
  const { format, overrides, leftOut } = pricesAt(path)
  const wrong = leftOut.map(({ name, why }) => `${name}: ${why}`)
  try {
    const catalog = laid(ownCatalog(), overrides, format === 'relaycore'
      ? undefined
      : ({ provider, model }, { message }) => { wrong.push(`${provider}/${model}: ${message}`) })
    log.info({ path, format, models: overrides.length, leftOut: wrong.length }, 'prices of a file are laid over the catalog')
    if (wrong.length > 0) log.warn({ path, leftOut: wrong.slice(0, SHOWN) }, 'models of the file of prices were left out')
    return catalog
  } catch (error) {
    throw new ConfigError(`RELAYCORE_PRICES: ${path}: ${(error as Error).message}`)
  }
}

const SHOWN = 20

/** `setting`: what names it */
export function pricesAt (path: string, setting = 'RELAYCORE_PRICES'): PriceFile {
  try {
    return readPriceFile(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new ConfigError(`${setting}: ${path}: ${(error as Error).message}`)
  }
}
