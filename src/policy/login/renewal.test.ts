/** Tests of renewal: cheap credentials become dear ones by a login, never the other way. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { AccountId, Domain } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import { Secret } from '#base/secret.ts';
import type { Account, Credentials } from '#store/directory.ts';
import type { HashFunction } from './argon2.ts';
import { type LoginOptions, Logins } from './logins.ts';
import { hashPassword } from './password.ts';

const PASSWORD = 'correct horse';
const DEARER = { memoryKib: 32_768, passes: 3, parallelism: 1 };
const ALICE: Account = {
  id: 1 as AccountId,
  address: 'alice@demo.test',
  enabled: true,
  createdMs: 0,
};

let seed = 0;
const random = {
  bytes: (length: number) => {
    seed += 1;
    return createHash('sha512').update(String(seed)).digest().subarray(0, length);
  },
};

const quickHash: HashFunction = async (password, salt, parameters, length) => {
  const input = `${password} ${Buffer.from(salt).toString('hex')} ${JSON.stringify(parameters)}`;
  return createHash('sha512').update(input).digest().subarray(0, length);
};

test('what was hashed at lower costs is hashed anew when its owner logs in, once', async () => {
  const house = await House.made();
  const options = { parameters: DEARER, scramIterations: 8192 };
  const old = house.stored.password;
  assert.equal(await house.login('alice', 'wrong', options), false);
  assert.equal(await house.login('nobody', PASSWORD, options), false);
  assert.deepEqual(house.renewals, []);
  assert.equal(await house.login('alice', PASSWORD, options), true);
  assert.deepEqual(house.renewals, [{ account: 1, instead: old }]);
  assert.match(house.stored.password, /^\$argon2id\$v=19\$m=32768,t=3,p=1\$/);
  assert.equal(house.stored.scram.iterations, 8192);
  // With nothing remembered: the new hash is as good as the old one, and stays.
  assert.equal(await house.login('alice', PASSWORD, options), true);
  assert.equal(await house.login('alice', 'wrong', options), false);
  assert.equal(house.renewals.length, 1);
});

test('nothing is hashed anew where costs are as they are, lower now, or lower in one way', async () => {
  for (const options of [
    {},
    { parameters: { memoryKib: 64, passes: 1, parallelism: 1 } },
    { parameters: { memoryKib: 32_768, passes: 1, parallelism: 1 } },
  ]) {
    const house = await House.made();
    assert.equal(await house.login('alice', PASSWORD, options), true);
    assert.deepEqual(house.renewals, [], JSON.stringify(options));
  }
});

test('a renewal that fails is told, and is no failed login', async () => {
  const house = await House.made();
  house.full = true;
  assert.equal(await house.login('alice', PASSWORD, { parameters: DEARER }), true);
  assert.deepEqual(house.told, ['no room']);
});

/** A directory with one account, and logins that know nothing of earlier ones. */
class House {
  stored: Credentials;
  full = false;
  readonly renewals: { readonly account: number; readonly instead: string }[] = [];
  readonly told: string[] = [];

  private constructor(stored: Credentials) {
    this.stored = stored;
  }

  static async made(): Promise<House> {
    return new House(await hashPassword(PASSWORD, random, { hash: quickHash }));
  }

  /** Whether it was right; what follows it is over, too. */
  async login(login: string, password: string, options: Partial<LoginOptions>): Promise<boolean> {
    const logins = new Logins({
      directory: {
        domains: () => [{ name: 'demo.test' as Domain, catchAll: undefined }],
        account: (address) => (address === ALICE.address ? ALICE : undefined),
        credentials: () => this.stored,
      },
      clock: { elapsed: () => 0 },
      random,
      installationKey: new Uint8Array(32).fill(7),
      hash: quickHash,
      renewal: {
        write: async (account, instead, fresh) => {
          if (this.full) throw Failure.temporary('disk-full', 'no room');
          this.renewals.push({ account, instead });
          this.stored = fresh;
        },
        failed: (thrown) => void this.told.push(Failure.from(thrown).message),
      },
      ...options,
    });
    const question = { kind: 'password', login, password: new Secret(password) } as const;
    const answer = await logins.session('192.0.2.7').answer(question);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((go) => setImmediate(go));
    return answer.kind === 'password' && answer.identity !== undefined;
  }
}
