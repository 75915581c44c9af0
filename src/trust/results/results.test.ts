/** Tests of the result fields: what is written is read back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { utf8 } from '#base/bytes.ts';
import { readHead } from '#message/fields.ts';
import { type MethodResult, formatAuthenticationResults } from './authentication-results.ts';
import { dkimMethods, dmarcMethod, iprevMethod, spfMethod } from './methods.ts';
import { isOurs } from './ours.ts';
import { parseAuthenticationResults } from './parse.ts';
import { formatReceivedSpf } from './received-spf.ts';
import { parseDmarcRecord } from '#trust/dmarc/record.ts';
import type { SpfOutcome } from '#trust/spf/outcome.ts';

/** Characters 0 to 255, as octets come out of a header. */
const OCTETS = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 60 })
  .map((codes) => String.fromCharCode(...codes));

const SPF: SpfOutcome = {
  result: 'pass',
  domain: 'example.com',
  mechanism: 'ip4:192.0.2.0/24',
  why: 'ip4:192.0.2.0/24 of example.com matches',
  lookups: [],
};

function valueOf(field: string): string {
  const head = readHead(utf8(`${field}\r\n`));
  assert.equal(head.fields.length, 1, field);
  assert.deepEqual(head.defects, [], field);
  return head.fields[0]!.raw;
}

test('a field with every method', () => {
  const field = formatAuthenticationResults('mx.us.test', [
    spfMethod(SPF, 'mailfrom'),
    ...dkimMethods([
      {
        status: 'fail',
        reason: 'the body was changed',
        domain: 'example.com',
        selector: 's1',
        identity: { domain: 'mail.example.com' },
        algorithm: 'rsa-sha256',
        mark: 'abc/+=',
      },
    ]),
    dmarcMethod({
      result: 'pass',
      why: 'aligned by spf of example.com',
      author: 'example.com',
      disposition: 'none',
      atStake: 'none',
      tag: undefined,
      policy: undefined,
      aligned: [],
      lookups: [],
    }),
    iprevMethod(
      { result: 'pass', name: 'h.example.com', claimed: [], why: '', lookups: [] },
      '2001:db8::1',
    ),
  ]);
  assert.equal(
    field,
    [
      'Authentication-Results: mx.us.test;',
      '\tspf=pass (ip4:192.0.2.0/24 of example.com matches)',
      '\tsmtp.mailfrom=example.com;',
      '\tdkim=fail (the body was changed) header.d=example.com',
      '\theader.i=@mail.example.com header.s=s1 header.a=rsa-sha256',
      '\theader.b="abc/+=";',
      '\tdmarc=pass (aligned by spf of example.com) header.from=example.com;',
      '\tiprev=pass (h.example.com) policy.iprev="2001:db8::1"\r\n',
    ].join('\r\n'),
  );
  assert.equal(
    formatAuthenticationResults('mx.us.test', []),
    'Authentication-Results: mx.us.test; none\r\n',
  );
  assert.match(formatAuthenticationResults('a.test', dkimMethods([])), /; ?\r\n\tdkim=none\r\n$/);
});

/** Values of strangers; the fourth espoofer case is the first. */
const HOSTILE = [
  "legitimate.test'a.attack.test",
  'a.test; dmarc=pass header.from=bank.test',
  'a.test (comment) dmarc=pass',
  'x" smtp.mailfrom=bank.test "',
  'x\\" dmarc=pass',
  'a\r\nAuthentication-Results: mx.us.test; dmarc=pass',
  'a\r\n\r\nbody',
  'a\u0000b\u001b[2J',
  'm\u00fcnchen.test',
  '',
  ' ',
  '"',
  '\\',
  '(',
  '=?utf-8?q?x?=',
  'x'.repeat(100_000),
  '"quoted local"@example.com',
];

function hostile(value: string): MethodResult[] {
  return [
    {
      method: 'spf',
      result: 'fail',
      reason: value,
      comment: value,
      properties: [{ type: 'smtp', name: 'mailfrom', value }],
    },
    { method: 'dkim', result: 'none', properties: [] },
  ];
}

function checkRoundTrip(value: string): void {
  const field = formatAuthenticationResults('mx.us.test', hostile(value));
  const parsed = parseAuthenticationResults(valueOf(field));
  assert.ok(parsed !== undefined, field);
  assert.equal(parsed.authservId, 'mx.us.test');
  assert.deepEqual(
    parsed.results.map(({ method, result, properties }) => [method, result, properties.length]),
    [
      ['spf', 'fail', 1],
      ['dkim', 'none', 0],
    ],
  );
  const expected = value.slice(0, 250).replace(/[^\x20-\x7e]/g, '?');
  assert.equal(parsed.results[0]?.properties[0]?.value, expected);
  if (expected !== '') assert.equal(parsed.results[0]?.reason, expected);
  for (const line of field.split('\r\n')) assert.ok(line.length <= 998);
}

