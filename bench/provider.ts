import { startProvider } from '../test/provider/provider.ts'
import { serve } from './control.ts'

/** The provider as a process of its own: answers from memory, reads and keeps nothing. */
const provider = await startProvider({ fast: true, keepBodies: false })
serve({ url: provider.url }, async () => null, () => provider.close())
