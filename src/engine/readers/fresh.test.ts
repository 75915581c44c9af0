/** Just accepted mail: who is told of it, and from where it is read. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ContentId } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import type { DueRecipient } from '#store/queue.ts';
import {
  START_MS,
  acceptanceOf,
  addAccount,
  contentOf,
  deliveryOf,
  openTestStore,
  recipientOf,
  relayOf,
} from '#test/engine/fixture.ts';
import { FreshContents } from './fresh.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5));
const id = (number: number): ContentId => number as ContentId;

for (const thread of [false, true]) {
  describe(`writer in ${thread ? 'a thread' : 'this thread'}`, () => {
    test('watchers are told which rows an acceptance brought, and look for the rest', async (t) => {
      const it = await openTestStore(t, { thread });
      const account = await addAccount(it);
      const heard: (readonly DueRecipient[] | undefined)[] = [];
      it.store.watchQueue((rows) => heard.push(rows));
      const recipients = [
        recipientOf('a@x.example'),
        { ...recipientOf('b@y.example'), held: 'why' },
        recipientOf('c@y.example', { nextMs: START_MS + 9 }),
      ];
      const relay = relayOf(recipients);
      await it.do('accept', { acceptance: acceptanceOf('q1', { relay }) });
      await turn();
      const row = { id: 'q1', number: 1, domain: 'x.example', nextMs: START_MS };
      const last = { id: 'q1', number: 3, domain: 'y.example', nextMs: START_MS + 9 };
      assert.deepEqual(heard.splice(0), [[row, last]]);
      await it.do('accept', {
        acceptance: acceptanceOf('q2', { deliveries: [deliveryOf(account)] }),
      });
      await turn();
      assert.deepEqual(heard, []);
      const ended = { number: 1, kind: 'done' } as const;
      const later = { nextMs: 5, lastAnswer: '', delayNotified: false };
      const waits = { number: 3, kind: 'deferred', ...later } as const;
      const settle = { id: 'q1' as never, notices: [], ledger: [] };
      await it.do('settle', { ...settle, settlements: [ended] });
      await turn();
      assert.deepEqual(heard, [], 'rows that ended call nobody');
      await it.do('settle', { ...settle, settlements: [waits] });
      await turn();
      assert.deepEqual(heard.splice(0), [undefined]);
      const notice = acceptanceOf('n1', { relay: relayOf([recipientOf('d@x.example')]) });
      await it.do('settle', { ...settle, settlements: [], notices: [notice] });
      await turn();
      assert.deepEqual(heard.splice(0), [undefined]);
    });

    test('a body too large for the database is told of as well', async (t) => {
      const it = await openTestStore(t, { thread, limits: { inlineBytes: 100 } });
      await addAccount(it);
      const heard: (readonly DueRecipient[] | undefined)[] = [];
      it.store.watchQueue((rows) => heard.push(rows));
      const text = `${'x'.repeat(70)}\r\n`.repeat(10);
      const relay = relayOf([recipientOf('a@x.example')], { content: contentOf(text) });
      await it.do('accept', { acceptance: acceptanceOf('q1', { relay }) });
      await turn();
      assert.deepEqual(
        heard.map((rows) => rows?.map(({ id: one }) => one)),
        [['q1']],
      );
    });

    test('the same octets at hand and from the disk, and at hand once', async (t) => {
      const it = await openTestStore(t, { thread });
      const content = contentOf('to elsewhere\r\n');
      const whole = latin1(content.head) + latin1(content.body as Uint8Array);
      const relay = relayOf([recipientOf('a@x.example')], { content });
      const { queued } = await it.do('accept', { acceptance: acceptanceOf('q1', { relay }) });
      assert.ok(queued !== undefined);
      // What the caller does with its buffers now is its own affair.
      content.head.fill(0);
      for (let reading = 0; reading < 2; reading += 1) {
        const parts: Uint8Array[] = [
          await it.store.mail.octets(queued, 0, 5),
          await it.store.mail.octets(queued, 5, 1_000),
        ];
        assert.equal(parts.map(latin1).join(''), whole);
      }
      assert.equal((await it.store.queue.message('q1' as never))?.content, queued);
    });
  });
}

test('the oldest make room, the large are not kept, what was read to its end is forgotten', () => {
  const fresh = new FreshContents(6_400);
  assert.equal(fresh.copy({ head: new Uint8Array(51), body: new Uint8Array(50) }), undefined);
  const spooled = { kind: 'spooled', name: 'x', sizeBytes: 1 } as const;
  assert.equal(fresh.copy({ head: new Uint8Array(1), body: spooled }), undefined);
  const octets = fresh.copy({ head: new Uint8Array(60), body: new Uint8Array(40) });
  for (let number = 1; number <= 65; number += 1) fresh.put(id(number), octets!);
  assert.equal(fresh.read(id(1), 0, 1), undefined);
  assert.equal(fresh.read(id(2), 0, 99)?.length, 99);
  assert.equal(fresh.read(id(2), 99, 1)?.length, 1);
  assert.equal(fresh.read(id(2), 0, 1), undefined);
  fresh.put(id(66), utf8('x'));
  assert.equal(fresh.read(id(3), 0, 1)?.length, 1, 'the room of what was read is free');
});
