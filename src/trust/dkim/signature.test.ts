/** Tests of reading signatures and key records: everything that must be refused, and why. */

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readKeyRecord } from './key-record.ts';
import { readSignature } from './signature.ts';
import { decodeBase64, parseTagList } from './tags.ts';

const BH = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const GOOD: Readonly<Record<string, string>> = {
  v: '1',
  a: 'rsa-sha256',
  b: 'AAAA',
  bh: BH,
  d: 'example.com',
  h: 'From:To',
  s: 'sel',
};

/** The good signature with tags changed; undefined takes one away. */
function raw(change: Readonly<Record<string, string | undefined>> = {}): string {
  const tags = Object.entries({ ...GOOD, ...change }).filter(([, value]) => value !== undefined);
  return ` ${tags.map(([name, value]) => `${name}=${value}`).join('; ')}`;
}

test('a good signature is read whole', () => {
  const { reading, claims } = readSignature(
    raw({
      c: 'relaxed',
      i: 'a=20b@sub.Example.com',
      h: 'From :\r\n\tTo',
      t: '12',
      x: '13',
      l: '5',
    }),
  );
  assert.ok(reading.kind === 'read');
  const { value } = reading;
  assert.equal(value.keyName, 'sel._domainkey.example.com');
  assert.deepEqual([value.headCanon, value.body.canon], ['relaxed', 'simple']);
  assert.deepEqual(value.fields, ['from', 'to']);
  assert.equal(value.body.lengthBytes, 5);
  assert.deepEqual(claims.identity, { local: 'a=20b', domain: 'sub.example.com' });
  assert.equal(claims.mark, 'AAAA');
});

const REFUSED: readonly (readonly [
  change: Readonly<Record<string, string | undefined>>,
  status: string,
  reason: RegExp,
])[] = [
  [{ v: undefined }, 'permerror', /v= is missing/],
  [{ v: '2' }, 'neutral', /version/],
  [{ v: '' }, 'neutral', /version/],
  [{ a: undefined }, 'permerror', /a= is missing/],
  [{ a: 'rsa-sha1' }, 'fail', /rsa-sha1/],
  [{ a: 'rsa-sha512' }, 'neutral', /algorithm/],
  [{ a: 'RSA-SHA256' }, 'neutral', /algorithm/],
  [{ a: '__proto__' }, 'neutral', /algorithm/],
  [{ b: undefined }, 'permerror', /b= is missing/],
  [{ b: '' }, 'permerror', /b= is no base64/],
  [{ b: 'AAA' }, 'permerror', /b= is no base64/],
  [{ b: 'A\u00e4==' }, 'permerror', /b= is no base64/],
  [{ b: 'A'.repeat(8_000) }, 'permerror', /b= is too long/],
  [{ b: 'A'.repeat(1_048_576) }, 'permerror', /too long/],
  [{ bh: undefined }, 'permerror', /bh= is missing/],
  [{ bh: '' }, 'permerror', /bh= is no SHA-256/],
  [{ bh: 'uoq1oCgLlTqpdDX/iUbLy7J1Wic=' }, 'permerror', /bh= is no SHA-256/],
  [{ c: '' }, 'neutral', /c=/],
  [{ c: 'nowsp' }, 'neutral', /c=/],
  [{ c: 'relaxed/' }, 'neutral', /c=/],
  [{ d: undefined }, 'permerror', /d= is missing/],
  [{ d: '' }, 'permerror', /d= is no domain/],
  [{ d: 'com' }, 'permerror', /d= is no domain/],
  [{ d: 'example.com.' }, 'permerror', /d= is no domain/],
  [{ d: 'a..com' }, 'permerror', /d= is no domain/],
  [{ d: '192.0.2.1' }, 'permerror', /d= is no domain/],
  [{ d: '[192.0.2.1]' }, 'permerror', /d= is no domain/],
  [{ d: 'legitimate.com(.attack.com' }, 'permerror', /d= is no domain/],
  [{ d: 'exa mple.com' }, 'permerror', /d= is no domain/],
  [{ d: '\xff.com' }, 'permerror', /d= is no domain/],
  [{ d: `${'a.'.repeat(130)}com` }, 'permerror', /d= is no domain/],
  [{ s: undefined }, 'permerror', /s= is missing/],
  [{ s: '' }, 'permerror', /s= is no selector/],
  [{ s: 'a..b' }, 'permerror', /s= is no selector/],
  [{ s: "a'b" }, 'permerror', /s= is no selector/],
  [{ s: 'a.' }, 'permerror', /s= is no selector/],
  [{ s: 'x'.repeat(64) }, 'permerror', /s= is no selector/],
  [{ s: `${'abcdefgh.'.repeat(25)}x`, d: 'a-long-name.example.com' }, 'permerror', /s= is no sel/],
  [{ h: undefined }, 'permerror', /h= is missing/],
  [{ h: '' }, 'permerror', /From is not signed/],
  [{ h: 'To:Subject' }, 'permerror', /From is not signed/],
  [{ h: 'Fro\r\n m' }, 'permerror', /no field/],
  [{ h: 'From:T\u00f6' }, 'permerror', /no field/],
  [{ h: `From${':To'.repeat(1_000)}` }, 'permerror', /h= is too long/],
  [{ i: 'joe@other.org' }, 'permerror', /i= lies outside/],
  [{ i: 'joe@notexample.com' }, 'permerror', /i= lies outside/],
  [{ i: 'example.com' }, 'permerror', /i= has no domain/],
  [{ i: '' }, 'permerror', /i= has no domain/],
  [{ l: '-1' }, 'permerror', /l= is no number/],
  [{ l: '' }, 'permerror', /l= is no number/],
  [{ l: '1'.repeat(77) }, 'permerror', /l= is no number/],
  [{ q: 'dns/other' }, 'neutral', /q=/],
  [{ t: 'now' }, 'permerror', /t= is no time/],
  [{ t: '' }, 'permerror', /t= is no time/],
  [{ x: '1e9' }, 'permerror', /x= is no time/],
  [{ t: '20', x: '20' }, 'permerror', /x= is not later/],
  [{ t: '9'.repeat(13), x: '9'.repeat(13) }, 'permerror', /x= is not later/],
];

