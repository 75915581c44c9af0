/** Tests of ARC chains: sealed by us, broken in every way, and passed on. */

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromLatin1 } from '#base/bytes.ts';
import { splitMessage } from '#message/edit.ts';
import { hashBody } from '#trust/dkim/body.ts';
import { SignedHead } from '#trust/dkim/header.ts';
import { SIGNING_WANT, type SigningKey } from '#trust/dkim/sign.ts';
import { checkSignature } from '#trust/dkim/key-record.ts';
import { readOrigin } from '#trust/dkim/signature.ts';
import { type TagList, parseTagList } from '#trust/dkim/tags.ts';
import { runScenarios, validate } from '#test/vectors/arc.ts';
import { NOW_MS, type Zone, keySource, lines, signed, testKey } from '#trust/dkim/testing.ts';
import { type SealOptions, sealMessage } from './seal.ts';
import { readArcSets } from './sets.ts';
import { SignatureVerification, judgeEvidence } from './verification.ts';
import type { ArcReport } from './verify.ts';

const KEY = testKey('ed25519-sha256', 'list.example', 'one');
const RSA = testKey('rsa-sha256', 'relay.example', 'two');
const AUTHOR = testKey('ed25519-sha256', 'example.com', 'a');
const ZONE: Zone = { ...KEY.zone, ...RSA.zone, ...AUTHOR.zone };
const MESSAGE =
  lines('From: a@example.com', 'To: l@list.example', 'Subject: x', '') + lines('Body');
const RESULTS = 'mx.list.example; spf=pass smtp.mailfrom=example.com';

const NO_CHAIN: ArcReport = {
  status: 'none',
  reason: '',
  temporary: false,
  chain: { highest: 0, sealedFail: false },
  oldestPass: undefined,
  sets: [],
  partial: false,
  lookups: [],
};

async function check(message: string, zone: Zone = ZONE): Promise<ArcReport> {
  const { head, body } = splitMessage(fromLatin1(message));
  const verification = new SignatureVerification(head, keySource(zone));
  verification.write(body);
  return (await verification.finish(NOW_MS)).arc;
}

async function sealedOnce(
  message: string,
  key: SigningKey = KEY,
  options: Partial<SealOptions> = {},
): Promise<string | undefined> {
  const { head, body } = splitMessage(fromLatin1(message));
  const report = await check(message);
  const digests = hashBody(body, [SIGNING_WANT]);
  const set = sealMessage(new SignedHead(head), digests, report, RESULTS, key, {
    atMs: NOW_MS,
    ...options,
  });
  return set === undefined ? undefined : set.join('') + message;
}

async function sealed(times: number, message = MESSAGE): Promise<string> {
  let whole = message;
  for (let nth = 0; nth < times; nth++) {
    whole = (await sealedOnce(whole, nth % 2 === 0 ? KEY : RSA)) ?? '';
  }
  return whole;
}

/** As `sealed`, but without checking each set before the next. */
function trusting(times: number): string {
  let whole = MESSAGE;
  for (let highest = 0; highest < times; highest++) {
    const { head, body } = splitMessage(fromLatin1(whole));
    const report = { ...NO_CHAIN, chain: { highest, sealedFail: false } };
    const status = highest === 0 ? 'none' : 'pass';
    const digests = hashBody(body, [SIGNING_WANT]);
    const options = { atMs: NOW_MS };
    const signedHead = new SignedHead(head);
    const set = sealMessage(signedHead, digests, { ...report, status }, RESULTS, KEY, options);
    whole = (set ?? []).join('') + whole;
  }
  return whole;
}

test('no chain, chains of one to three, and what each sealer says', async () => {
  assert.equal((await check(MESSAGE)).status, 'none');
  for (const count of [1, 2, 3]) {
    const report = await check(await sealed(count));
    assert.equal(report.status, 'pass', report.reason);
    assert.equal(report.oldestPass, 0);
    assert.equal(report.chain.highest, count);
    assert.deepEqual(
      report.sets.map(({ sealer }) => sealer),
      ['list.example', 'relay.example', 'list.example'].slice(0, count),
    );
    assert.ok(report.sets.every(({ results }) => results === RESULTS));
  }
});

test('the fields of a set: instance first, lines short, on top of the message', async () => {
  const whole = await sealed(1);
  const set = whole.slice(0, -MESSAGE.length);
  assert.deepEqual(
    [...set.matchAll(/^([\w-]+): (\S+)/gm)].map(([, name, first]) => `${name} ${first}`),
    ['ARC-Seal i=1;', 'ARC-Message-Signature i=1;', 'ARC-Authentication-Results i=1;'],
  );
  assert.ok(set.split('\r\n').every((line) => line.length <= 78));
  assert.match(set, /cv=none/);
});