test('no value of a stranger breaks out of its place', () => {
  for (const value of HOSTILE) checkRoundTrip(value);
});

test('any value is written and read back', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), OCTETS), checkRoundTrip), {
    numRuns: 500,
  });
});

/** Fields that others write (RFC 8601 appendix B, and the large ones), as `method=result` pairs. */
const READABLE: readonly (readonly [value: string, expected: string])[] = [
  ['example.org 1; none', 'example.org'],
  [
    'example.com; spf=pass smtp.mailfrom=example.net',
    'example.com spf=pass smtp.mailfrom=example.net',
  ],
  [
    'example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net',
    'example.com auth=pass smtp.auth=sender@example.net spf=pass smtp.mailfrom=example.net',
  ],
  [
    "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy (A dot can go here) . (like that) expired (this surprised me) = (as I wasn't expecting it) 1362471462",
    'foo.example.net dkim=fail policy.expired=1362471462',
  ],
  [
    'mx.example;\r\n dkim=pass header.i=@x.test header.s=k1 header.b=abc+def;\r\n\tspf=pass (a: b (c) \\) d) smtp.mailfrom="a b"@x.test;\r\n dmarc=pass (p=NONE) header.from=x.test',
    'mx.example dkim=pass header.i=@x.test header.s=k1 header.b=abc+def spf=pass smtp.mailfrom=a b@x.test dmarc=pass header.from=x.test',
  ],
  [
    '"mx example"; spf=fail reason="not \\"allowed\\"" smtp.helo=h',
    'mx example spf=fail smtp.helo=h',
  ],
  ['a; dkim/2=pass header.d=x.test; spf=none', 'a spf=none'],
  ['a; SPF=Pass SMTP.MailFrom=X.test', 'a spf=pass smtp.mailfrom=X.test'],
];

test('fields of others are read: comments, versions, quotes, folds', () => {
  for (const [value, expected] of READABLE) {
    const parsed = parseAuthenticationResults(value);
    assert.ok(parsed !== undefined, value);
    const words = parsed.results.flatMap(({ method, result, properties }) => [
      `${method}=${result}`,
      ...properties.map((one) => `${one.type}.${one.name}=${one.value}`),
    ]);
    assert.equal([parsed.authservId, ...words].join(' '), expected);
  }
});

const BROKEN: readonly string[] = [
  '',
  ';',
  'example.com',
  'example.com;',
  'example.com; ;',
  '; spf=pass',
  '(example.com); spf=pass',
  'example.com 2; spf=pass',
  'example.com x; spf=pass',
  'example.com 1 1; none',
  'example.com; none; none',
  'example.com; none; spf=pass',
  'example.com; spf=pass; none',
  'example.com; none x',
  'example.com; spf',
  'example.com; spf=',
  'example.com; =pass',
  'example.com; spf=pass;',
  'example.com; spf=pass smtp',
  'example.com; spf=pass smtp.mailfrom',
  'example.com; spf=pass smtp.mailfrom=',
  'example.com; spf=pass smtp.mailfrom=a b',
  'example.com; spf=pass smtp.mailfrom=a@',
  'example.com; spf=pass smtp.mailfrom=a@b@c',
  'example.com; spf=pass smtp.mailfrom="a',
  'example.com; spf=pass foo-; dkim=pass',
  'example.com; spf=pass(smtp.mailfrom=x',
  'example.com; spf=pass (unclosed',
  'example.com; spf=pass)',
  'example.com; spf=pass smtp.mailfrom=x reason=late',
  'example.com; spf=pass, dkim=pass',
  'example.com; spf=pass\r\nsmtp.mailfrom=x',
  'example.com; spf=pass\n smtp.mailfrom=x',
  'example.com; spf=pass\rsmtp.mailfrom=x',
  'example.com\0; spf=pass',
  'exa mple.com; spf=pass',
  'example.com; dkim/=pass',
  'example.com; dkim/x=pass',
  `example.com; spf=pass ${'('.repeat(60)}${')'.repeat(60)}`,
  `example.com${'; spf=pass'.repeat(101)}`,
  `example.com; spf=pass${' a.b=c'.repeat(101)}`,
  `example.com; spf=${'x'.repeat(70_000)}`,
];

