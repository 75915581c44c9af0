/** Tests of the verdicts: which messages pass, which do not, and for what reason. */

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { fromLatin1 } from '#base/bytes.ts';
import { hashBody } from './body.ts';
import { SignedHead } from './header.ts';
import { askForKeys } from './key-lookup.ts';
import { keyRecord } from './keys.ts';
import { SIGNING_WANT, type SigningKey, signTags } from './sign.ts';
import { NOW_MS, type Zone, keySource, lines, signed, testKey } from './testing.ts';
import { verdict, verified } from './testing.ts';
import { DkimSignatures } from './verify.ts';

const NOW = NOW_MS / 1_000;
const KEY = testKey('rsa-sha256', 'example.com', 'one');
const ED = testKey('ed25519-sha256', 'example.com', 'two');
const NAME = 'one._domainkey.example.com';
const BODY = lines('Hello.', '', 'Bye  now.');
const HEAD = lines('From: a@example.com', 'To: b@example.org', 'Subject: Hi  there');
const MESSAGE = `${HEAD}\r\n${BODY}`;

/** Signs with tags as they are given: what our own signer would never write. */
function signedWith(
  tags: Readonly<Record<string, string>>,
  message = MESSAGE,
  key: SigningKey = KEY,
): string {
  const [head = '', body = ''] = message.split(/(?<=\r\n)\r\n(.*)/s);
  const { h = 'From:To:Subject', l } = tags;
  const want = { ...SIGNING_WANT, lengthBytes: l === undefined ? undefined : Number(l) };
  const [digest = new Uint8Array(32)] = hashBody(fromLatin1(body), [want]).digests.values();
  const all = {
    v: '1',
    a: key.algorithm,
    c: 'relaxed/relaxed',
    d: key.domain,
    s: key.selector,
    ...tags,
    h,
    bh: Buffer.from(digest).toString('base64'),
    b: '',
  };
  const covered = new SignedHead(fromLatin1(head)).covered(h.split(':'), 'relaxed');
  return signTags('DKIM-Signature', Object.entries(all), covered, key) + message;
}

test('a good message passes, with the facts for the ledger', async () => {
  const result = await verdict(signed(MESSAGE, KEY), KEY.zone);
  assert.equal(result.status, 'pass');
  assert.equal(result.domain, 'example.com');
  assert.equal(result.keyBits, 1_024);
  assert.equal(result.signedAtSeconds, NOW);
  assert.deepEqual(result.lookup, {
    name: NAME,
    answer: 'found',
    records: 1,
    ttlSeconds: 300,
    authentic: true,
    why: undefined,
  });
});

const KEYS: readonly (readonly [zone: Zone, status: string, reason: RegExp])[] = [
  [{}, 'permerror', /there is no key/],
  [{ [NAME]: 'nodata' }, 'permerror', /there is no key/],
  [{ [NAME]: [] }, 'permerror', /there is no key/],
  [{ [NAME]: 'failed' }, 'temperror', /no answer/],
  [{ [NAME]: ['v=DKIM1; p='] }, 'fail', /revoked/],
  [{ [NAME]: ['v=spf1 -all'] }, 'permerror', /no DKIM key/],
  [{ [NAME]: ['v=spf1 -all', KEY.record] }, 'pass', /right/],
  [{ [NAME]: [KEY.record, 'v=spf1 -all'] }, 'pass', /right/],
  [{ [NAME]: [ED.record, KEY.record] }, 'pass', /right/],
  [{ [NAME]: ['v=spf1 -all', 'v=DKIM1; p='] }, 'fail', /revoked/],
  [{ [NAME]: [...Array<string>(4).fill('v=spf1'), KEY.record] }, 'permerror', /no DKIM key/],
  [{ [NAME]: [otherKey()] }, 'fail', /does not fit/],
  [{ [NAME]: [ED.record] }, 'permerror', /another algorithm/],
  [{ [NAME]: [`${KEY.record}; t=y`] }, 'pass', /right/],
  [{ [NAME]: [`${otherKey()}; t=y`] }, 'neutral', /does not fit/],
  [{ [NAME]: [`${KEY.record}; n=${'x'.repeat(65_536)}`] }, 'permerror', /too long/],
];

