import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JournalFolder, type JournalOptions } from '../../src/journal/folder.ts'
import { type Journal, type JournalRecord } from '../../src/journal/journal.ts'
import { type CallEnd, type CallOpening } from '../../src/usage/usage.ts'

interface Tearing { teardown (fn: () => unknown): void }

export function aFolder (t: Tearing): string {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return join(folder, 'journal')
}

export interface Logged { details: object, message: string }

export function aLog (): { lines: Logged[], warn (d: object, m: string): void, error (d: object, m: string): void } {
  const lines: Logged[] = []
  const note = (details: object, message: string): void => { lines.push({ details, message }) }
  return { lines, warn: note, error: note }
}

export function open (path: string, options: Partial<JournalOptions> = {}): Promise<JournalFolder> {
  return JournalFolder.open(path, { log: aLog(), bootId: 'boot-1', ...options })
}

export function anOpening (overrides: Partial<CallOpening> = {}): CallOpening {
  return {
    id: '0190a1b2-0000-7000-8000-000000000001',
    openedAt: 1_700_000_000_000,
    organizationId: 'acme',
    teamId: 'search',
    projectId: null,
    userId: 'ada',
    keyId: 'key-1',
    sessionId: null,
    tags: null,
    provider: 'openai',
    endpoint: 'chat.completions',
    model: 'gpt-4o-mini',
    stream: true,
    requestId: null,
    quoteNano: 12_345_678n,
    priceVersion: '2025-01-01',
    holds: [
      { accountId: 1, quoteNano: 12_345_678n, rate: null, enforced: true },
      { accountId: 2, quoteNano: 11_000_000n, rate: '0.891', enforced: false },
    ],
    ...overrides,
  }
}

export function anEnd (overrides: Partial<CallEnd> = {}): CallEnd {
  return {
    id: '0190a1b2-0000-7000-8000-000000000001',
    endedAt: 1_700_000_001_000,
    outcome: 'completed',
    status: 200,
    certainty: 'exact',
    modelUsed: 'gpt-4o-mini-2024-07-18',
    usage: null,
    costNano: 2_345_678n,
    charges: [{ accountId: 1, amountNano: 2_345_678n, coveredNano: 2_345_678n }],
    providerRequestId: 'req_1',
    ...overrides,
  }
}

export function callId (n: number): string { return `0190a1b2-0000-7000-8000-${String(n).padStart(12, '0')}` }

export function opens (n: number): JournalRecord { return { t: 'open', call: anOpening({ id: callId(n) }) } }

export function ends (n: number): JournalRecord { return { t: 'end', end: anEnd({ id: callId(n) }) } }

export function voids (n: number): JournalRecord { return { t: 'void', id: callId(n) } }

/** resolves when the record is written, rejects when it is not */
export function written (journal: Journal, record: JournalRecord): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.append(record, (error) => { if (error === null) resolve(); else reject(error) })
  })
}

export async function writeAll (journal: Journal, records: JournalRecord[]): Promise<void> {
  await Promise.all(records.map((record) => written(journal, record)))
}