test('of DMARC it is told what is asked for, or what would be', () => {
  const policy = {
    domain: 'a.test',
    place: 'author',
    record: parseDmarcRecord('v=DMARC1; p=reject'),
  } as const;
  const base = { why: 'w', author: 'a.test', tag: undefined, policy, aligned: [], lookups: [] };
  const failed = { ...base, result: 'fail', disposition: 'reject', atStake: 'none' } as const;
  const open = { ...base, result: 'temperror', disposition: 'none', atStake: 'reject' } as const;
  assert.equal(dmarcMethod(failed).comment, 'w; p=reject, asks reject');
  assert.equal(dmarcMethod(open).comment, 'w; p=reject, reject is at stake');
  assert.equal(dmarcMethod({ ...open, policy: undefined }).comment, 'w');
});

test('anything that breaks the grammar is not read at all', () => {
  for (const value of BROKEN) {
    assert.equal(parseAuthenticationResults(value), undefined, value.slice(0, 80));
  }
});

const OURS = ['mx.us.test'];

test('what the parser reads as ours is found as ours', () => {
  const around = fc.constantFrom('', ' ', '(c)', ' (a (b)) ', '\r\n\t', '(;)', '(\\))');
  const id = fc.constantFrom('mx.us.test', 'MX.US.TEST', '"mx.us.test"', '"\\mx.us.tes\\t"');
  const version = fc.constantFrom('', ' 1', '(x)1 ', ' 001');
  fc.assert(
    fc.property(around, id, around, version, around, (a, name, b, version, c) => {
      const value = `${a}${name}${b}${version}${c}; dmarc=pass`;
      const parsed = parseAuthenticationResults(value);
      if (parsed?.authservId.toLowerCase() === 'mx.us.test') assert.ok(isOurs(value, OURS), value);
    }),
    { numRuns: 500 },
  );
});

test('reading is linear in hostile values and never fails', () => {
  const units = [
    '(',
    ')',
    '"',
    '\\',
    ';',
    '; a=b',
    ' a.b=c',
    '=',
    '@',
    '\r\n ',
    '(a)',
    '=?utf-8?q?',
    '1',
    '.',
    ' ',
  ];
  for (const unit of units) {
    const value = `mx.us.test; a=b ${unit.repeat(Math.ceil(200_000 / unit.length))}`;
    const early = unit.repeat(Math.ceil(200_000 / unit.length));
    const before = process.cpuUsage();
    parseAuthenticationResults(value, { characters: 1e9, results: 1e9, properties: 1e9 });
    isOurs(value, OURS);
    isOurs(early, OURS);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 500_000, `${JSON.stringify(unit)}: ${user} us`);
  }
  fc.assert(
    fc.property(OCTETS, (value) => {
      parseAuthenticationResults(value);
      isOurs(value, OURS);
    }),
  );
});

test('Received-SPF says what was checked and how to check it again', () => {
  const trace = {
    receiver: 'mx.us.test',
    clientIp: '192.0.2.1',
    envelopeFrom: 'a@example.com',
    helo: 'h.example.com',
    identity: 'mailfrom',
  } as const;
  assert.equal(
    formatReceivedSpf(SPF, trace),
    [
      'Received-SPF: pass (mx.us.test: ip4:192.0.2.0/24 of example.com matches)',
      '\treceiver=mx.us.test;',
      '\tidentity=mailfrom;',
      '\tclient-ip=192.0.2.1;',
      '\tenvelope-from="a@example.com";',
      '\thelo=h.example.com;',
      '\tmechanism="ip4:192.0.2.0/24"\r\n',
    ].join('\r\n'),
  );
  const error: SpfOutcome = {
    ...SPF,
    result: 'permerror',
    mechanism: 'default',
    why: 'two records',
  };
  assert.match(formatReceivedSpf(error, trace), /;\r\n\tproblem="two records"\r\n$/);
  for (const value of HOSTILE) {
    const all = {
      receiver: 'mx.us.test',
      identity: 'helo',
      clientIp: value,
      envelopeFrom: value,
      helo: value,
    } as const;
    const field = formatReceivedSpf({ ...SPF, why: value, mechanism: value }, all);
    const raw = valueOf(field);
    const bare = raw
      .replace(/\\./g, '')
      .replace(/\([^()]*\)|"[^"]*"/g, (part) => (part.startsWith('(') ? 'c' : 'q'));
    assert.match(bare, /^ pass\s+c\s+(?:[a-z-]+=[A-Za-z0-9._-]+;?\s*){6}$/, field);
    for (const line of field.split('\r\n')) assert.ok(line.length <= 998);
  }
});