test('what the key records decide', async () => {
  const message = signed(MESSAGE, KEY);
  for (const [zone, status, reason] of KEYS) {
    const result = await verdict(message, zone);
    const shown = JSON.stringify(zone).slice(0, 80);
    assert.equal(result.status, status, shown);
    assert.match(result.reason, reason, shown);
  }
  const testing = await verdict(message, { [NAME]: [`${KEY.record}; t=y`] });
  assert.equal(testing.testing, true);
});

test('RSA keys below 1,024 bits prove nothing, even with a right signature', async () => {
  for (const bits of [512, 768, 1_023]) {
    const weak = testKey('rsa-sha256', 'example.com', 'weak', bits);
    const result = await verdict(signed(MESSAGE, weak), weak.zone);
    assert.deepEqual([result.status, result.keyBits], ['fail', undefined]);
    assert.match(result.reason, new RegExp(`${bits} bits`));
  }
});

test('rsa-sha1 fails without a question to the DNS', async () => {
  const source = keySource(KEY.zone);
  const head = signed(MESSAGE, KEY)
    .replace('rsa-sha256', 'rsa-sha1')
    .replace(/\r\n\r\n[^]*$/, '\r\n\r\n');
  const signatures = new DkimSignatures(new SignedHead(fromLatin1(head)));
  const answers = await askForKeys(signatures.keyNames, source);
  const { results } = signatures.judge(
    hashBody(fromLatin1(BODY), signatures.wants),
    answers,
    NOW_MS,
  );
  assert.deepEqual(
    results.map(({ status, reason }) => [status, reason]),
    [['fail', 'rsa-sha1 proves nothing any more']],
  );
  assert.deepEqual(source.asked, []);
});

const TIMES: readonly (readonly [tags: Readonly<Record<string, string>>, status: string])[] = [
  [{ t: String(NOW) }, 'pass'],
  [{ t: String(NOW + 299) }, 'pass'],
  [{ t: String(NOW + 301) }, 'fail'],
  [{ t: '9'.repeat(40) }, 'fail'],
  [{ x: String(NOW - 299) }, 'pass'],
  [{ x: String(NOW - 301) }, 'fail'],
  [{ t: '1', x: '2' }, 'fail'],
  [{ x: '9'.repeat(40) }, 'pass'],
];

test('x= in the past and t= in the future, with clocks that differ a little', async () => {
  for (const [tags, status] of TIMES) {
    const result = await verdict(signedWith(tags), KEY.zone);
    assert.equal(result.status, status, JSON.stringify(tags));
  }
  const strict = await verdict(signedWith({ t: String(NOW + 1) }), KEY.zone, { skewSeconds: 0 });
  assert.match(strict.reason, /future/);
});

test('l= never passes: not with more behind it, not with nothing behind it', async () => {
  const exact = await verdict(signedWith({ l: '20' }), KEY.zone);
  assert.deepEqual([exact.status, exact.partial, exact.unsignedBytes], ['policy', true, 0]);
  const more = await verdict(`${signedWith({ l: '20' })}Buy now!\r\n`, KEY.zone);
  assert.deepEqual([more.status, more.partial, more.unsignedBytes], ['policy', true, 10]);
  const none = await verdict(signedWith({ l: '0' }), KEY.zone);
  assert.deepEqual([none.status, none.partial, none.unsignedBytes], ['policy', true, 20]);
  const long = await verdict(signedWith({ l: '21' }), KEY.zone);
  assert.deepEqual([long.status, long.reason], ['fail', 'l= is longer than the body']);
  const broken = await verdict(signedWith({ l: '20' }).replace('Bye', 'Buy'), KEY.zone);
  assert.deepEqual([broken.status, broken.partial], ['fail', true]);
});

test('i= below d= is fine unless the key says t=s', async () => {
  const message = signedWith({ i: 'joe@sub.example.com' });
  const result = await verdict(message, KEY.zone);
  assert.equal(result.status, 'pass');
  assert.deepEqual(result.identity, { local: 'joe', domain: 'sub.example.com' });
  const strict = await verdict(message, { [NAME]: [`${KEY.record}; t=s`] });
  assert.deepEqual(
    [strict.status, strict.reason],
    ['permerror', 'i= lies below d=, the key forbids that'],
  );
  const same = await verdict(signedWith({ i: '@example.com' }), {
    [NAME]: [`${KEY.record}; t=s`],
  });
  assert.equal(same.status, 'pass');
});

