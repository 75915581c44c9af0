/** The relay proof: every listener, client, login, sender and recipient; no stranger to elsewhere. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Address, ReversePath } from '#base/address.ts';
import { formatAddress, parseAddress } from '#base/address.ts';
import type { AccountId, Domain } from '#base/brand.ts';
import type { Secure } from '#base/secure.ts';
import type { World } from '#base/world.ts';
import { parseIp } from '#base/ip.ts';
import type { AddressOptions } from '#policy/addresses/options.ts';
import { resolve } from '#policy/addresses/resolve.ts';
import type { ClientFacts, Gate } from '#policy/gate.ts';
import { Inquiry } from '#policy/inquiry.ts';
import { hashPassword } from '#policy/login/password.ts';
import { RelayPermit } from '#policy/relay.ts';
import { makeGate } from '#policy/restrictions/gate.ts';
import { Networks } from '#policy/restrictions/networks.ts';
import { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Directory } from '#store/directory.ts';
import { zoneResolver } from '../vectors/zone.ts';
import { virtualClock } from '../world/virtual-clock.ts';
import { readConfiguration } from '#command/configuration/read.ts';
import type { Settings } from '#command/configuration/settings.ts';
import { inFolder } from '#command/testing.ts';
import { openGuards } from '#command/serve/limits.ts';
import { addressRules } from '#command/serve/site.ts';
import { smtpListener } from '#command/serve/smtp.ts';
import type { SmtpMode } from '#command/serve/smtp.ts';
import { openEngine } from '#command/serve/store.ts';

/** Who is trusted by address on the port for other servers, and nowhere else. */
const CLIENTS: readonly (readonly [address: string, trusted: boolean])[] = [
  ['127.0.0.1', true],
  ['::1', true],
  ['10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['10.1.3.1', false],
  ['203.0.113.5', false],
  ['::ffff:203.0.113.5', false],
  ['2001:db8::5', false],
  ['64:ff9b::a01:203', false],
  ['::10.1.2.3', false],
  ['', false],
];

/** Where mail for it goes: `here`, `nowhere` (a domain of ours, no mailbox), `elsewhere`. */
const RECIPIENTS: readonly (readonly [text: string, place: 'here' | 'nowhere' | 'elsewhere'])[] = [
  ['alice@demo.test', 'here'],
  ['ALICE+x@DEMO.TEST', 'here'],
  ['postmaster@demo.test', 'here'],
  ['alice@[192.0.2.1]', 'here'],
  ['nobody@demo.test', 'nowhere'],
  ['"x@away.test"@demo.test', 'nowhere'],
  ['x%away.test@demo.test', 'nowhere'],
  ['away.test!x@demo.test', 'nowhere'],
  ['"@away.test:x"@demo.test', 'nowhere'],
  ['x@away.test', 'elsewhere'],
  ['alice@sub.demo.test', 'elsewhere'],
  ['alice@xdemo.test', 'elsewhere'],
  ['alice@demo.test.away.test', 'elsewhere'],
  ['"alice@demo.test"@away.test', 'elsewhere'],
  ['alice%demo.test@away.test', 'elsewhere'],
  ['postmaster@away.test', 'elsewhere'],
  ['alice@[192.0.2.98]', 'elsewhere'],
  ['alice@[IPv6:2001:db8::98]', 'elsewhere'],
  ['alice@localhost', 'elsewhere'],
];

const SENDERS = ['', 'alice@demo.test', 'nobody@demo.test', 'x@away.test', 'x@[192.0.2.1]'];
const LISTENERS: readonly (readonly [name: string, mode: SmtpMode, startTls: boolean])[] = [
  ['smtp', 'smtp', true],
  ['submission', 'submission', true],
  ['submissions', 'submission', false],
  ['lmtp', 'lmtp', false],
];

/** The lists as they are by default, and lists of an operator who permits whatever he can. */
const CONFIGURATIONS: Readonly<Record<string, string>> = {
  defaults: '',
  empty: lists('[]'),
  permit: lists('["permit"]'),
  tables: `
smtpd_client_restrictions = ["check_client_access cidr:FOLDER/clients"]
smtpd_helo_restrictions = ["check_helo_access FOLDER/names"]
smtpd_sender_restrictions = ["check_sender_access FOLDER/names"]
smtpd_recipient_restrictions = ["check_recipient_access FOLDER/names"]
`,
  'good list': `smtpd_recipient_restrictions = ["permit_dnswl_client good.test"]`,
  'other refusals': `
smtpd_recipient_restrictions = ["warn_if_reject reject_unauth_destination", "defer_if_reject permit"]
`,
};

interface Combination {
  readonly listener: string;
  readonly client: string;
  readonly isTls: boolean;
  readonly login: boolean;
  readonly sender: string;
  readonly recipient: string;
  readonly reason: string;
}

test('no stranger to a foreign recipient, in all combinations of all configurations', async () => {
  let count = 0;
  let permitted = 0;
  for (const [name, extra] of Object.entries(CONFIGURATIONS)) {
    await withGates(extra, async (gates, directory, rules) => {
      const seen = await enumerate(gates, directory, rules);
      assert.deepEqual(seen.violations, [], name);
      count += seen.count;
      permitted += seen.permitted;
      if (name !== 'defaults') return;
      // Not proved by refusing everybody: what must go through does.
      for (const [listener, client, login, recipient] of MUST_PASS) {
        const found = seen.passed.some(
          (one) =>
            one.listener === listener &&
            one.client === client &&
            one.login === login &&
            one.recipient === recipient,
        );
        assert.ok(found, `${listener} ${client} ${login} ${recipient}`);
      }
    });
  }
  const { length: configurations } = Object.keys(CONFIGURATIONS);
  const each = LISTENERS.length * CLIENTS.length * 4 * SENDERS.length * RECIPIENTS.length;
  assert.equal(count, configurations * each);
  assert.ok(permitted > 1_000);
});

test('the control: a gate that trusts the world, or permits by itself, is found out', async () => {
  await withGates('', async (gates, directory, rules) => {
    const world = new Networks([{ first: parseIp('0.0.0.0')!, bits: 0, excluded: false }]);
    const none = { heloRestrictions: [], senderRestrictions: [], recipientRestrictions: [] };
    const open = makeGate({ directory, addresses: rules, mynetworks: world, ...none });
    const smtp = gates.get('smtp') ?? assert.fail();
    const forging: Gate = { ...smtp, recipient: () => RelayPermit.ownNotice() };
    for (const broken of [open, forging]) {
      const seen = await enumerate(new Map([['smtp', broken]]), directory, rules);
      assert.ok(seen.violations.length > 100);
    }
  });
});

const MUST_PASS = [
  ['smtp', '203.0.113.5', false, 'alice@demo.test'],
  ['smtp', '2001:db8::5', false, 'alice@[192.0.2.1]'],
  ['smtp', '10.1.2.3', false, 'x@away.test'],
  ['submission', '203.0.113.5', true, 'x@away.test'],
  ['submissions', '2001:db8::5', true, 'alice@demo.test'],
  ['lmtp', '127.0.0.1', false, 'alice@demo.test'],
] as const;

interface Seen {
  readonly violations: Combination[];
  readonly passed: Combination[];
  count: number;
  permitted: number;
}

/** Every combination by every gate; what is allowed is held against the table, not the code. */
async function enumerate(
  gates: ReadonlyMap<string, Gate>,
  directory: Directory,
  rules: Partial<AddressOptions>,
): Promise<Seen> {
  const seen: Seen = { violations: [], passed: [], count: 0, permitted: 0 };
  for (const [listener, gate] of gates) {
    for (const [address, trusted] of CLIENTS) {
      for (const [isTls, login] of SESSIONS) {
        const client: ClientFacts = {
          address,
          helo: 'mx.sender.test',
          extended: true,
          secure: isTls ? ({} as Secure) : undefined,
          login: login ? ALICE : undefined,
        };
        for (const sender of SENDERS) {
          for (const [recipient, place] of RECIPIENTS) {
            seen.count += 1;
            const to = parse(recipient);
            const told = await gate.recipient(client, path(sender), to, inquiry());
            if (!(told instanceof RelayPermit)) continue;
            seen.permitted += 1;
            const { reason } = told;
            const one = { listener, client: address, isTls, login, sender, recipient, reason };
            const mayRelay = (login && listener !== 'lmtp') || (trusted && listener === 'smtp');
            const leaves = resolve(to, directory, rules).some(({ kind }) => kind !== 'local');
            const allowed = place === 'here' ? !leaves : place === 'elsewhere' && mayRelay;
            if (allowed) seen.passed.push(one);
            else seen.violations.push(one);
          }
        }
      }
    }
  }
  return seen;
}

const SESSIONS = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

const ALICE = Authenticated.verified(
  { account: 1 as AccountId, address: 'alice@demo.test' },
  'PLAIN',
);

/** The gates of all listeners, put together as the server does it. */
async function withGates(
  extra: string,
  use: (
    gates: ReadonlyMap<string, Gate>,
    directory: Directory,
    rules: Partial<AddressOptions>,
  ) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'clients'), '0.0.0.0/0 OK\n::/0 OK\n');
    writeFileSync(join(folder, 'names'), 'test OK\nlocalhost OK\nalice@ OK\nx@ OK\n<> OK\n');
    const settings = settingsOf(folder, extra.replaceAll('FOLDER', folder));
    const store = await openEngine(settings);
    try {
      await store.write('addDomain', { name: 'demo.test' as Domain });
      const credentials = await hashPassword('secret words', random);
      await store.write('addAccount', { address: 'alice@demo.test', credentials, nowMs: 0 });
      const addresses = addressRules(settings, new Set(['192.0.2.1']));
      const world = { random, clock: virtualClock(), log: { event: () => undefined } };
      const parts = { world: world as unknown as World, store, addresses };
      const guards = await openGuards(settings, store, parts.world);
      const gates = new Map(
        LISTENERS.map(([name, mode, startTls]) => [
          name,
          smtpListener(mode, name, settings, { ...parts, guards, startTls }).gate,
        ]),
      );
      await use(gates, store.directory, addresses);
    } finally {
      await store.close();
    }
  });
}

