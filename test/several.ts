import { delimiter } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { FILES_ENV } from './services/index.ts'

/**
 * Runs test files in one process, one after the other: what they have in common is loaded and compiled once. Their
 * tests wait in line until all are loaded, so that the end of the first file is not taken for the end of all.
 */
t.test('the files of this process load', async () => {
  for (const file of (process.env[FILES_ENV] ?? '').split(delimiter)) await import(pathToFileURL(file).href)
})
