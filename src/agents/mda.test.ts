/** The last step: what one recipient gets is the same however many there are. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import { deliver, structured } from './mda.ts';

const HEAD = 'Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n';
const BODY =
  '--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n';

test('a structure that was read once gives the facts of one that is read for each', () => {
  const message = { content: { head: utf8(HEAD), body: utf8(BODY) }, root: undefined };
  const once = structured(message);
  assert.ok(once.root !== undefined);
  for (const address of ['a@b.test', 'a-longer-one@b.test']) {
    const to = { account: 1 as AccountId, mailbox: 'INBOX', address };
    assert.deepEqual(deliver(once, to, null, 0), deliver(message, to, null, 0));
  }
});
