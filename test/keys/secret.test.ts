import t from 'tap'
import fc from 'fast-check'
import { hashSecret, hintOf, isSecret, makeSecret } from '../../src/keys/secret.ts'

t.test('a secret is known as one, of its kind', async (t) => {
  const key = makeSecret('rk')

  t.match(key, /^rk_[0-9A-Za-z]{34}$/)
  t.ok(isSecret('rk', key))
  t.notOk(isSecret('ra', key))
  t.ok(isSecret('ra', makeSecret('ra')))
  t.notOk(isSecret('ra', key.replace('rk_', 'ra_')), 'the checksum covers the kind')
})

t.test('a slip of one character is noticed', async (t) => {
  const key = makeSecret('rk')
  fc.assert(fc.property(fc.nat(key.length - 1), fc.constantFrom(...'0Az_-é'), (at, character) => {
    const slipped = key.slice(0, at) + character + key.slice(at + 1)
    return slipped === key || !isSecret('rk', slipped)
  }))
  for (const text of ['', 'rk_', key.slice(0, -1), key + 'a', ` ${key}`, `${key}\n`, 'sk-proj-abc', key.toUpperCase()]) {
    t.notOk(isSecret('rk', text), JSON.stringify(text))
  }
})

t.test('no two secrets are alike, and all characters occur', async (t) => {
  const made = Array.from({ length: 500 }, () => makeSecret('rk'))

  t.equal(new Set(made).size, made.length)
  t.equal(new Set(made.flatMap((key) => [...key.slice(3, 31)])).size, 62)
})

t.test('the hash is SHA-256, and the hint tells next to nothing', async (t) => {
  t.equal(hashSecret('abc').toString('hex'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  t.match(hintOf(makeSecret('rk')), /^rk_[0-9A-Za-z]{4}\.\.\.$/)
})
