/** What crosses to the writer's thread is there what it was here. */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { test } from 'node:test';
import type { AccountId, MailboxId, QueueId } from '#base/brand.ts';
import type { Acceptance, OperationName, Operations } from '#store/operations.ts';
import { writtenEntry } from '../steps/ledger.ts';
import type { Job } from './message.ts';
import { operationBytes, packJobs } from './pack.ts';
import { unpackJobs } from './unpack.ts';
import {
  START_MS,
  acceptanceOf,
  contentOf,
  deliveryOf,
  entryOf,
  factsOf,
  messageOf,
  recipientOf,
  relayOf,
} from '#test/engine/fixture.ts';

/** As a message between threads: the buffer is given up here. */
function cross(jobs: readonly Job[]): Job[] {
  const { values, octets } = packJobs(jobs);
  return unpackJobs(structuredClone({ values, octets }, { transfer: [octets.buffer] }));
}

function job<K extends OperationName>(ticket: number, operation: K, input: Operations[K]['input']) {
  return { ticket, operation, input };
}

function arrived(acceptance: Acceptance): unknown {
  return { ...acceptance, ledger: acceptance.ledger.map(writtenEntry) };
}

const optional = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(some, { nil: undefined });
const text = fc.string({ unit: 'binary', maxLength: 30 });
const octets = fc.uint8Array({ maxLength: 100 });
const facts = fc.record({
  envelope: octets,
  bodyStructure: octets,
  parts: text,
  sentMs: optional(fc.maxSafeInteger()),
  messageId: optional(text),
  references: fc.array(text, { maxLength: 5 }),
  subject: text,
  from: text,
  to: text,
  cc: text,
  bcc: text,
});
const body = fc.oneof(
  octets,
  fc.record(
    { kind: fc.constant('spooled' as const), name: text, sizeBytes: fc.nat() },
    { noNullPrototype: true },
  ),
);
const content = fc.record({ head: octets, body });
const delivery = fc.record({
  account: fc.nat().map((id) => id as AccountId),
  mailbox: text,
  flags: fc.array(text, { maxLength: 3 }),
  internalDateMs: fc.maxSafeInteger(),
  content,
  facts,
});
const envelope = fc.record({
  reversePath: text,
  ret: optional(fc.constantFrom('full' as const, 'headers' as const)),
  envelopeId: optional(text),
  smtpUtf8: fc.boolean(),
  body: fc.constantFrom('7bit' as const, 'binarymime' as const),
  tls: optional(fc.constantFrom('required' as const, 'optional' as const)),
});
const recipient = text.chain((address) =>
  fc
    .record({
      held: optional(text),
      originalRecipient: optional(text),
      notify: optional(fc.array(fc.constantFrom('success' as const, 'delay' as const))),
    })
    .map(({ held, ...rest }) => ({
      ...recipientOf(`${address}@x.example`, rest),
      ...(held === undefined ? {} : { held }),
    })),
);
const relay = fc.record({
  envelope,
  content,
  submitter: optional(text),
  recipients: fc.array(recipient, { maxLength: 3 }),
});
const entry = fc
  .record({ keys: fc.array(text, { maxLength: 3 }), facts: fc.dictionary(text, text) })
  .map((some) => entryOf({ kind: 'accepted', ...some }));
const acceptance = fc.record({
  id: text.map((id) => id as QueueId),
  atMs: fc.maxSafeInteger(),
  deliveries: fc.array(delivery, { maxLength: 3 }),
  relay: optional(relay),
  ledger: fc.array(entry, { maxLength: 2 }),
});

test('any acceptances arrive as they were', () => {
  fc.assert(
    fc.property(fc.array(acceptance, { maxLength: 4 }), (acceptances) => {
      const jobs = acceptances.map((one, at) => job(at, 'accept', { acceptance: one }));
      const expected = jobs.map(({ input, ...rest }) => ({
        ...rest,
        input: { acceptance: arrived(input.acceptance) },
      }));
      // The generator's objects have no prototype.
      assert.deepEqual(cross(jobs), structuredClone(expected));
    }),
  );
});

test('what several share, they share there too; other operations are among them', () => {
  const [account, mailbox] = [1 as AccountId, 2 as MailboxId];
  const [shared, known] = [contentOf('shared'), factsOf({ references: ['a@x', 'b@x'] })];
  const other = { head: shared.head, body: contentOf('other').body };
  const sent = relayOf([recipientOf('c@x.example')], { content: shared });
  const both = acceptanceOf('q1', {
    deliveries: [
      deliveryOf(account, { content: shared, facts: known }),
      deliveryOf(account, { content: shared, facts: known, flags: ['\\Seen', 'word'] }),
      deliveryOf(account, { content: other, facts: known }),
    ],
    relay: { ...sent, envelope: { ...sent.envelope, tls: 'required' } },
  });
  const notice = acceptanceOf('q2', { deliveries: [deliveryOf(account)] });
  const entries = [entryOf({ kind: 'attempt', facts: { to: ['mx'] } })];
  const settlements = [{ number: 1, kind: 'done' as const }];
  const settle = { id: 'q0' as QueueId, settlements, notices: [notice], ledger: entries };
  const messages = [messageOf(), messageOf({ content: shared, facts: known })];
  const jobs: Job[] = [
    job(1, 'accept', { acceptance: both }),
    job(2, 'subscribe', { account, name: 'x', on: true }),
    job(3, 'settle', settle),
    job(4, 'append', { mailbox, messages }),
    job(5, 'expunge', { mailbox, uids: [[1, 2]] as never, onlyDeleted: true, nowMs: START_MS }),
  ];
  const there = cross(jobs);
  assert.deepEqual(
    there.map(({ input }) => input),
    [
      { acceptance: arrived(both) },
      jobs[1]?.input,
      { ...settle, notices: [arrived(notice)], ledger: entries.map(writtenEntry) },
      jobs[3]?.input,
      jobs[4]?.input,
    ],
  );
  const [first] = there as [Job];
  const { acceptance: one } = first.input as Operations['accept']['input'];
  const { deliveries } = one;
  assert.equal(deliveries[0]?.content, deliveries[1]?.content);
  assert.equal(deliveries[0]?.facts, deliveries[2]?.facts);
  assert.notEqual(deliveries[0]?.content, deliveries[2]?.content);
  // Octets stay their owner's.
  assert.ok(shared.head.length > 0);
  assert.equal(operationBytes('expunge', jobs[4]?.input), 0);
});