function settingsOf(folder: string, extra: string): Settings {
  const text = `
myhostname = "mx.demo.test"
mynetworks = ["127.0.0.0/8", "[::1]/128", "10.1.2.0/24"]
smtpd_client_message_rate_limit = 0
smtpd_client_recipient_rate_limit = 0
smtpd_client_unknown_limit = 0
smtpd_tarpit_time = "0s"
${extra}`;
  const read = readConfiguration(text, { hostname: 'x', stateDirectory: folder, gateways: [] });
  assert.ok(read.kind === 'good', JSON.stringify(read));
  return { ...read.settings, data_directory: folder };
}

function lists(value: string): string {
  return ['client', 'helo', 'sender', 'recipient', 'data']
    .map((name) => `smtpd_${name}_restrictions = ${value}\n`)
    .join('');
}

const random = { bytes: (length: number) => new Uint8Array(length) };
const GOOD = zoneResolver({ '5.113.0.203.good.test': { a: ['127.0.0.2'] } });

function inquiry(): Inquiry {
  return new Inquiry({ resolver: GOOD, clock: virtualClock() });
}

function parse(text: string): Address {
  const address = parseAddress(text) ?? assert.fail(text);
  assert.ok(formatAddress(address).length > 0);
  return address;
}

function path(text: string): ReversePath {
  return text === '' ? null : parse(text);
}
