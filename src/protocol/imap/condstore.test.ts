/** CONDSTORE (RFC 7162 3.1): sequences shown to those who ask, conditional STORE, CHANGEDSINCE. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, play } from './fixture.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';

/** Three messages with sequences 2, 3 and 4. */
function mailbox(): MemoryMail {
  const mail = new MemoryMail();
  for (let at = 1; at <= 3; at++) mail.deliver('INBOX', `Subject: ${at}\n\nx\n`);
  return mail;
}

test('ENABLE, then everything unasked has its sequence', async () => {
  const mail = mailbox();
  const client = await Client.selected(mail);
  const other = await Client.selected(mail);
  await play(
    client,
    `C: a ENABLE CONDSTORE X
     S: * ENABLED CONDSTORE
     S: * OK [HIGHESTMODSEQ 4] Highest
     S: a OK ENABLE completed
     C: b ENABLE CONDSTORE
     S: * ENABLED
     S: b OK ENABLE completed
     C: c STORE 1 +FLAGS (\\Seen)
     S: * 1 FETCH (FLAGS (\\Seen) MODSEQ (5))
     S: c OK STORE completed
     C: d UID STORE 2 +FLAGS.SILENT (\\Seen)
     S: * 2 FETCH (UID 2 MODSEQ (6))
     S: d OK STORE completed
     C: e FETCH 3 BODY[TEXT]<0.1>
     S: * 3 FETCH (FLAGS (\\Seen) MODSEQ (7) BODY[TEXT]<0> {1}
     S: x)
     S: e OK FETCH completed
     C: f FETCH 1:2 (MODSEQ)
     S: * 1 FETCH (MODSEQ (5))
     S: * 2 FETCH (MODSEQ (6))
     S: f OK FETCH completed
     C: g STATUS INBOX (HIGHESTMODSEQ)
     S: * STATUS INBOX (HIGHESTMODSEQ 7)
     S: g OK STATUS completed`,
  );
  await other.run('x STORE 1 FLAGS (\\Flagged)');
  assert.equal(
    await client.run('h NOOP'),
    '* 1 FETCH (UID 1 FLAGS (\\Flagged) MODSEQ (8))\r\nh OK NOOP completed\r\n',
  );
});

test('CHANGEDSINCE gives what changed, with its sequence', async () => {
  await play(
    await Client.selected(mailbox()),
    `C: a FETCH 1:* (FLAGS) (CHANGEDSINCE 3)
     S: * OK [HIGHESTMODSEQ 4] Highest
     S: * 3 FETCH (FLAGS () MODSEQ (4))
     S: a OK FETCH completed
     C: b UID FETCH 1:2 UID (CHANGEDSINCE 1)
     S: * 1 FETCH (UID 1 MODSEQ (2))
     S: * 2 FETCH (UID 2 MODSEQ (3))
     S: b OK UID FETCH completed
     C: c FETCH 1:* FLAGS (CHANGEDSINCE 4)
     S: c OK FETCH completed
     C: d UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)
     S: d BAD ) expected
     C: e FETCH 1 FLAGS (FOO 1)
     S: e BAD CHANGEDSINCE is the only modifier here
     C: f FETCH 1 FLAGS (CHANGEDSINCE 99999999999999999999)
     S: f BAD The number is too large`,
  );
});

test('UNCHANGEDSINCE: the others are done, MODIFIED names those that were not', async () => {
  const mail = mailbox();
  mail.setFlags(mail.box('INBOX'), 2, ['\\Flagged']);
  await play(
    await Client.selected(mail),
    `C: a STORE 1:3 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\\Seen)
     S: * OK [HIGHESTMODSEQ 5] Highest
     S: * 1 FETCH (MODSEQ (6))
     S: * 2 FETCH (MODSEQ (5))
     S: * 3 FETCH (MODSEQ (7))
     S: a OK [MODIFIED 2] Some messages changed since
     C: b UID STORE 2 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)
     S: * 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (5))
     S: b OK [MODIFIED 2] Some messages changed since
     C: c STORE 2 (UNCHANGEDSINCE 5) FLAGS ()
     S: * 2 FETCH (FLAGS () MODSEQ (8))
     S: c OK STORE completed`,
  );
  assert.deepEqual(
    mail.box('INBOX').messages.map((message) => message.flags.join()),
    ['\\Seen', '', '\\Seen'],
  );
});

test('SEARCH MODSEQ, and its sequence in the answer', async () => {
  await play(
    await Client.loggedIn(mailbox()),
    `C: a EXAMINE INBOX (CONDSTORE)
     S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
     S: * 3 EXISTS
     S: * 0 RECENT
     S: * OK [UNSEEN 1] First unseen message
     S: * OK [PERMANENTFLAGS ()] Read-only
     S: * OK [UIDNEXT 4] Next UID
     S: * OK [UIDVALIDITY 1001] UIDs are valid
     S: * OK [HIGHESTMODSEQ 4] Highest
     S: a OK [READ-ONLY] EXAMINE completed
     C: b SEARCH MODSEQ 3
     S: * SEARCH 2 3 (MODSEQ 4)
     S: b OK SEARCH completed
     C: c SEARCH MODSEQ "/flags/\\\\draft" all 3 NOT SUBJECT 3
     S: * SEARCH 2 (MODSEQ 3)
     S: c OK SEARCH completed
     C: d SEARCH MODSEQ 9
     S: * SEARCH
     S: d OK SEARCH completed
     C: e UID SEARCH RETURN (MIN) MODSEQ 1
     S: * ESEARCH (TAG "e") UID MIN 1 MODSEQ 2
     S: e OK UID SEARCH completed
     C: f UID SEARCH RETURN (COUNT MIN) MODSEQ 1
     S: * ESEARCH (TAG "f") UID MIN 1 COUNT 3 MODSEQ 4
     S: f OK UID SEARCH completed
     C: g SEARCH MODSEQ "/other" all 1
     S: g BAD There is no such entry
     C: h SELECT INBOX (QRESYNC)
     S: h BAD CONDSTORE is the only parameter`,
  );
});

test('who never asks is never shown one', async () => {
  const mail = mailbox();
  const client = await Client.selected(mail);
  mail.setFlags(mail.box('INBOX'), 1, ['\\Seen']);
  const said = await client.run('a NOOP', 'b STORE 2 +FLAGS (\\Seen)', 'c FETCH 3 BODY[]');
  assert.doesNotMatch(said, /MODSEQ/);
});
