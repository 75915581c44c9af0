/** Logins: equal work for known and unknown ones, limits that never lock the owner out. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { beforeEach, suite, test } from 'node:test';
import type { AccountId, Domain } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import { Secret } from '#base/secret.ts';
import { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Identity } from '#protocol/sasl/mechanism.ts';
import type { Account, Credentials, LocalDomain } from '#store/directory.ts';
import type { HashFunction } from './argon2.ts';
import { Logins } from './logins.ts';
import type { LoginOptions } from './logins.ts';
import { hashPassword } from './password.ts';

const HOME = '192.0.2.7';
const OFFICE = '198.51.100.9';

let now = 0;
let hashes: string[] = [];
let seed = 0;
const accounts = new Map<string, Account>();
const credentials = new Map<number, Credentials>();
const domains: LocalDomain[] = [{ name: 'demo.test' as Domain, catchAll: undefined }];

const random = {
  bytes: (length: number) => {
    seed += 1;
    return createHash('sha512').update(String(seed)).digest().subarray(0, length);
  },
};

/** Cheap, and counts: time is never measured. */
const countedHash: HashFunction = async (password, salt, parameters, length) => {
  hashes.push(password);
  const input = `${password} ${Buffer.from(salt).toString('hex')} ${JSON.stringify(parameters)}`;
  return createHash('sha512').update(input).digest().subarray(0, length);
};

const closingHash: HashFunction = async (...input) => {
  accounts.set('alice@demo.test', { ...accounts.get('alice@demo.test')!, enabled: false });
  return countedHash(...input);
};

const brokenHash: HashFunction = () =>
  Promise.reject(Failure.temporary('hash-failed', 'no memory'));