test('fifty sets pass, nobody adds a fifty-first, and one that is added fails', async () => {
  const whole = trusting(50);
  assert.equal((await check(whole)).status, 'pass');
  assert.equal(await sealedOnce(whole), undefined);
  const more = await check(whole.replace('i=50;', 'i=51;'));
  assert.deepEqual([more.status, more.sets], ['fail', []]);
  const crowd = await check(`${'ARC-Seal: i=1; cv=none\r\n'.repeat(1_000)}${MESSAGE}`);
  assert.equal(crowd.reason, 'there are more than 50 ARC sets');
});

const NAMES = ['ARC-Seal', 'ARC-Message-Signature', 'ARC-Authentication-Results'] as const;

const EDITS: readonly (readonly [reason: RegExp, edit: (whole: string) => string])[] = [
  [/set 2 is not complete/, (whole) => whole.replaceAll(/^(ARC-[\w-]+: i=)2;/gm, '$13;')],
  [/has no instance/, (whole) => whole.replaceAll(/^(ARC-[\w-]+: i=)1;/gm, '$10;')],
  [/has no instance/, (whole) => whole.replaceAll(/^(ARC-[\w-]+: i=)2;/gm, '$151;')],
  [/Results has no instance/, (whole) => whole.replace('Results: i=2;', 'Results: a; i=2;')],
  ...NAMES.flatMap((name) => [
    [/comes twice/, (whole: string) => firstField(whole, name) + whole] as const,
    [/is not complete/, (whole: string) => whole.replace(firstField(whole, name), '')] as const,
  ]),
  [/seal 2 is not cv=pass/, (whole) => whole.replace('cv=pass', 'cv=none')],
  [/seal 1 is not cv=none/, (whole) => whole.replace('cv=none', 'cv=pass')],
  [/last seal says cv=fail/, (whole) => whole.replace('cv=pass', 'cv=fail')],
  [/seal 2 has an h=/, (whole) => whole.replace('cv=pass;', 'cv=pass; h=from;')],
  [/cv= comes twice/, (whole) => whole.replace('cv=pass;', 'cv=pass; cv=pass;')],
  [/body was changed/, (whole) => whole.replace('Body', 'Buddy')],
  [/signature 2: .* not fit/, (whole) => whole.replace('Subject: x', 'Subject: y')],
  [/signature 2: .* not fit/, (whole) => `From: z@evil.test\r\n${whole}`],
  [/seal 2: .* not fit/, (whole) => replaceLast(whole, 'spf=pass', 'spf=fail')],
  [/seal 2: .* not fit/, (whole) => whole.replace('spf=pass', 'spf=fail')],
  [/seal 2: .* not fit/, (whole) => replaceLast(whole, 't=1700000000', 't=1700000001')],
  [/ARC fields are too long/, (whole) => `ARC-Seal: i=3; x=${'y'.repeat(270_000)}\r\n${whole}`],
];

test('every break of a chain is a failure that lasts', async () => {
  const whole = await sealed(2);
  for (const [reason, edit] of EDITS) {
    const changed = edit(whole);
    assert.notEqual(changed, whole, String(reason));
    const report = await check(changed);
    assert.match(report.reason, reason);
    assert.deepEqual([report.status, report.temporary, report.sets], ['fail', false, []]);
  }
});

test('a message signature over a seal is none (RFC 8617 4.1.2)', async () => {
  const whole = (await sealedOnce(MESSAGE, KEY, { fields: ['From', 'ARC-Seal'] })) ?? '';
  assert.match((await check(whole)).reason, /h= names ARC-Seal/);
  const fine = (await sealedOnce(MESSAGE, KEY, { fields: ['From'] })) ?? '';
  assert.equal((await check(fine)).status, 'pass');
});

test('what the last host may change: a new Subject is fine once it is sealed again', async () => {
  const first = (await sealed(2)).replace('Subject: x', 'Subject: [l] x');
  assert.equal((await check(first)).status, 'fail');
  const listed = await check(await relabelled());
  assert.deepEqual([listed.status, listed.oldestPass], ['pass', 3]);
});

/** Two sets, then a list that changes the subject and seals what it received as good. */
async function relabelled(): Promise<string> {
  const before = await sealed(2);
  const report = await check(before);
  const { head, body } = splitMessage(fromLatin1(before.replace('Subject: x', 'Subject: [l] x')));
  const digests = hashBody(body, [SIGNING_WANT]);
  const options = { atMs: NOW_MS };
  const set = sealMessage(new SignedHead(head), digests, report, RESULTS, KEY, options);
  return (set ?? []).join('') + before.replace('Subject: x', 'Subject: [l] x');
}