test('h= takes fields from the bottom, each once; none where none is left', async () => {
  const two = lines('From: z@evil.test', 'X: 1', 'From: a@example.com', 'X: 2');
  const head = new SignedHead(fromLatin1(`${two}\r\n`));
  assert.equal(
    head.covered(['x', 'From', 'X', 'x', 'none', 'from'], 'relaxed'),
    'x:2\r\nfrom:a@example.com\r\nx:1\r\nfrom:z@evil.test\r\n',
  );
});

test('a second From breaks a signature that oversigns, and passes one that does not', async () => {
  const ours = signed(MESSAGE, KEY);
  const oversigned = await verdict(
    ours.replace('\r\nFrom:', '\r\nFrom: z@evil.test\r\nFrom:'),
    KEY.zone,
  );
  assert.equal(oversigned.status, 'fail');
  const theirs = signedWith({}).replace('From: ', 'From: z@evil.test\r\nFrom: ');
  const loose = await verdict(theirs, KEY.zone);
  assert.equal(loose.status, 'pass');
  assert.equal(loose.signedFields.filter((name) => name === 'from').length, 1);
});

test('a signature that names DKIM-Signature does not mean itself', async () => {
  const inner = signed(MESSAGE, ED);
  const outer = signedWith({ h: 'From:DKIM-Signature:DKIM-Signature' }, inner);
  const zone = { ...KEY.zone, ...ED.zone };
  const { results } = await verified(outer, zone);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['pass', 'pass'],
  );
  const changed = await verified(outer.replace(/(a=ed25519[^]*?t=)\d/, '$10'), zone);
  assert.deepEqual(
    changed.results.map(({ status }) => status),
    ['fail', 'fail'],
  );
});

test('ten signatures are looked at, the rest is counted; one question a name', async () => {
  const many = Array.from({ length: 1_000 }, () => signed(MESSAGE, KEY).slice(0, -MESSAGE.length));
  const message = many.join('') + MESSAGE;
  const { results, notLookedAt } = await verified(message, KEY.zone);
  assert.deepEqual([results.length, notLookedAt], [10, 990]);
  assert.ok(results.every(({ status }) => status === 'pass'));
  const head = fromLatin1(message.slice(0, -BODY.length));
  const signatures = new DkimSignatures(new SignedHead(head));
  assert.deepEqual(signatures.keyNames, [NAME]);
});

test('a message without a signature has no result', async () => {
  assert.deepEqual(await verified(MESSAGE, {}), { results: [], notLookedAt: 0 });
});

test('a missing answer is temporary, but a changed body is not', async () => {
  const changed = signed(MESSAGE, KEY).replace('Hello', 'Hallo');
  assert.equal((await verdict(changed, { [NAME]: 'failed' })).status, 'fail');
});

test('a message makes us ask for so many keys, and a resolver that throws is no answer', async () => {
  const source = keySource({});
  const names = Array.from({ length: 60 }, (_, at) => `${at}._domainkey.example.com`);
  const answers = await askForKeys([...names, ...names], source);
  assert.deepEqual([source.asked.length, answers.size], [40, 60]);
  assert.equal(answers.get('0._domainkey.example.com')?.kind, 'none');
  assert.equal(answers.get('59._domainkey.example.com')?.kind, 'failed');
  const none = await askForKeys(['a.test'], { txt: () => Promise.reject(new Error('broken')) });
  assert.equal(none.get('a.test')?.kind, 'failed');
});

test('the verdict needs nothing but data: it may be made in another thread', async () => {
  const head = fromLatin1(signed(MESSAGE, KEY).slice(0, -BODY.length));
  const signatures = new DkimSignatures(new SignedHead(head));
  const answers = await askForKeys(signatures.keyNames, keySource(KEY.zone));
  const body = hashBody(fromLatin1(BODY), signatures.wants);
  const copy = structuredClone({ head, body, answers });
  const there = new DkimSignatures(new SignedHead(copy.head));
  const { results } = there.judge(copy.body, copy.answers, NOW_MS);
  assert.deepEqual(
    structuredClone(results).map(({ status }) => status),
    ['pass'],
  );
});

function otherKey(): string {
  return keyRecord(
    createPublicKey(generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey),
  );
}
