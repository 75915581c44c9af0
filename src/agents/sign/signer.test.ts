/** Whose keys sign what, and that mail is signed even when the signatures' thread is not there. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Domain } from '#base/brand.ts';
import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import type { JsonObject } from '#base/json.ts';
import { readStructure } from '#message/scanner.ts';
import type { ArcReport } from '#trust/arc/verify.ts';
import { NOW_MS, lines, testKey, verified } from '#trust/dkim/testing.ts';
import type { SigningKey } from '#trust/dkim/sign.ts';
import { type Signatures, signaturesHere } from '#trust/signatures.ts';
import type { NewMail } from '../mail.ts';
import { NO_KEYS, type SigningKeys, keysFor } from './keys.ts';
import { Signer } from './signer.ts';

const rsa = testKey('rsa-sha256', 'a.test', 'r');
const ed = testKey('ed25519-sha256', 'a.test', 'e');
const ZONE = { ...rsa.zone, ...ed.zone };

function keysOf(...keys: readonly SigningKey[]): SigningKeys {
  return {
    hasAny: () => keys.length > 0,
    of: (name) => keys.filter(({ domain }) => domain === name),
  };
}

function signer(keys: SigningKeys, signatures: Signatures = signaturesHere) {
  const told: JsonObject[] = [];
  const log = {
    event: (_: unknown, name: string, more?: JsonObject) => void told.push({ name, ...more }),
  };
  return { told, signer: new Signer({ keys, signatures, log }) };
}

function message(from: string, body = 'hello\r\n') {
  const content = { head: utf8(`${lines(`From: ${from}`, 'Subject: x')}\r\n`), body: utf8(body) };
  return { content, structure: readStructure([content.head, content.body]) };
}

function octets({ content }: { content: { head: Uint8Array; body: unknown } }): string {
  return latin1(content.head) + latin1(content.body as Uint8Array);
}

suite('the signer', () => {
  test('the keys of the author, else of the nearest domain above', () => {
    const keys = keysOf(rsa);
    const of = (name: string) => keysFor(keys, name as Domain).map(({ selector }) => selector);
    assert.deepEqual([of('a.test'), of('x.y.a.test')], [['r'], ['r']]);
    assert.deepEqual([of('test'), of('b.test'), of('xa.test'), of('a.test.b')], [[], [], [], []]);
    assert.deepEqual(keysFor(NO_KEYS, 'a.test' as Domain), []);
  });

  test('one signature for each key, the structure moves along', async () => {
    const { signer: sign } = signer(keysOf(rsa, ed));
    const done = await sign.sign(message('x@a.test'), NOW_MS);
    const { results } = await verified(octets(done), ZONE);
    assert.deepEqual(
      results.map(({ status, selector }) => `${selector} ${status}`),
      ['r pass', 'e pass'],
    );
    assert.equal(done.structure?.root.bodyStart, done.content.head.length);
    assert.match(JSON.stringify(done.signed), /"selector":"r".*"selector":"e"/);
  });

  test('nobody else is signed for, and no message without one author', async () => {
    const { signer: sign } = signer(keysOf(rsa));
    for (const from of ['x@b.test', 'x@a.test, y@b.test', 'nobody']) {
      const plain = message(from);
      assert.equal(await sign.sign(plain, NOW_MS), plain, from);
    }
    assert.equal(signer(NO_KEYS).signer.reader(), undefined);
  });

  test('a body that was spooled is signed by what was hashed as it came', async () => {
    const { signer: sign } = signer(keysOf(rsa));
    const reader = sign.reader();
    reader?.body(utf8('hel'));
    reader?.body(utf8('lo\r\n'));
    const whole = message('x@a.test');
    const body = { kind: 'spooled', name: 'x', sizeBytes: 7 } as const;
    const spooled = { ...whole, content: { ...whole.content, body } };
    const done = await sign.sign(spooled, NOW_MS, reader?.digests());
    const text = `${latin1(done.content.head)}hello\r\n`;
    assert.equal((await verified(text, ZONE)).results[0]?.status, 'pass');
    assert.equal(await sign.sign(spooled, NOW_MS), spooled, 'unknown octets are not signed');
  });

  test('without its thread it signs here, and does not seal', async () => {
    const { signer: sign, told } = signer(keysOf(rsa), { judge: lost, sign: lost, seal: lost });
    const done = await sign.sign(message('x@a.test'), NOW_MS);
    assert.equal((await verified(octets(done), ZONE)).results[0]?.status, 'pass');
    const seal = { report: {} as ArcReport, results: 'x; none', body: undefined };
    const content = message('x@b.test').content;
    assert.equal(await sign.seal(content, seal, ['a.test' as Domain], NOW_MS), undefined);
    assert.deepEqual(
      told.map(({ name }) => name),
      ['signatures-failed', 'signatures-failed'],
    );
  });

  test('seals for the first domain that has a key, RSA first', async () => {
    const { signer: sign } = signer(keysOf(ed, rsa));
    const chain = { highest: 0, sealedFail: false };
    const report = { status: 'none', temporary: false, chain } as ArcReport;
    const seal = { report, results: 'mx.a.test; none', body: undefined };
    const domains = ['b.test', 'mx.a.test'] as Domain[];
    assert.equal(sign.canSeal(['b.test' as Domain]), false);
    assert.equal(sign.canSeal(domains), true);
    const sealed = await sign.seal(message('x@b.test').content, seal, domains, NOW_MS);
    assert.deepEqual(sealed?.by, { domain: 'a.test', selector: 'r' });
    assert.match(
      latin1(sealed?.content.head ?? fromLatin1('')),
      /^ARC-Seal: i=1; a=rsa-sha256; d=a\.test/,
    );
  });

  test('a notice is signed at once', async () => {
    const { signer: sign } = signer(keysOf(rsa));
    const notice = { ...message('mailer-daemon@mx.a.test'), facts: { about: 1 } };
    const done = sign.signNotice(notice as unknown as NewMail, NOW_MS);
    assert.equal((await verified(octets(done as never), ZONE)).results[0]?.status, 'pass');
    assert.deepEqual(Object.keys(done.facts), ['about', 'signed']);
  });
});

function lost(): Promise<never> {
  return Promise.reject(new Error('lost'));
}