suite('logins', () => {
  beforeEach(async () => {
    now = 1_000_000;
    seed = 0;
    accounts.clear();
    credentials.clear();
    await account(1, 'alice@demo.test', 'correct horse');
    await account(2, 'bob@demo.test', 'battery staple');
    await account(3, 'carol@demo.test', 'closed', false);
    hashes = [];
  });

  test('the right password gives the identity, in any way to write the login', async () => {
    const names = ['alice@demo.test', 'alice', 'ALICE@Demo.Test', 'alice@demo.test.', '"alice"'];
    for (const login of names) {
      const session = logins().session(HOME);
      assert.deepEqual(await password(session, login, 'correct horse'), {
        account: 1,
        address: 'alice@demo.test',
      });
    }
  });

  test('hostile names are nobody, without an error', async () => {
    const session = logins().session(HOME);
    const hostile = ["' OR '1'='1", '*)(uid=*', '%u%d', '../../etc/passwd', 'a\r\nb', 'alice '];
    for (const login of [...hostile, '', '@', 'a'.repeat(5000), '__proto__', '\ud800']) {
      assert.equal(await password(session, login, 'correct horse'), undefined, login);
    }
  });

  test('an unknown login costs the same hashes as a known one', async () => {
    const known = await cost('alice@demo.test');
    assert.equal(known, 3);
    for (const login of ['nobody@demo.test', 'carol@demo.test', 'x@elsewhere.test', '*)(uid=*']) {
      assert.equal(await cost(login), known, login);
    }
  });

  test('a disabled account does not let its owner in', async () => {
    assert.equal(await password(logins().session(HOME), 'carol', 'closed'), undefined);
    const keys = await scram(logins().session(HOME), 'carol');
    assert.equal(keys.identity, undefined);
    assert.notDeepEqual(keys.storedKey, credentials.get(3)?.scram.storedKey);
  });

  test('an account closed while its password is verified stays closed', async () => {
    const session = logins({ hash: closingHash }).session(HOME);
    assert.equal(await password(session, 'alice', 'correct horse'), undefined);
  });

  test('SCRAM: real keys for a known login, a stable made-up salt for an unknown one', async () => {
    const known = await scram(logins().session(HOME), 'alice');
    assert.deepEqual(known.salt, credentials.get(1)?.scram.salt);
    assert.equal(known.identity?.account, 1);
    const first = await scram(logins().session(HOME), 'nobody@demo.test');
    const again = await scram(logins().session(OFFICE), 'NOBODY@demo.test');
    const other = await scram(logins().session(HOME), 'nobody2@demo.test');
    assert.equal(first.identity, undefined);
    assert.equal(first.salt.length, known.salt.length);
    assert.equal(first.iterations, known.iterations);
    assert.deepEqual(again, first);
    assert.notDeepEqual(other.salt, first.salt);
    const elsewhere = logins({ installationKey: new Uint8Array(32).fill(9) });
    assert.notDeepEqual((await scram(elsewhere.session(HOME), 'nobody')).salt, first.salt);
  });

  test('reconnects do not hash again, and the memory never crosses users', async () => {
    const one = logins();
    await account(4, 'dave@demo.test', 'correct horse');
    hashes = [];
    for (let round = 0; round < 20; round += 1) {
      const alice = await password(one.session(HOME), 'alice', 'correct horse');
      const dave = await password(one.session(HOME), 'dave', 'correct horse');
      assert.equal(alice?.account, 1);
      assert.equal(dave?.account, 4);
      assert.equal(await password(one.session(OFFICE), 'bob', 'correct horse'), undefined);
    }
    assert.equal(hashes.length, 3);
    assert.equal(await password(one.session(HOME), 'alice', 'wrong'), undefined);
  });

  test('a new password forgets the old one at once, and time forgets too', async () => {
    const one = logins({ cacheMs: 1000 });
    await password(one.session(HOME), 'alice', 'correct horse');
    now += 1001;
    hashes = [];
    await password(one.session(HOME), 'alice', 'correct horse');
    assert.equal(hashes.length, 1);
    await account(1, 'alice@demo.test', 'new one');
    assert.equal(await password(one.session(HOME), 'alice', 'correct horse'), undefined);
    assert.equal((await password(one.session(HOME), 'alice', 'new one'))?.account, 1);
  });

  test('one network guessing at one account is slowed down without more hashing', async () => {
    const one = logins();
    const session = one.session(HOME);
    const refused = await guesses(session, 'alice', 10_000);
    assert.equal(hashes.length, 10);
    assert.equal(refused, 9_990);
    await assert.rejects(password(session, 'alice', 'correct horse'), isDelayed);
    await assert.rejects(password(one.session('192.0.2.200'), 'alice', 'x'), isDelayed);
    now += 1_001;
    assert.equal((await password(session, 'alice', 'correct horse'))?.account, 1);
  });

  test('the wait doubles up to a limit, and failures are forgotten', async () => {
    const session = logins().session(HOME);
    await guesses(session, 'alice', 10);
    for (const waitMs of [1_000, 2_000, 4_000, 8_000]) {
      now += waitMs - 1;
      await assert.rejects(password(session, 'alice', `at ${now}`), isDelayed);
      now += 1;
      assert.equal(await password(session, 'alice', `at ${now}`), undefined);
    }
    for (let round = 0; round < 20; round += 1) {
      now += 900_000;
      assert.equal(await password(session, 'alice', `round ${round}`), undefined);
    }
    now += 3_600_001;
    assert.equal(await guesses(session, 'alice', 10), 0);
  });

  test('10,000 networks against one account never lock its owner out', async () => {
    const one = logins();
    for (let index = 0; index < 10_000; index += 1) {
      const address = `10.${index >> 8}.${index & 255}.1`;
      await password(one.session(address), 'alice', `guess ${index}`);
    }
    assert.equal((await password(one.session(HOME), 'alice', 'correct horse'))?.account, 1);
  });

  test('one network guessing at 10,000 accounts is slowed down as a whole', async () => {
    const one = logins();
    let refused = 0;
    for (let index = 0; index < 10_000; index += 1) {
      refused += await guesses(one.session(`2001:db8:1:2::${index.toString(16)}`), `u${index}`, 1);
    }
    assert.equal(hashes.length, 50);
    assert.equal(refused, 9_950);
    assert.equal(await guesses(one.session('2001:db8:1:3::1'), 'alice', 1), 0);
  });

  test('hopping through the /64 of one /48 does not help for long', async () => {
    const one = logins();
    let refused = 0;
    for (let index = 0; index < 1_000; index += 1) {
      const session = one.session(`2001:db8:9:${index.toString(16)}::1`);
      refused += await guesses(session, 'alice', 1, index);
    }
    assert.equal(refused, 800);
    assert.equal((await password(one.session(HOME), 'alice', 'correct horse'))?.account, 1);
  });

  test('success between failures buys no guesses at other accounts', async () => {
    const one = logins();
    const session = one.session(OFFICE);
    let tried = 0;
    for (let index = 0; index < 200; index += 1) {
      await password(session, 'bob', 'battery staple').catch(() => undefined);
      tried += 1 - (await guesses(session, `victim${index}`, 1));
    }
    assert.equal(tried, 50);
  });

  test('where the owner logged in before, a neighbour does not lock the owner out', async () => {
    const one = logins();
    await password(one.session(OFFICE), 'alice', 'correct horse');
    for (let index = 0; index < 200; index += 1) await guesses(one.session(OFFICE), `u${index}`, 1);
    await assert.rejects(password(one.session(OFFICE), 'bob', 'battery staple'), isDelayed);
    assert.equal((await password(one.session(OFFICE), 'alice', 'correct horse'))?.account, 1);
  });

  test('a program that repeats an old password is not counted again', async () => {
    const one = logins();
    for (let round = 0; round < 100; round += 1) {
      assert.equal(await password(one.session(HOME), 'alice', 'last year'), undefined);
    }
    assert.equal(hashes.length, 1);
    assert.equal((await password(one.session(HOME), 'alice', 'correct horse'))?.account, 1);
  });

  test('parallel guesses do not overtake the count; parallel right ones share one hash', async () => {
    const one = logins();
    const right = Array.from({ length: 30 }, () =>
      password(one.session(HOME), 'alice', 'correct horse'),
    );
    assert.ok((await Promise.all(right)).every((identity) => identity?.account === 1));
    assert.equal(hashes.length, 1);
    const wrong = Array.from({ length: 30 }, (_, n) => guesses(one.session(OFFICE), 'bob', 1, n));
    assert.equal((await Promise.all(wrong)).filter((refused) => refused === 0).length, 10);
  });

  test('SCRAM: an exchange that does not end well is a failure, aborted ones too', async () => {
    const one = logins();
    for (let round = 0; round < 50; round += 1) {
      const session = one.session(HOME);
      await scram(session, 'alice');
      session.authenticated(who(1, 'alice@demo.test'));
    }
    for (let round = 0; round < 10; round += 1) await scram(one.session(HOME), 'alice');
    await assert.rejects(scram(one.session(HOME), 'alice'), isDelayed);
  });

  test('SCRAM: a success at one login forgives nothing at another', async () => {
    const one = logins();
    for (let round = 0; round < 10; round += 1) {
      const session = one.session(HOME);
      await scram(session, 'alice');
      session.authenticated(who(2, 'bob@demo.test'));
    }
    await assert.rejects(scram(one.session(HOME), 'alice'), isDelayed);
  });

  test('hashing is capped, the queue is bounded, and a full queue is nobody’s failure', async () => {
    let atOnce = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const held: HashFunction = async (...input) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise<void>((resolve) => release.push(resolve));
      atOnce -= 1;
      return countedHash(...input);
    };
    const one = logins({ hash: held, hashConcurrency: 2, hashWaiting: 3 });
    const all = Array.from({ length: 8 }, (_, index) =>
      password(one.session(`203.0.${index}.1`), 'alice', 'correct horse').then(
        (identity) => identity?.account,
        (failure: unknown) => (failure instanceof Failure ? failure.code : failure),
      ),
    );
    for (let round = 0; round < 50; round += 1) {
      release.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(most, 2);
    assert.deepEqual((await Promise.all(all)).toSorted(), [
      1,
      1,
      1,
      1,
      1,
      ...Array(3).fill('login-busy'),
    ]);
  });

  test('a hash that failed is nobody’s wrong password', async () => {
    const one = logins({ hash: brokenHash });
    for (let round = 0; round < 100; round += 1) {
      await assert.rejects(password(one.session(HOME), 'alice', `${round}`), {
        code: 'hash-failed',
      });
    }
  });

  test('a stored password that cannot be read is a failure, not a wrong password', async () => {
    credentials.set(1, { ...credentials.get(1)!, password: '$1$broken' });
    await assert.rejects(password(logins().session(HOME), 'alice', 'x'), {
      code: 'credentials-unreadable',
      kind: 'temporary',
    });
  });
});

