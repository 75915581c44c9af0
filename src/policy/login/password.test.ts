/** Passwords: PHC strings, argon2id against its vector, rules, prefixes, bounded memories. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Logins } from './logins.ts';
import { ATTEMPT_LIMITS, Attempts } from './attempts.ts';
import { argon2id } from './argon2.ts';
import { hashPassword, passwordProblem } from './password.ts';
import { formatPhc, parsePhc } from './phc.ts';
import { clientNetwork } from './prefix.ts';
import { VerifiedPasswords } from './verified.ts';
import { Secret } from '#base/secret.ts';
import { scramKeys } from '#protocol/sasl/scram.ts';
import type { AccountId, Domain } from '#base/brand.ts';

const CHEAP = { memoryKib: 64, passes: 1, parallelism: 1 };
const random = { bytes: (length: number) => new Uint8Array(length).fill(length) };
const clock = { elapsed: () => 0 };

suite('passwords', () => {
  test('PHC strings survive a round trip', () => {
    const text =
      '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    const parsed = parsePhc(text);
    assert.ok(parsed !== undefined);
    assert.equal(Buffer.from(parsed.salt).toString(), 'somesalt');
    assert.equal(formatPhc(parsed), text);
  });

  test('argon2id agrees with the reference implementation (phc-winner-argon2, test.c)', async () => {
    const parsed = parsePhc(
      '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
    );
    assert.ok(parsed !== undefined);
    const hash = await argon2id('password', parsed.salt, parsed.parameters, 32);
    assert.deepEqual(Buffer.from(hash), parsed.hash);
  });

  for (const bad of [
    '',
    '$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg',
    '$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg',
    '$argon2id$v=19$m=99999999,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg',
    '$argon2id$v=19$m=64,t=9999,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg',
    '$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg',
    '$argon2id$v=19$m=64,t=1,p=9$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg',
    '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$',
    '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEg\n',
  ]) {
    test(`no PHC string: ${JSON.stringify(bad)}`, () => assert.equal(parsePhc(bad), undefined));
  }

  test('rules: what a password may not be', () => {
    assert.match(passwordProblem('') ?? '', /empty/);
    assert.match(passwordProblem('a\nb') ?? '', /control/);
    assert.match(passwordProblem('a\0b') ?? '', /control/);
    assert.match(passwordProblem('x'.repeat(1025)) ?? '', /longer/);
    assert.match(passwordProblem('é'.repeat(600)) ?? '', /longer/);
    assert.match(passwordProblem('\ue000') ?? '', /RFC 4013/);
    assert.match(passwordProblem('\u00ad') ?? '', /RFC 4013/);
    for (const good of ['x', 'x'.repeat(1024), 'correct horse', 'päss', '日本', ' ']) {
      assert.equal(passwordProblem(good), undefined, good);
    }
  });

  test('hashPassword refuses what the rules refuse, permanently', async () => {
    await assert.rejects(hashPassword('', random), { code: 'bad-password', kind: 'permanent' });
    await assert.rejects(hashPassword('a\rb', random), { code: 'bad-password' });
  });

  test('hashPassword keeps SCRAM keys of the same, prepared password', async () => {
    const { scram } = await hashPassword('pa\u0308ss\u00a0word', random, { parameters: CHEAP });
    const expected = scramKeys('p\u00e4ss word', random.bytes(16));
    assert.deepEqual(scram, expected);
  });

  test('with the real argon2id: both forms of an accent are one password', async () => {
    const stored = await hashPassword('pa\u0308ss', random, { parameters: CHEAP });
    const address = 'alice@demo.test';
    const logins = new Logins({
      directory: {
        domains: () => [{ name: 'demo.test' as Domain, catchAll: undefined }],
        account: () => ({ id: 1 as AccountId, address, enabled: true, createdMs: 0 }),
        credentials: () => stored,
      },
      clock,
      random,
      installationKey: new Uint8Array(32),
    });
    const ask = (text: string) =>
      logins
        .session('192.0.2.1')
        .answer({ kind: 'password', login: 'alice', password: new Secret(text) });
    assert.equal((await ask('p\u00e4ss')).identity?.account, 1);
    assert.equal((await ask('pass')).identity, undefined);
  });

  for (const [address, narrow, wide] of [
    ['192.0.2.77', '192.0.2.0/24', undefined],
    ['::ffff:192.0.2.77', '192.0.2.0/24', undefined],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['::1', '::/64', '::/48'],
    ['nonsense', 'nonsense', undefined],
  ] as const) {
    test(`${address} is counted in ${narrow}`, () => {
      assert.deepEqual(clientNetwork(address), { narrow, wide });
    });
  }

  test('memories are bounded', () => {
    const attempts = new Attempts(clock, { ...ATTEMPT_LIMITS, entries: 100 });
    for (let index = 0; index < 1000; index += 1)
      attempts.charge({ narrow: `${index}`, wide: undefined }, 'alice');
    assert.equal(attempts.size, 100);
    const verified = new VerifiedPasswords(random, clock, { entries: 100, keepMs: 1000 });
    for (let index = 0; index < 1000; index += 1) verified.add(`${index}`);
    assert.equal(verified.size, 100);
    assert.ok(verified.has('999') && !verified.has('0'));
  });

  test('digests cannot be shifted from one field into the next', () => {
    const verified = new VerifiedPasswords(random, clock, { entries: 10, keepMs: 1000 });
    assert.notEqual(verified.digest('1', '2x', 'y'), verified.digest('1', '2', 'xy'));
    assert.notEqual(verified.digest('1', 'x', 'y'), verified.digest('2', 'x', 'y'));
    assert.notEqual(verified.digest('1', '', '1:a;'), verified.digest('1', '1:a;', ''));
  });
});
