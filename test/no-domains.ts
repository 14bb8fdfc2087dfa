import type AsyncHooks from 'node:async_hooks'
import { createRequire, syncBuiltinESMExports } from 'node:module'

/**
 * Loaded before tap: it would follow every promise and timer of a process, to tell of an error that nobody catches
 * whose test's it is, and that is a twentieth of all that the tests cost. Here such an error ends its process, and with
 * it fails the run.
 */
const hooks = createRequire(import.meta.url)('node:async_hooks') as typeof AsyncHooks
const none = { enable: () => none, disable: () => none }
hooks.createHook = () => none
syncBuiltinESMExports()
