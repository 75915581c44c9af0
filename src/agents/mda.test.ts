/** The last step: what one recipient gets is the same however many there are. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import { atOnce } from '#base/turns.ts';
import { readStructure } from '#message/scanner.ts';
import { deliver, describe, factsOf } from './mda.ts';

const HEAD = 'Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n';
const BODY =
  '--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n';

test('described once, each recipient gets the facts of the message with its own lines on top', () => {
  const content = { head: utf8(HEAD), body: utf8(BODY) };
  const structure = readStructure([content.head, content.body]);
  const once = atOnce(describe({ content, structure }));
  for (const address of ['a@b.test', 'a-longer-one@b.test', 'c@b.test']) {
    const to = { account: 1 as AccountId, mailbox: 'INBOX', address };
    const given = deliver(once, to, null, 0);
    const anew = atOnce(describe({ content: given.content, structure: undefined }));
    assert.deepEqual(given.facts, factsOf(anew));
  }
});
