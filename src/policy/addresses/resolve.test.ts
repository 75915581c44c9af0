/** Addresses: accounts, aliases, loops, fan-out, subaddresses, catch-alls, postmaster, senders. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Address } from '#base/address.ts';
import { formatAddress, parseAddress } from '#base/address.ts';
import type { AccountId, Domain } from '#base/brand.ts';
import { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Account, Alias, LocalDomain } from '#store/directory.ts';
import type { AddressOptions } from './options.ts';
import { resolve } from './resolve.ts';
import type { AddressBook } from './resolve.ts';
import { isOwnedSender, ownsSender } from './sender.ts';
import { splitDetail } from './subaddress.ts';

const DOMAINS: Record<string, string | undefined> = {
  'demo.test': undefined,
  'catch.test': 'bob@demo.test',
  'loop.test': 'nobody@loop.test',
  'xn--bcher-kva.test': undefined,
  'empty.test': undefined,
};
const ACCOUNTS = [
  'alice@demo.test',
  'bob@demo.test',
  'carol+work@demo.test',
  'dave@catch.test',
  'm\u00fcller@demo.test',
  'x@xn--bcher-kva.test',
];
const ALIASES: Record<string, readonly string[]> = {
  'sales@demo.test': ['alice@demo.test', 'bob@demo.test'],
  'all@demo.test': ['sales@demo.test', 'Ext.Ernal@Elsewhere.test', 'alice@demo.test'],
  'ring@demo.test': ['ring2@demo.test'],
  'ring2@demo.test': ['ring@demo.test'],
  'ringout@demo.test': ['ringout@demo.test', 'bob@demo.test'],
  'tagged@demo.test': ['alice+fixed@demo.test'],
  'broken@demo.test': ['no address', '', 'bob@demo.test'],
  'gone@demo.test': ['was@demo.test'],
  'twice@demo.test': ['A@elsewhere.test', 'a@elsewhere.test', 'A@elsewhere.test'],
  'abuse@catch.test': ['alice@demo.test'],
  '__proto__@demo.test': ['bob@demo.test'],
};

const OWN = '[192.0.2.1]';
const OPTIONS: Partial<AddressOptions> = { isOwnLiteral: (domain) => domain === OWN };

suite('resolve', () => {
  const cases: readonly (readonly [address: string, ...expected: string[]])[] = [
    ['alice@demo.test', 'alice@demo.test'],
    ['ALICE@DEMO.TEST', 'alice@demo.test'],
    ['"alice"@demo.test', 'alice@demo.test'],
    ['"al\\ice"@demo.test', 'alice@demo.test'],
    ['mu\u0308ller@demo.test', 'm\u00fcller@demo.test'],
    ['M\u00dcLLER@demo.test', 'm\u00fcller@demo.test'],
    ['x@b\u00fccher.test', 'x@xn--bcher-kva.test'],
    ['nobody@demo.test', 'unknown'],
    ['alice@elsewhere.test', '-> alice@elsewhere.test'],
    ['Alice+Tag@Elsewhere.test', '-> Alice+Tag@elsewhere.test'],
    ['sales@demo.test', 'alice@demo.test', 'bob@demo.test'],
    ['all@demo.test', '-> Ext.Ernal@elsewhere.test', 'alice@demo.test', 'bob@demo.test'],
    ['ring@demo.test', 'unknown'],
    ['ringout@demo.test', 'bob@demo.test'],
    ['broken@demo.test', 'bob@demo.test'],
    ['gone@demo.test', 'unknown'],
    ['twice@demo.test', '-> A@elsewhere.test', '-> a@elsewhere.test'],
    ['__proto__@demo.test', 'bob@demo.test'],
    ['constructor@demo.test', 'unknown'],
    ['alice+News@demo.test', 'alice@demo.test+News'],
    ['alice+@demo.test', 'alice@demo.test+'],
    ['alice+a+b@demo.test', 'alice@demo.test+a+b'],
    ['+alice@demo.test', 'unknown'],
    ['carol+work@demo.test', 'carol+work@demo.test'],
    ['carol+play@demo.test', 'unknown'],
    ['sales+x@demo.test', 'alice@demo.test+x', 'bob@demo.test+x'],
    ['tagged+x@demo.test', 'alice@demo.test+fixed'],
    ['anything@catch.test', 'bob@demo.test'],
    ['dave+y@catch.test', 'dave@catch.test+y'],
    ['nobody@loop.test', 'unknown'],
    ['postmaster@demo.test', 'alice@demo.test'],
    ['PostMaster@demo.test', 'alice@demo.test'],
    ['ABUSE@demo.test', 'alice@demo.test'],
    ['postmaster+x@demo.test', 'alice@demo.test'],
    ['postmaster@catch.test', 'bob@demo.test'],
    ['abuse@catch.test', 'alice@demo.test'],
    ['postmaster@empty.test', 'alice@demo.test'],
    ['postmaster@xn--bcher-kva.test', 'x@xn--bcher-kva.test'],
    [`postmaster@${OWN}`, 'alice@demo.test'],
    [`abuse@${OWN}`, 'alice@demo.test'],
    [`bob@${OWN}`, 'bob@demo.test'],
    [`nobody@${OWN}`, 'unknown'],
    ['postmaster@[192.0.2.2]', '-> postmaster@[192.0.2.2]'],
    ['postmaster@elsewhere.test', '-> postmaster@elsewhere.test'],
  ];
  for (const [address, ...expected] of cases) {
    test(`${address} leads to ${expected.join(', ')}`, () => {
      assert.deepEqual(targets(address, book(), OPTIONS), expected);
    });
  }

  test('postmaster: the configured account, also when it belongs to another domain', () => {
    const options = { ...OPTIONS, postmaster: 'bob@demo.test' };
    for (const address of ['postmaster@demo.test', 'abuse@empty.test', `postmaster@${OWN}`]) {
      assert.deepEqual(targets(address, book(), options), ['bob@demo.test'], address);
    }
    for (const postmaster of ['gone@demo.test', 'postmaster@demo.test', 'no address', '']) {
      const found = targets('postmaster@demo.test', book(), { ...OPTIONS, postmaster });
      assert.deepEqual(found, ['alice@demo.test'], postmaster);
    }
  });

  test('postmaster: the configured address may be an alias, or lie elsewhere', () => {
    for (const [postmaster, ...expected] of [
      ['sales@demo.test', 'alice@demo.test', 'bob@demo.test'],
      ['noc@elsewhere.test', '-> noc@elsewhere.test'],
    ]) {
      const options = { postmaster: postmaster ?? '' };
      assert.deepEqual(targets('abuse@demo.test', book(), options), expected);
    }
  });

  test('postmaster behind a catch-all that leads nowhere still reaches somebody', () => {
    assert.deepEqual(targets('postmaster@loop.test', book(), OPTIONS), ['alice@demo.test']);
    assert.deepEqual(targets('other@loop.test', book(), OPTIONS), ['unknown']);
  });

  test('other delimiters, several, none', () => {
    const at = (delimiters: string) => targets('bob-x+y@demo.test', book(), { delimiters });
    assert.deepEqual(at('-'), ['bob@demo.test+x+y']);
    assert.deepEqual(at('+-'), ['bob@demo.test+x+y']);
    assert.deepEqual(at('+'), ['unknown']);
    assert.deepEqual(targets('bob+x@demo.test', book(), { delimiters: '' }), ['unknown']);
    assert.deepEqual(splitDetail('', '+'), { local: '', detail: undefined });
  });

  test('a chain of 1,000 aliases is followed, one more is too many', () => {
    assert.deepEqual(targets('a0@demo.test', book(chain(1_000))), ['alice@demo.test']);
    assert.deepEqual(targets('a0@demo.test', book(chain(1_001))), ['too-many']);
  });

  test('a fan-out of 1,000 is delivered, one more is too many and delivers nothing', () => {
    assert.equal(targets('list@demo.test', list(1_000)).length, 1_000);
    assert.deepEqual(targets('list@demo.test', list(1_001)), ['too-many']);
    assert.deepEqual(targets('list@demo.test', list(1_000_000)), ['too-many']);
  });

  test('any directory: it ends, within the limit, without a target twice', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'alice', 'postmaster', 'abuse');
    const host = fc.constantFrom('demo.test', 'catch.test', 'loop.test', 'elsewhere.test');
    const address = fc.tuple(name, host).map(([local, domain]) => `${local}@${domain}`);
    const aliases = fc.dictionary(address, fc.array(address, { maxLength: 4 }));
    fc.assert(
      fc.property(aliases, address, (graph, from) => {
        const found = targets(from, book(graph), { maxAddresses: 6 });
        assert.equal(new Set(found).size, found.length);
        assert.ok(found.length >= 1 && found.length <= 8);
        if (/^(?:postmaster|abuse)@/.test(from)) assert.notDeepEqual(found, ['unknown']);
      }),
    );
  });

  test('every alias naming every other (a full graph) ends', () => {
    const names = Array.from({ length: 300 }, (_, index) => `g${index}@demo.test`);
    const aliases = Object.fromEntries(names.map((name) => [name, names]));
    const result = targets('g0@demo.test', book({ ...aliases }));
    assert.deepEqual(result, ['unknown']);
  });
});

suite('ownsSender', () => {
  const cases: readonly (readonly [login: string, address: string, owns: boolean])[] = [
    ['alice@demo.test', 'alice@demo.test', true],
    ['alice@demo.test', 'Alice@DEMO.test', true],
    ['alice@demo.test', '"alice"@demo.test', true],
    ['alice@demo.test', 'alice+shop@demo.test', true],
    ['alice@demo.test', 'sales@demo.test', true],
    ['alice@demo.test', 'all@demo.test', true],
    ['alice@demo.test', 'bob@demo.test', false],
    ['alice@demo.test', 'nobody@demo.test', false],
    ['alice@demo.test', 'alice@elsewhere.test', false],
    ['alice@demo.test', 'alice@catch.test', false],
    ['alice@demo.test', '"alice@demo.test"@catch.test', false],
    ['bob@demo.test', 'whoever@catch.test', true],
    ['bob@demo.test', 'dave@catch.test', false],
    ['bob@demo.test', 'postmaster@demo.test', false],
    ['alice@demo.test', 'postmaster@demo.test', true],
  ];
  for (const [login, address, owns] of cases) {
    test(`${login} ${owns ? 'may' : 'may not'} write as ${address}`, () => {
      assert.equal(ownsSender(loginOf(login), parse(address), book(), OPTIONS), owns);
    });
  }

  test('an account that was removed owns nothing', () => {
    const stranger = Authenticated.verified(
      { account: 99 as AccountId, address: 'alice@demo.test' },
      'PLAIN',
    );
    assert.equal(ownsSender(stranger, parse('alice@demo.test'), book()), false);
  });

  test('isOwnedSender: addresses that only a login may write as', () => {
    for (const [address, owned] of [
      ['alice@demo.test', true],
      ['sales@demo.test', true],
      ['nobody@demo.test', false],
      ['alice@elsewhere.test', false],
    ] as const) {
      assert.equal(isOwnedSender(parse(address), book()), owned, address);
    }
  });
});

function book(aliases: Record<string, readonly string[]> = ALIASES): AddressBook {
  const domains = new Map<string, LocalDomain>();
  for (const [name, catchAll] of Object.entries(DOMAINS)) {
    domains.set(name, { name: name as Domain, catchAll });
  }
  const accounts = new Map<string, Account>(
    ACCOUNTS.map((address, n) => [address, row(address, n)]),
  );
  const byAddress = new Map<string, Alias>();
  for (const [address, to] of Object.entries(aliases)) {
    byAddress.set(address, { address, targets: to });
  }
  return {
    domains: () => [...domains.values()],
    domain: (name) => domains.get(name),
    accounts: () => [...accounts.values()],
    account: (address) => accounts.get(address),
    alias: (address) => byAddress.get(address),
  };
}

function chain(length: number): Record<string, string[]> {
  const aliases: Record<string, string[]> = {};
  for (let index = 0; index < length; index += 1) {
    const next = index === length - 1 ? 'alice@demo.test' : `a${index + 1}@demo.test`;
    aliases[`a${index}@demo.test`] = [next];
  }
  return aliases;
}

function list(length: number): AddressBook {
  return book({ 'list@demo.test': Array.from({ length }, (_, n) => `n${n}@elsewhere.test`) });
}

function row(address: string, index: number): Account {
  return { id: (index + 1) as AccountId, address, enabled: true, createdMs: 0 };
}

function loginOf(address: string): Authenticated {
  const account = (ACCOUNTS.indexOf(address) + 1) as AccountId;
  return Authenticated.verified({ account, address }, 'PLAIN');
}

function parse(text: string): Address {
  const address = parseAddress(text);
  assert.ok(address !== undefined, text);
  return address;
}

function targets(text: string, from: AddressBook, options?: Partial<AddressOptions>): string[] {
  return resolve(parse(text), from, options).map((target) => {
    if (target.kind === 'remote') return `-> ${formatAddress(target.address)}`;
    if (target.kind !== 'local') return target.kind;
    const { account, detail } = target;
    return detail === undefined ? account.address : `${account.address}+${detail}`;
  });
}