test('what must be refused is refused, with the reason', () => {
  for (const [change, status, reason] of REFUSED) {
    const { reading } = readSignature(raw(change));
    const shown = JSON.stringify(change).slice(0, 60);
    assert.ok(reading.kind === 'refused', shown);
    assert.equal(reading.verdict.status, status, shown);
    assert.match(reading.verdict.reason, reason, shown);
  }
});

test('espoofer A3 and A4: a NUL in s= and a quote in d= are refused, and never repeated', () => {
  const nul = readSignature(
    raw({ s: 'selector._domainkey.attack.com.\0.any', d: 'legitimate.com' }),
  );
  assert.ok(nul.reading.kind === 'refused');
  assert.equal(nul.reading.verdict.status, 'permerror');
  assert.equal(nul.claims.domain, undefined);
  const quote = readSignature(raw({ d: "legitimate.com'a.attack.com" }));
  assert.ok(quote.reading.kind === 'refused');
  assert.equal(quote.reading.verdict.status, 'permerror');
  assert.doesNotMatch(JSON.stringify(quote), /attack/);
  const mark = readSignature(raw({ b: 'AAAA dkim=pass (" \\' })).claims;
  assert.equal(mark.mark, 'AAAAdkim');
});

test('U-labels are names too (RFC 8616), as A-labels', () => {
  const utf8 = Buffer.from('b\u00fccher.example').toString('latin1');
  const { reading, claims } = readSignature(raw({ d: utf8, i: `@${utf8}` }));
  assert.ok(reading.kind === 'read');
  assert.equal(claims.domain, 'xn--bcher-kva.example');
  assert.equal(reading.value.keyName, 'sel._domainkey.xn--bcher-kva.example');
});

test('tag lists: what spoils one', () => {
  const good = ['a=1', ' a = 1 ; b=2;', 'a=;\r\n\tb=x y', 'a=1;b=2; ', 'a_1=\xe9', 'p=a=b=='];
  for (const list of good) assert.equal(parseTagList(list).kind, 'tags', list);
  const bad = ['', ';', 'a', 'a=1;;b=2', ';a=1', '=1', '1a=1', 'a=1;a=2', 'a b=1', 'a=\0', 'a=1;b'];
  for (const list of bad) assert.equal(parseTagList(list).kind, 'bad', list);
  assert.equal(parseTagList(tagsUpTo(128)).kind, 'tags');
  assert.equal(parseTagList(tagsUpTo(129)).kind, 'bad');
});

test('any text is read without failing, and what is read is within its limits', () => {
  const piece = fc.constantFrom(
    'v=1;',
    'a=rsa-sha256;',
    'b=',
    'd=a.b;',
    ';',
    '=',
    '\0',
    ' ',
    '\r\n ',
  );
  const text = fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }).map((all) => all.join(''));
  fc.assert(
    fc.property(text, (source) => {
      readSignature(source);
      readKeyRecord(source, 'rsa-sha256');
      decodeBase64(source);
    }),
    { numRuns: 1_000 },
  );
});

const RSA = new Map(
  [512, 768, 1_023, 1_024, 2_048].map((modulusLength) => [
    modulusLength,
    generateKeyPairSync('rsa', { modulusLength }).publicKey,
  ]),
);

function rsa(bits: number, type: 'spki' | 'pkcs1' = 'spki'): string {
  return RSA.get(bits)!.export({ type, format: 'der' }).toString('base64');
}