test('a broken chain is sealed once with cv=fail, and then never again', async () => {
  const broken = (await sealed(2)).replace('Body', 'Buddy');
  const marked = await sealedOnce(broken);
  assert.match(marked ?? '', /^ARC-Seal: i=3;[^]*?cv=fail;/);
  // RFC 8617 5.1.2: over its own set alone, so it still fits where that is all there is.
  const own = new SignedHead(fromLatin1(`${(marked ?? '').slice(0, -broken.length)}\r\n`));
  const [seal, signature, found] = own.head.fields;
  const origin = readOrigin((parseTagList(seal!.raw) as TagList & { kind: 'tags' }).tags);
  assert.ok(origin.kind === 'read');
  const before = [found!, signature!].map((field) => own.canonical(field, 'relaxed')).join('');
  const data = before + own.emptied(seal!, origin.value.b, 'relaxed');
  const key = createPublicKey(KEY.key);
  assert.ok(checkSignature(key, 'ed25519-sha256', data, origin.value.signature));
  const report = await check(marked ?? '');
  assert.deepEqual([report.status, report.chain], ['fail', { highest: 3, sealedFail: true }]);
  assert.equal(await sealedOnce(marked ?? ''), undefined);
});

test('a missing DNS answer is a failure, marked as temporary, and seals nothing', async () => {
  const whole = await sealed(2);
  const report = await check(whole, { ...ZONE, 'two._domainkey.relay.example': 'failed' });
  assert.deepEqual([report.status, report.temporary], ['fail', true]);
  const { head, body } = splitMessage(fromLatin1(whole));
  const digests = hashBody(body, [SIGNING_WANT]);
  const options = { atMs: NOW_MS };
  const set = sealMessage(new SignedHead(head), digests, report, RESULTS, KEY, options);
  assert.equal(set, undefined);
  const gone = await check(whole, { ...ZONE, 'two._domainkey.relay.example': 'nodata' });
  assert.deepEqual([gone.status, gone.temporary], ['fail', false]);
});

test('DKIM and ARC share one pass and one question a name; another thread may judge', async () => {
  const { head, body } = splitMessage(fromLatin1(await sealed(3, signed(MESSAGE, AUTHOR))));
  const source = keySource(ZONE);
  const verification = new SignatureVerification(head, source, {
    judge: (evidence) => judgeEvidence(structuredClone(evidence)),
  });
  for (const octet of body) verification.write(Uint8Array.of(octet));
  const { dkim, arc } = structuredClone(await verification.finish(NOW_MS));
  assert.deepEqual(
    dkim.results.map(({ status }) => status),
    ['pass'],
  );
  assert.equal(arc.status, 'pass');
  assert.deepEqual(source.asked.toSorted(), [
    'a._domainkey.example.com',
    'one._domainkey.list.example',
    'two._domainkey.relay.example',
  ]);
});

test('the suite of chains is able to fail', async () => {
  const message = lines('ARC-Seal: i=1; cv=none', 'From: a@example.com', '').replaceAll('\r', '');
  const scenario = (cv: string) => ({ tests: { one: { message, cv } }, 'txt-records': {} });
  const run = (cv: string) => runScenarios([scenario(cv)], validate);
  assert.deepEqual((await run('Fail')).passed, 1);
  assert.equal((await run('Pass')).failures.length, 1);
});

test('results are one field, whatever they hold', async () => {
  const { head, body } = splitMessage(fromLatin1(MESSAGE));
  const report = await check(MESSAGE);
  const digests = hashBody(body, [SIGNING_WANT]);
  const results = `mx.example; dkim=fail reason="a\r\nBcc: x" header.d=b\u00fccher.example`;
  const options = { atMs: NOW_MS };
  const set = sealMessage(new SignedHead(head), digests, report, results, KEY, options) ?? [];
  const whole = Buffer.from(set.join('')).toString('latin1') + MESSAGE;
  assert.equal((await check(whole)).status, 'pass');
  assert.doesNotMatch(whole, /^Bcc/m);
});

test('any header is read without failing', () => {
  const name = fc.constantFrom('ARC-Seal', 'ARC-Message-Signature', 'ARC-Authentication-Results');
  const piece = fc.constantFrom('i=1', 'i=2', ';', ' ', 'cv=none', 'cv=pass', '=', 'a=b', '\0');
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  const field = fc.tuple(name, text).map(([key, value]) => `${key}: ${value}\r\n`);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 9 }), (fields) => {
      const sets = readArcSets(new SignedHead(fromLatin1(`${fields.join('')}\r\n`)));
      assert.equal(sets.kind === 'none', fields.length === 0);
    }),
    { numRuns: 1_000 },
  );
});

function firstField(whole: string, name: string): string {
  const start = whole.indexOf(`${name}:`);
  const end = /\r\n(?![ \t])/.exec(whole.slice(start))?.index ?? 0;
  return whole.slice(start, start + end + 2);
}

function replaceLast(whole: string, what: string, by: string): string {
  const at = whole.lastIndexOf(what);
  return whole.slice(0, at) + by + whole.slice(at + what.length);
}
