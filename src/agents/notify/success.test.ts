/** The notice of a local delivery, as intake asks for it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import { RelayPermit } from '#policy/relay.ts';
import type { NewMail, NewMailRecipient } from '../mail.ts';
import { makeNotifier, successNotice } from './notifier.ts';
import { ARRIVED_MS, BODY, HEAD, readNotice, valueIn } from './testing.ts';

function to(text: string, notify: NewMailRecipient['notify']): NewMailRecipient {
  return {
    address: parseAddress(text)!,
    permit: RelayPermit.ownNotice(),
    notify,
    originalRecipient: `rfc822;${text}`,
  };
}

test('a local delivery is confirmed to those who asked, and to nobody else', () => {
  const notifier = makeNotifier({
    myhostname: 'mail.demo.test' as Domain,
    random: { bytes: (length) => new Uint8Array(length).fill(9) },
  });
  const mail: NewMail = {
    id: 'Q7' as QueueId,
    origin: 'reception',
    reversePath: parseAddress('alice@far.test')!,
    recipients: [],
    content: { head: utf8(HEAD), body: utf8(BODY) },
    structure: undefined,
    messageId: undefined,
    envelope: { ret: 'full', envelopeId: 'E1', smtpUtf8: false, body: '7bit' },
    session: undefined,
    submitter: undefined,
    facts: {},
  };
  const all = [to('a@demo.test', ['success']), to('b@demo.test', undefined), to('c@demo.test', [])];
  const notice = successNotice(notifier, newId, mail, all, ARRIVED_MS);
  assert.ok(notice !== undefined);
  const read = readNotice(notice);
  assert.equal(read.blocks.length, 2);
  assert.equal(valueIn(read.blocks[1], 'Action'), 'delivered');
  assert.equal(valueIn(read.blocks[1], 'Final-Recipient'), 'rfc822; a@demo.test');
  assert.equal(valueIn(read.blocks[1], 'Original-Recipient'), 'rfc822;a@demo.test');
  assert.equal(valueIn(read.blocks[0], 'Original-Envelope-Id'), 'E1');
  assert.doesNotMatch(read.text, /o'clock/, 'RFC 3461 6.2: the head only');
  assert.equal(successNotice(notifier, newId, mail, all.slice(1), ARRIVED_MS), undefined);
  const fromNull = { ...mail, reversePath: null };
  assert.equal(successNotice(notifier, newId, fromNull, all, ARRIVED_MS), undefined);
});

function newId(): QueueId {
  return 'N9' as QueueId;
}