const ED25519 = 'p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';

const RECORDS: readonly (readonly [record: string, status: string, reason?: RegExp])[] = [
  [`v=DKIM1; k=rsa; p=${rsa(2_048)}`, 'read'],
  [`p=${rsa(1_024)}`, 'read'],
  [`v=DKIM1; p=${rsa(1_024, 'pkcs1')}`, 'read'],
  [`v=DKIM1; h=sha1:sha256; s=email:x; t=y:s; n=a note; p=${rsa(1_024)};`, 'read'],
  [`v=DKIM1; s=*; p=${rsa(1_024).replace(/.{60}/g, '$& ')}`, 'read'],
  [`v=DKIM1; p=${rsa(1_023)}`, 'fail', /1023 bits/],
  [`v=DKIM1; p=${rsa(768)}`, 'fail', /768 bits/],
  [`v=DKIM1; p=${rsa(512)}`, 'fail', /512 bits/],
  ['v=DKIM1; p=', 'fail', /revoked/],
  ['v=DKIM1; k=rsa', 'permerror', /p= is missing/],
  ['v=DKIM1; p=!!!!', 'permerror', /no base64/],
  ['v=DKIM1; p=AAAA', 'permerror', /no such key/],
  [`v=DKIM1; p=${rsa(1_024).slice(0, -8)}`, 'permerror', /no such key/],
  [`v=DKIM1.0; p=${rsa(1_024)}`, 'permerror', /no DKIM key/],
  [`k=rsa; v=DKIM1; p=${rsa(1_024)}`, 'permerror', /no DKIM key/],
  ['v=spf1 -all', 'permerror', /no DKIM key/],
  ['google-site-verification=abc', 'permerror', /key record/],
  [`v=DKIM1; h=sha1; p=${rsa(1_024)}`, 'permerror', /another hash/],
  [`v=DKIM1; s=tlsrpt; p=${rsa(1_024)}`, 'permerror', /not for mail/],
  [`v=DKIM1; k=ed25519; ${ED25519}`, 'permerror', /another algorithm/],
  [`v=DKIM1; p=${rsa(1_024)}; p=${rsa(1_024)}`, 'permerror', /twice/],
  [`v=DKIM1; n=${'x'.repeat(65_000)}; p=${rsa(1_024)}`, 'permerror', /too long/],
];

test('key records: which are keys', () => {
  for (const [record, status, reason] of RECORDS) {
    const reading = readKeyRecord(record, 'rsa-sha256');
    const shown = record.slice(0, 40);
    if (reading.kind === 'read') assert.equal('read', status, shown);
    else {
      assert.equal(reading.verdict.status, status, shown);
      assert.match(reading.verdict.reason, reason ?? /^$/, shown);
    }
  }
  const flags = readKeyRecord(`v=DKIM1; t= y : s ; p=${rsa(1_024)}`, 'rsa-sha256');
  assert.ok(flags.kind === 'read' && flags.value.testing && flags.value.sameDomain);
});

test('key records: Ed25519 is 32 octets, and sizes above the limit cost nothing', () => {
  assert.equal(readKeyRecord(`v=DKIM1; k=ed25519; ${ED25519}`, 'ed25519-sha256').kind, 'read');
  const long = readKeyRecord(`v=DKIM1; k=ed25519; p=${'A'.repeat(60)}`, 'ed25519-sha256');
  assert.equal(long.kind, 'refused');
  for (const bytes of [513, 1_024, 2_048]) {
    const large = readKeyRecord(`v=DKIM1; p=${rsaWith(bytes, '010001')}`, 'rsa-sha256');
    assert.ok(large.kind === 'refused' && large.verdict.status === 'policy');
    assert.match(large.verdict.reason, /too large/);
  }
  const slow = readKeyRecord(`v=DKIM1; p=${rsaWith(256, 'ff'.repeat(255))}`, 'rsa-sha256');
  assert.ok(slow.kind === 'refused' && /exponent/.test(slow.verdict.reason));
  assert.equal(readKeyRecord(`v=DKIM1; p=${rsaWith(512, '010001')}`, 'rsa-sha256').kind, 'read');
});

/** RSAPublicKey with a modulus of so many octets that nobody knows the factors of. */
function rsaWith(bytes: number, exponent: string): string {
  const integer = (octets: Buffer) => der(0x02, Buffer.concat([Buffer.alloc(1), octets]));
  const modulus = integer(Buffer.alloc(bytes, 0xab));
  return der(0x30, Buffer.concat([modulus, integer(Buffer.from(exponent, 'hex'))])).toString(
    'base64',
  );
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

function tagsUpTo(count: number): string {
  return Array.from({ length: count }, (_, at) => `t${at}=x`).join(';');
}
