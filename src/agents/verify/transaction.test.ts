/** One transaction's verification: its budget, what it keeps, and trouble that is nobody's fault. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseAddress } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { fromLatin1 } from '#base/bytes.ts';
import type { JsonObject } from '#base/json.ts';
import { splitMessage } from '#message/edit.ts';
import { zoneResolver } from '#test/vectors/zone.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { parseNetworks } from '#policy/restrictions/networks.ts';
import { lines, signed, testKey } from '#trust/dkim/testing.ts';
import { type Signatures, signaturesHere } from '#trust/signatures.ts';
import { SenderVerification } from './transaction.ts';
import { makeVerifier } from './verifier.ts';

const IP = '192.0.2.10';
const NOW_MS = 1_795_000_000_000;
const key = testKey('rsa-sha256', 'a.test', 's');
const ZONE = {
  'a.test': { txt: ['v=spf1 ip4:192.0.2.10 -all'] },
  '_dmarc.a.test': { txt: ['v=DMARC1; p=reject'] },
  's._domainkey.a.test': { txt: [key.record] },
  '10.2.0.192.in-addr.arpa': { ptr: ['out.a.test'] },
  'out.a.test': { a: [IP] },
};
const MESSAGE = signed(`${lines('From: x@a.test', 'Subject: x')}\r\nhello\r\n`, key, {
  atMs: NOW_MS,
});

const client = {
  address: IP,
  helo: 'out.a.test',
  extended: true,
  secure: undefined,
  login: undefined,
};

function transaction(
  zone: Parameters<typeof zoneResolver>[0] = ZONE,
  signatures: Signatures = signaturesHere,
) {
  const resolver = zoneResolver(zone);
  const clock = virtualClock(NOW_MS);
  const options = { resolver, clock, hostname: 'mx.home.test' as Domain, signatures };
  const path = parseAddress('x@a.test') ?? null;
  return { resolver, options, clock, verification: new SenderVerification(options, client, path) };
}

async function verified(verification: SenderVerification, message = MESSAGE) {
  const { head, body } = splitMessage(fromLatin1(message));
  verification.head(head);
  verification.body(body);
  return verification.finish(NOW_MS);
}

function evidence(verification: SenderVerification): JsonObject {
  return verification.facts()['authentication'] as JsonObject;
}

suite('verification of one transaction', () => {
  test('asks nobody before it is asked; SPF is asked once', async () => {
    const { resolver, verification } = transaction();
    assert.deepEqual([resolver.questions, verification.facts()], [[], {}]);
    assert.equal((await verification.spf()).result, 'pass');
    assert.equal(await verification.spf(), await verification.spf());
    assert.deepEqual(resolver.questions, ['TXT a.test']);
    assert.equal(verification.message, undefined);
    assert.deepEqual(Object.keys(evidence(verification)), ['spf', 'dns']);
  });

  test('results, fields and evidence say the same', async () => {
    const { resolver, verification } = transaction();
    const found = await verified(verification);
    assert.equal(verification.message?.dmarc.result, 'pass');
    assert.deepEqual(
      verification.message?.dkim.results.map(({ status }) => status),
      ['pass'],
    );
    assert.match(found?.fields[0] ?? '', /dmarc=pass.*spf=pass.*dkim=pass.*iprev=pass/s);
    assert.match(found?.fields[1] ?? '', /^Received-SPF: pass/);
    assert.match(found?.seal.results ?? '', /^mx\.home\.test; dmarc=pass [^\r\n]*$/);
    const { dns, dkim } = evidence(verification);
    assert.equal((dns as unknown[]).length, resolver.questions.length);
    assert.match(JSON.stringify(dns), /v=DKIM1; k=rsa; p=/);
    assert.match(JSON.stringify(dkim), /"domain":"a.test","selector":"s"/);
  });

  test('a client that waits does not talk its way past DMARC', async () => {
    const { clock, verification } = transaction({ ...ZONE, 'a.test': { txt: ['v=spf1 -all'] } });
    const { head, body } = splitMessage(fromLatin1('From: x@a.test\r\n\r\nhello\r\n'));
    await verification.spf();
    clock.pass(60_000);
    verification.head(head);
    clock.pass(60_000);
    verification.body(body);
    clock.pass(60_000);
    await verification.finish(clock.now());
    const { result, disposition } = verification.message?.dmarc ?? {};
    assert.deepEqual([result, disposition], ['fail', 'reject']);
  });

  test('no answer is temperror, and nothing about the author', async () => {
    const broken = Object.fromEntries(Object.keys(ZONE).map((name) => [name, { timeout: true }]));
    const { verification } = transaction(broken);
    const found = await verified(verification);
    const { dmarc, dkim } = verification.message ?? {};
    assert.deepEqual([dmarc?.result, dmarc?.disposition], ['temperror', 'none']);
    assert.equal(dkim?.results[0]?.status, 'temperror');
    assert.equal(found?.unusableAuthor, undefined);
  });

  test('a thread that fails makes signatures unknown, never wrong', async () => {
    const failing: Signatures = { ...signaturesHere, judge: () => Promise.reject(new Error('x')) };
    const { verification } = transaction({ ...ZONE, 'a.test': { txt: ['v=spf1 -all'] } }, failing);
    await verified(verification);
    assert.equal(verification.message?.dkim.results[0]?.status, 'temperror');
    assert.equal(verification.message?.dmarc.result, 'temperror');
  });

  test('nobody is the author: told, with nothing asked of DMARC', async () => {
    const { resolver, verification } = transaction();
    const found = await verified(verification, 'From: a@a.test\r\nFrom: b@b.test\r\n\r\nx\r\n');
    assert.match(found?.unusableAuthor ?? '', /2 From fields/);
    assert.ok(!resolver.questions.some((question) => question.includes('_dmarc')));
  });

  test('a head with more fields than are kept is not looked at', async () => {
    const { resolver, verification } = transaction();
    const crowd = `${'A: b\r\n'.repeat(10_001)}From: a@a.test\r\n\r\nx`;
    assert.equal(await verified(verification, crowd), undefined);
    assert.deepEqual(resolver.questions, []);
  });

  test('our own networks, and who logged in, are not verified', () => {
    const { options } = transaction();
    const exempt = parseNetworks(['192.0.2.0/28']);
    assert.ok(exempt.kind === 'networks');
    const verifier = makeVerifier({ ...options, exempt: exempt.networks });
    assert.equal(verifier(client, null), undefined);
    assert.notEqual(verifier({ ...client, address: '192.0.2.99' }, null), undefined);
    const login = { account: 1, address: 'x@home.test' } as never;
    assert.equal(verifier({ ...client, address: '192.0.2.99', login }, null), undefined);
  });
});
