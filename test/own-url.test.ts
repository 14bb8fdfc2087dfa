import t from 'tap'
import { ownUrl } from '../src/own-url.ts'

t.test('what listens on all addresses is told by one that a client can use', async (t) => {
  t.equal(ownUrl('0.0.0.0', 8080), 'http://127.0.0.1:8080')
  t.equal(ownUrl('::', 8080), 'http://[::1]:8080')
  t.equal(ownUrl('::1', 8080), 'http://[::1]:8080')
  t.equal(ownUrl('gateway.internal', 80), 'http://gateway.internal:80')
})
