/** The gate with limits before it: whom they count, and what nobody can find out through it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '#base/address.ts';
import type { AccountId, Domain } from '#base/brand.ts';
import { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Account, Directory } from '#store/directory.ts';
import { inquiry } from '#test/world/inquiry.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import type { ClientFacts } from '../gate.ts';
import { makeGate } from '../restrictions/gate.ts';
import { parseNetworks } from '../restrictions/networks.ts';
import { parseRestrictions } from '../restrictions/parse.ts';
import { AccountLimits } from './account-limits.ts';
import { ClientLimits } from './client-limits.ts';
import { limitedGate } from './limited-gate.ts';
import { Memory } from './memory.ts';

const STRANGER = '203.0.113.5';
const DEFAULT = ['reject_sender_login_mismatch', 'reject_non_fqdn_sender'];
const HOUR_MS = 3_600_000;

test('who asks for our users by MAIL hears the same of every name before long', async () => {
  for (const list of [
    DEFAULT,
    ['reject_unlisted_sender'],
    [...DEFAULT, 'reject_unlisted_sender'],
  ]) {
    const { mail, clock } = house(list);
    const told: string[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      told.push(`${await mail('alice@demo.test')} ${await mail('nobody@demo.test')}`);
    }
    const different = told.filter((pair) => new Set(pair.split(' ')).size > 1).length;
    assert.ok(different <= 3, `${list.join()}: ${told.join(', ')}`);
    assert.equal(told.at(-1), '450 450');
    // Of other domains there is nothing to find out, and other networks did not ask.
    assert.equal(await mail('ann@elsewhere.test'), '250');
    assert.equal(await mail(''), '250');
    assert.equal(await mail('nobody@demo.test', { address: '198.51.100.1' }), oneOf(list));
    clock.pass(HOUR_MS);
    assert.equal(await mail('nobody@demo.test'), oneOf(list));
  }
});

test('guesses by MAIL cost no recipient, and who is trusted is not counted', async () => {
  const { mail, rcpt } = house(DEFAULT);
  for (let turn = 0; turn < 20; turn += 1) await mail('alice@demo.test');
  assert.equal(await rcpt('alice@demo.test'), '250');
  const login = Authenticated.verified(
    { account: 1 as AccountId, address: 'alice@demo.test' },
    'PLAIN',
  );
  for (let turn = 0; turn < 20; turn += 1) {
    assert.equal(await mail('bob@demo.test', { login }), '553');
    assert.equal(await mail('bob@demo.test', { address: '10.0.0.9' }), '250');
    assert.equal(await mail('bob@demo.test', { address: '127.0.0.1' }), '553');
  }
});

/** What a list says of a name in our domain that nobody has. */
function oneOf(list: readonly string[]): string {
  return list.includes('reject_unlisted_sender') ? '550' : '250';
}

/** A listener's gate for demo.test with alice and bob, at most three unknown ones an hour. */
function house(senderList: readonly string[]) {
  const clock = virtualClock();
  const networks = parseNetworks(['10.0.0.0/8']);
  const parsed = parseRestrictions(senderList, 'smtpd_sender_restrictions');
  assert.ok(networks.kind === 'networks' && parsed.kind === 'restrictions');
  const clients = new ClientLimits(clock, {
    connectionsPerMinute: 0,
    messagesPerMinute: 0,
    recipientsPerMinute: 0,
    unknownPerHour: 3,
    tarpitMs: 0,
  });
  const written = new Memory({ clock, keepMs: HOUR_MS });
  const rates = { messagesPerHour: 0, recipientsPerHour: 0, newRecipientsPerDay: 0, heldPerDay: 0 };
  const accounts = new AccountLimits(clock, rates, written);
  const gate = limitedGate(
    makeGate({
      directory,
      addresses: {},
      mynetworks: networks.networks,
      heloRestrictions: [],
      senderRestrictions: parsed.checks,
      recipientRestrictions: [],
    }),
    { clients, accounts, greetWaitMs: 0 },
    { mynetworks: networks.networks, directory },
  );
  return {
    clock,
    mail: async (sender: string, more: Partial<ClientFacts> = {}) => {
      const path = sender === '' ? null : parseAddress(sender)!;
      const told = await gate.sender(clientOf(more), path, inquiry());
      return `${told?.reply.code ?? 250}`;
    },
    rcpt: async (recipient: string) => {
      const told = await gate.recipient(clientOf({}), null, parseAddress(recipient)!, inquiry());
      return 'reply' in told ? `${told.reply.code}` : '250';
    },
  };
}

function clientOf(more: Partial<ClientFacts>): ClientFacts {
  const usual = { address: STRANGER, helo: 'mx.sender.test', extended: true };
  return { ...usual, secure: undefined, login: undefined, ...more };
}

const people = ['alice', 'bob'].map((name, index): Account => {
  const id = (index + 1) as AccountId;
  return { id, address: `${name}@demo.test`, enabled: true, createdMs: 0 };
});
const domains = [{ name: 'demo.test' as Domain, catchAll: undefined }];
const directory: Directory = {
  domains: () => domains,
  domain: (name) => domains.find((one) => one.name === name),
  accounts: () => people,
  account: (address) => people.find((one) => one.address === address),
  accountById: (id) => people.find((one) => one.id === id),
  credentials: () => undefined,
  aliases: () => [],
  alias: () => undefined,
};