function logins(options: Partial<LoginOptions> = {}): Logins {
  const directory = {
    domains: () => domains,
    account: (address: string) => accounts.get(address),
    credentials: (id: AccountId) => credentials.get(id),
  };
  const clock = { elapsed: () => now };
  const installationKey = new Uint8Array(32).fill(7);
  return new Logins({ directory, clock, random, installationKey, hash: countedHash, ...options });
}

async function account(id: number, address: string, secret: string, enabled = true) {
  accounts.set(address, { id: id as AccountId, address, enabled, createdMs: 0 });
  credentials.set(id, await hashPassword(secret, random, { hash: countedHash }));
}

/** Hashes that four guesses, one of them twice, cost. */
async function cost(login: string): Promise<number> {
  const one = logins();
  hashes = [];
  for (const guess of ['one', 'two', 'two', 'three']) {
    await password(one.session(HOME), login, guess);
  }
  return hashes.length;
}

type Session = ReturnType<Logins['session']>;

async function password(session: Session, login: string, text: string) {
  const answer = await session.answer({ kind: 'password', login, password: new Secret(text) });
  assert.equal(answer.kind, 'password');
  return answer.identity;
}

async function scram(session: Session, login: string) {
  const answer = await session.answer({ kind: 'scram', login });
  assert.ok(answer.kind === 'scram');
  return answer;
}

/** Different wrong passwords; how many were refused without being tried. */
async function guesses(session: Session, login: string, count: number, from = 0): Promise<number> {
  let refused = 0;
  for (let index = 0; index < count; index += 1) {
    try {
      assert.equal(await password(session, login, `guess ${from + index}`), undefined);
    } catch (failure) {
      assert.ok(isDelayed(failure));
      refused += 1;
    }
  }
  return refused;
}

function who(id: number, address: string): Authenticated {
  const identity: Identity = { account: id as AccountId, address };
  return Authenticated.verified(identity, 'SCRAM-SHA-256');
}

function isDelayed(failure: unknown): boolean {
  return failure instanceof Failure && failure.code === 'login-delayed';
}
