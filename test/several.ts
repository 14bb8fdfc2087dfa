import { delimiter } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FILES_ENV } from './services/index.ts'

/** Runs test files in one process, one after the other: what they have in common is loaded and compiled once. */
for (const file of (process.env[FILES_ENV] ?? '').split(delimiter)) await import(pathToFileURL(file).href)
