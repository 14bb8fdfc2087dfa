/** Values that have broken somebody's API before. */
const CONTROLS = ['\0', 'a\0b', '\u0001\u0008\u001b[31m', '\r\nset-cookie: a=b', '\u202eabc\u2066', '\u200b', '\ufeff', '\u2028',
  '\ud800', 'x\udc00y', '\udbff\udfff', '\ufffe', 'e\u0301'.repeat(50), '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}']
const SQL = ["'; drop table fuzz_canary; --", "' or '1'='1", "1' and (1 / 0)::text = '", '") ; delete from fuzz_canary; --',
  '\\\'; drop table fuzz_canary; --', '$1', '%', '_', "E'\\x00'", '{"$gt":""}', '/**/union/**/select/**/null']
const FORMATS = ['%s%s%s%n%x', '%d%i%j%o%O%c', '{{7*7}}', '$' + '{7*7}', '<script>alert(1)</script>', '../../../../etc/passwd',
  '..\\..\\boot.ini', 'file:///etc/passwd', '=cmd|\'/c calc\'!A1', '$(id)', '`id`']
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__', '*', '.', '..', '-', ' ', '']
const SIZES = ['x'.repeat(65), 'x'.repeat(257), 'x'.repeat(5_000), '\u{1f600}'.repeat(300), 'a'.repeat(100_000)]

export const AMOUNTS: unknown[] = ['-1', '0', '-0', '0.0', '1e3', '1E-9', '0.0000000001', '0.000000001', '9000000000', '9000000000.000000001',
  '9223372036854775807', '9223372036854775808', '1e400', 'NaN', 'Infinity', '0x10', '+1', '01', '1.', '.5', ' 1', '1 ', '1_000', '1,5',
  '\u0661\u0662', '1'.repeat(400), -1, 0, -0, 1e-9, 1e-10, 1e21, 2 ** 53, 2 ** 53 + 2, 0.1 + 0.2, 1e308, 5e-324, -1e308, 1.5]
export const TIMES: unknown[] = ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '1969-12-31T23:59:59Z', '1970-01-01T00:00:00Z',
  '2999-12-31T23:59:59Z', '9999-12-31T23:59:59Z', '+300000-01-01T00:00:00Z', '-000001-01-01T00:00:00Z', '2026-02-30', '2026-02-29',
  '2024-02-29', '2026-13-01', '2026-01-01T24:00:00Z', '2026-12-31T23:59:60Z', '2026-01-01T00:00:00+24:00', '2026-01-01T00:00:00-12:00',
  '2026-01-01T00:00:00.123456789Z', '2026-03-29T02:30:00', 'now', 'yesterday', 'infinity', '-infinity', 'epoch', '1767225600', 1767225600000, '']
export const ZONES: unknown[] = ['UTC+25', 'Etc/GMT+12', 'Etc/GMT-14', 'Pacific/Apia', 'Africa/Monrovia', 'Asia/Kathmandu', 'America/Sao_Paulo',
  'Antarctica/Troll', '../../etc/localtime', 'europe/berlin', 'EST5EDT', 'local', '+00:00', 'Z']

export const TEXTS: string[] = [...CONTROLS, ...SQL, ...FORMATS, ...NAMES, ...SIZES]
export const VALUES: unknown[] = [
  ...TEXTS, ...AMOUNTS, ...TIMES, ...ZONES, null, true, false, [], {}, [[]], [null], [{}], { a: 1 },
  Array.from({ length: 2_000 }, (_, i) => i), Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, 'v'])), nested(31), nested(33), nested(200),
]

function nested (depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? { tags: value } : [value]
  return value
}

/** bodies that are no JSON that a route could take, as text */
export const NO_JSON = ['', ' ', '{', '{"name":', '[1,', '{"a":1}}', '{"a":1}{"b":2}', 'null', 'true', '0', '""', '[]', "{'a':1}", '{a:1}',
  '\ufeff{}', '{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"admin":true}}}', '{"a":NaN}', '{"a":1e999}', '{"a":"\\ud800"}',
  '{"a":"\\x"}', '{"a":"\t"}', 'name=a&amount=1', '<a/>', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
  `{"name":"${'x'.repeat(1_000_000)}"}`, `{"name":"${'x'.repeat(1_100_000)}"}`, `[${'1,'.repeat(300_000)}1]`, '{"amount":1'.padEnd(1_000_000, '0')]

export const TYPES = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json; charset=utf-16',
  'application/json; charset=utf-8', 'application/merge-patch+json', 'application/JSON', 'application/jsonp', 'json', 'application/', '/', '*/*', ',',
  'application/json, text/plain', 'x'.repeat(1_000)]

/** all of them together stay below the 16 KiB that Node takes as a head: what is larger no route ever sees */
export const HEADERS: [string, string[]][] = [
  ['if-match', ['*', '"1"', 'W/"1"', '"1", "2"', '1', '"', '""', '"x"'.padEnd(2_000, ', "x"'), '"99999999999999999999"', '"\u00e9"', '*,"1"']],
  ['if-none-match', ['*', '"1"', 'W/"1"', '1', '"', '"x"'.padEnd(2_000, ', "x"')]],
  ['idempotency-key', ['a', 'x'.repeat(255), 'x'.repeat(256), 'two words', "'; drop table fuzz_canary; --", '\u00e9', '__proto__', 'x'.repeat(2_000)]],
  ['accept', ['text/html', 'text/csv', 'application/xml', '*/*;q=0', 'x'.repeat(2_000), 'text/csv;q=nonsense', ',,,']],
  ['x-request-id', ["'; drop table fuzz_canary; --", 'x'.repeat(2_000), '<script>']],
  ['x-forwarded-for', ['1.2.3.4', 'x'.repeat(2_000), '::1, 127.0.0.1', 'not an address']],
  ['host', ['evil.example', 'localhost:99999', 'a b']],
  ['accept-encoding', ['gzip', 'br;q=1', 'identity;q=0', 'x'.repeat(2_000)]],
  ['x-http-method-override', ['DELETE']],
  ['range', ['bytes=0-1', 'bytes=-1', 'bytes=9-1']],
]

/** what is no percent-encoding, or encodes what no text is */
export const ESCAPES = ['%', '%zz', '%ff', '%c0%af', '%00', '%ud800', '%ed%a0%80', '%2e%2e%2f', '%25', '%252e', '%0d%0aset-cookie:a=b', '%F0%9F%98%80']

export const LIMITS = ['-1', '0', '1.5', '1e3', '99999999999999999999', 'NaN', ' 1', '0x1', '1000', '1001']
