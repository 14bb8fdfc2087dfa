import t from 'tap'
import { type UsageDraft } from '../../src/usage/recording.ts'
import { hashOf } from '../../src/usage/usage-collector.ts'

const PLAIN: UsageDraft = {
  budgetId: '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55',
  callerId: 'x',
  amountNano: 1_250_000_000n,
  currency: null,
  timestamp: null,
  source: 'manual',
  description: null,
  metadata: {
    requestId: null, provider: null, modelId: null, teamId: null, projectId: null, userId: null, tags: null, more: {},
  },
  reverses: null,
}

const FULL: UsageDraft = {
  ...PLAIN,
  amountNano: -1n,
  currency: 'JPY',
  timestamp: 1_700_000_000_123,
  source: 'auterity',
  description: 'a "quoted"\nßü🚀',
  metadata: {
    requestId: 'r',
    provider: 'p',
    modelId: 'm\\',
    teamId: 't',
    projectId: 'p2',
    userId: 'u',
    tags: { b: '2', a: '1' },
    more: { z: [1, { y: null, x: 1.5 }], a: {} },
  },
  reverses: '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a56',
}

t.test('what ids are compared by is for good: a ledger holds these hashes from the first version on', async (t) => {
  const hex = (draft: UsageDraft, currency = 'USD') => hashOf(draft, { currency }).toString('hex')
  t.equal(hex(PLAIN), '9fac4881d79bbe4b79a3815eb645aed210c3102d2126bcd40fc1bef0569fac62')
  t.equal(hex(FULL), 'f34bd25edb60a30383a5ec8d0370cab3bb67a1a3ddfa93e7b7c483d07e466549')
  t.equal(hex({ ...PLAIN, callerId: 'y', currency: 'USD' }), hex(PLAIN), 'the id itself and a currency that goes without saying are no part')
  t.equal(hex({ ...FULL, metadata: { ...FULL.metadata, tags: { a: '1', b: '2' } } }), hex(FULL), 'nor is an order of names')
  t.not(hex(PLAIN, 'EUR'), hex(PLAIN))
  for (const change of [{ amountNano: 1n }, { description: 'd' }, { timestamp: 0 }, { metadata: { ...PLAIN.metadata, more: { a: 1 } } }]) {
    t.not(hex({ ...PLAIN, ...change }), hex(PLAIN))
  }
})
