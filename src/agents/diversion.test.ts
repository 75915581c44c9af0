/** Where mail goes that policy diverts: into Junk here, held on its way elsewhere. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Address } from '#base/address.ts';
import { formatAddress, parseAddress } from '#base/address.ts';
import type { AccountId, QueueId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import type { Target } from '#policy/addresses/resolve.ts';
import type { Diversion } from '#policy/gate.ts';
import { RelayPermit } from '#policy/relay.ts';
import type { Store } from '#store/store.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { makeIntake } from './intake.ts';

const ANN = {
  id: 1 as AccountId,
  address: 'ann@a.test',
  enabled: true,
  createdMs: 0,
};

const ROWS: readonly (readonly [Diversion['kind'] | undefined, mailbox: string, held: boolean])[] =
  [
    [undefined, 'INBOX', false],
    ['quarantine', 'Junk', false],
    ['hold', 'INBOX', true],
  ];

for (const [kind, mailbox, held] of ROWS) {
  test(`${kind ?? 'usual'} mail: ${mailbox} here, ${held ? 'held' : 'due'} elsewhere`, async () => {
    const intake = makeIntake({
      store: {} as Store,
      clock: virtualClock(),
      random: { bytes: (length) => new Uint8Array(length) },
      resolve: targetsOf,
      lifetimeMs: 1_000,
      noticeLifetimeMs: 1_000,
      trap: undefined,
      noticeFailed: (thrown) => assert.fail(String(thrown)),
      successNotice: () => undefined,
    });
    const acceptance = await intake.prepare({
      id: 'Q1' as QueueId,
      origin: 'reception',
      reversePath: address('x@b.test'),
      recipients: ['ann@a.test', 'bob@b.test'].map((text) => ({
        address: address(text),
        permit: RelayPermit.ownNotice(),
        notify: undefined,
        originalRecipient: undefined,
      })),
      content: { head: utf8('Subject: x\r\n\r\n'), body: utf8('x\r\n') },
      structure: undefined,
      messageId: undefined,
      envelope: { ret: undefined, envelopeId: undefined, smtpUtf8: false, body: '7bit' },
      session: undefined,
      submitter: undefined,
      diversion: kind === undefined ? undefined : { kind, rule: 'the_rule', why: 'the reason' },
      facts: {},
    });
    assert.deepEqual(
      acceptance.deliveries.map((one) => one.mailbox),
      [mailbox],
    );
    const [queued] = acceptance.relay?.recipients ?? [];
    assert.equal(queued?.held, held ? 'the reason' : undefined);
    const told = JSON.stringify(acceptance.ledger[0]?.facts);
    assert.equal(/the_rule.*the reason/.test(told), kind !== undefined);
  });
}

function targetsOf(recipient: Address): readonly Target[] {
  if (formatAddress(recipient) === ANN.address) {
    return [{ kind: 'local', account: ANN, detail: undefined }];
  }
  return [{ kind: 'remote', address: recipient }];
}

function address(text: string): Address {
  return parseAddress(text) ?? assert.fail(text);
}
