/** What the settings say to the SMTP listeners: who may send where on which port. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '#base/address.ts';
import type { Address } from '#base/address.ts';
import type { AccountId } from '#base/brand.ts';
import type { World } from '#base/world.ts';
import { RelayPermit } from '#policy/relay.ts';
import type { ClientFacts } from '#policy/gate.ts';
import { inquiry } from '#test/world/inquiry.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { Authenticated } from '#protocol/sasl/authenticated.ts';
import { inFolder } from '../testing.ts';
import { demoSettings } from './demo.ts';
import { addressRules } from './site.ts';
import { openGuards } from './limits.ts';
import { smtpListener } from './smtp.ts';
import { openEngine } from './store.ts';

function address(text: string): Address {
  return parseAddress(text) ?? assert.fail(text);
}

const LOGIN = Authenticated.verified(
  { account: 1 as AccountId, address: 'alice@demo.test' },
  'PLAIN',
);
function client(ip: string, login?: Authenticated): ClientFacts {
  return { address: ip, helo: 'client.example', extended: true, secure: undefined, login };
}

test('relaying: by mynetworks on 25, by login on submission, never on LMTP', async () => {
  await inFolder(async (folder) => {
    // The demo itself trusts no network.
    const settings = { ...demoSettings(folder), mynetworks: ['127.0.0.0/8'] };
    const store = await openEngine(settings);
    try {
      const domain = address('x@demo.test').domain;
      await store.write('addDomain', { name: domain });
      await store.write('setAlias', { address: 'all@demo.test', targets: ['x@example.net'] });
      const addresses = addressRules(settings, new Set(['192.0.2.1']));
      const world = {
        random: { bytes: (n: number) => new Uint8Array(n) },
        clock: virtualClock(),
      } as unknown as World;
      const guards = await openGuards(settings, store, world);
      const parts = { world, store, addresses, guards, startTls: true };
      const here = address('all@demo.test');
      const away = address('x@example.net');
      const table = [
        ['smtp', client('198.51.100.1'), away, false],
        ['smtp', client('198.51.100.1'), here, true],
        ['smtp', client('127.0.0.1'), away, true],
        ['submission', client('127.0.0.1'), away, false],
        ['submission', client('127.0.0.1'), here, false],
        ['submission', client('198.51.100.1', LOGIN), away, true],
        ['lmtp', client('127.0.0.1'), away, false],
        ['lmtp', client('127.0.0.1'), here, true],
      ] as const;
      for (const [mode, facts, recipient, permitted] of table) {
        const { gate } = smtpListener(mode, mode, settings, parts);
        const verdict = await gate.recipient(facts, null, recipient, inquiry());
        const what = `${mode} ${facts.address} ${recipient.domain}`;
        assert.equal(verdict instanceof RelayPermit, permitted, what);
      }
      const { gate } = smtpListener('submission', 'submission', settings, parts);
      const bob = address('bob@demo.test');
      const forged = await gate.sender(client('198.51.100.1', LOGIN), bob, inquiry());
      assert.equal(forged?.rule, 'reject_sender_login_mismatch');
    } finally {
      await store.close();
    }
  });
});
