/** Transcripts of every command in its plain use. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, play } from './fixture.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';

const CAPABILITIES =
  'IMAP4rev1 SASL-IR ID ENABLE LITERAL+ IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN ' +
  'SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE ESEARCH ' +
  'CONDSTORE APPENDLIMIT=52428800';

const NOTE = 'From: Ann <ann@a.test>\nTo: bob@b.test\nSubject: hello\n\nA note.\n';

function inbox(count = 3): MemoryMail {
  const mail = new MemoryMail();
  for (let at = 1; at <= count; at++) mail.deliver('INBOX', NOTE.replace('hello', `hello ${at}`));
  return mail;
}

test('greeting, capabilities, login, logout', async () => {
  const client = new Client();
  await client.quiet();
  const greeting = client.read();
  assert.match(greeting, /^\* OK \[CAPABILITY IMAP4rev1 [^\]]*\] IMAP4rev1 service ready\r\n$/);
  assert.doesNotMatch(greeting, /postern|\d\.\d/i);
  await play(
    client,
    `C: a CAPABILITY
     S: * CAPABILITY ${greeting.slice(17, greeting.indexOf(']'))}
     S: a OK CAPABILITY completed
     C: b NOOP
     S: b OK NOOP completed
     C: c LOGIN "user" "pencil"
     S: c OK [CAPABILITY ${CAPABILITIES}] Logged in
     C: d CAPABILITY
     S: * CAPABILITY ${CAPABILITIES}
     S: d OK CAPABILITY completed
     C: e LOGIN user pencil
     S: e BAD Not now: no mailbox is selected, or the login is done
     C: f LOGOUT
     S: * BYE Logging out
     S: f OK LOGOUT completed`,
  );
  assert.ok(client.closed);
});

test('SELECT, EXAMINE, CLOSE, UNSELECT', async () => {
  const mail = inbox(2);
  mail.setFlags(mail.box('INBOX'), 1, ['\\Seen']);
  await play(
    await Client.loggedIn(mail),
    `C: a SELECT inbox
     S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
     S: * 2 EXISTS
     S: * 0 RECENT
     S: * OK [UNSEEN 2] First unseen message
     S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Keywords can be made
     S: * OK [UIDNEXT 3] Next UID
     S: * OK [UIDVALIDITY 1001] UIDs are valid
     S: * OK [HIGHESTMODSEQ 4] Highest
     S: a OK [READ-WRITE] SELECT completed
     C: b STORE 1 +FLAGS.SILENT (\\Deleted)
     S: b OK STORE completed
     C: c UNSELECT
     S: c OK UNSELECT completed
     C: d FETCH 1 FLAGS
     S: d BAD Not now: no mailbox is selected, or the login is done
     C: e EXAMINE INBOX
     S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
     S: * 2 EXISTS
     S: * 0 RECENT
     S: * OK [UNSEEN 2] First unseen message
     S: * OK [PERMANENTFLAGS ()] Read-only
     S: * OK [UIDNEXT 3] Next UID
     S: * OK [UIDVALIDITY 1001] UIDs are valid
     S: * OK [HIGHESTMODSEQ 5] Highest
     S: e OK [READ-ONLY] EXAMINE completed
     C: f STORE 1 FLAGS ()
     S: f NO [READ-ONLY] The mailbox was opened with EXAMINE
     C: g EXPUNGE
     S: g NO [READ-ONLY] The mailbox was opened with EXAMINE
     C: h CLOSE
     S: h OK CLOSE completed
     C: i SELECT nowhere
     S: i NO [NONEXISTENT] There is no such mailbox`,
  );
  assert.equal(mail.texts('INBOX').length, 2);
  await play(
    await Client.selected(mail),
    `C: a CLOSE
     S: a OK CLOSE completed
     C: b STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE APPENDLIMIT)
     S: * STATUS INBOX (MESSAGES 1 RECENT 0 UIDNEXT 3 UIDVALIDITY 1001 UNSEEN 1 SIZE 69 APPENDLIMIT 52428800)
     S: b OK STATUS completed`,
  );
});

test('a failing SELECT leaves nothing selected', async () => {
  await play(
    await Client.selected(inbox()),
    `C: a SELECT nowhere
     S: a NO [NONEXISTENT] There is no such mailbox
     C: b CHECK
     S: b BAD Not now: no mailbox is selected, or the login is done`,
  );
});

test('STORE and EXPUNGE, by number and by UID', async () => {
  const mail = inbox(4);
  await play(
    await Client.selected(mail),
    `C: a STORE 2:3 +FLAGS (\\Deleted $Later)
     S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Later)
     S: * 2 FETCH (FLAGS (\\Deleted $Later))
     S: * 3 FETCH (FLAGS (\\Deleted $Later))
     S: a OK STORE completed
     C: b UID STORE 3 -FLAGS.SILENT \\Deleted
     S: b OK STORE completed
     C: c UID STORE 3 FLAGS (\\Deleted \\seen)
     S: * 3 FETCH (UID 3 FLAGS (\\Deleted \\Seen))
     S: c OK STORE completed
     C: d UID EXPUNGE 1,3
     S: * 3 EXPUNGE
     S: d OK UID EXPUNGE completed
     C: e EXPUNGE
     S: * 2 EXPUNGE
     S: e OK EXPUNGE completed
     C: f UID FETCH 1:* FLAGS
     S: * 1 FETCH (UID 1 FLAGS ())
     S: * 2 FETCH (UID 4 FLAGS ())
     S: f OK UID FETCH completed
     C: g STORE 1 +FLAGS (\\Recent)
     S: g BAD There is no such system flag
     C: h STORE 3 +FLAGS (\\Seen)
     S: h BAD There is no message with that number
     C: i UID STORE 999 +FLAGS (\\Seen)
     S: i OK No such message`,
  );
});

test('pipelined STORE and EXPUNGE stay in order', async () => {
  const mail = inbox(3);
  const client = await Client.selected(mail);
  const said = await client.run('a STORE 1:2 +FLAGS.SILENT \\Deleted', 'b EXPUNGE', 'c NOOP');
  assert.equal(
    said,
    'a OK STORE completed\r\n* 2 EXPUNGE\r\n* 1 EXPUNGE\r\nb OK EXPUNGE completed\r\n' +
      'c OK NOOP completed\r\n',
  );
  assert.equal(mail.texts('INBOX').length, 1);
});

test('COPY and MOVE with COPYUID', async () => {
  const mail = inbox(5);
  mail.create('Archive');
  await play(
    await Client.selected(mail),
    `C: a COPY 2,4:5 Archive
     S: a OK [COPYUID 1002 2,4:5 1:3] COPY completed
     C: b UID COPY 99 Archive
     S: b OK COPY completed: no such message
     C: c MOVE 1:2 Archive
     S: * OK [COPYUID 1002 1:2 4:5] Moved
     S: * 2 EXPUNGE
     S: * 1 EXPUNGE
     S: c OK MOVE completed
     C: d UID MOVE 4 Archive
     S: * OK [COPYUID 1002 4 6] Moved
     S: * 2 EXPUNGE
     S: d OK MOVE completed
     C: e UID MOVE 3 nowhere
     S: e NO [TRYCREATE] There is no such mailbox
     C: f COPY 1 nowhere
     S: f NO [TRYCREATE] There is no such mailbox
     C: g UID COPY 3,5 INBOX
     S: * 4 EXISTS
     S: * 0 RECENT
     S: g OK [COPYUID 1001 3,5 6:7] COPY completed`,
  );
  assert.equal(mail.texts('Archive').length, 6);
});

test('CREATE, RENAME, DELETE, SUBSCRIBE, LIST, LSUB', async () => {
  const mail = new MemoryMail();
  await play(
    await Client.loggedIn(mail),
    `C: a CREATE Work/Plans/
     S: a OK CREATE completed
     C: b CREATE Work
     S: b NO [ALREADYEXISTS] There is such a mailbox
     C: c CREATE Sent (USE (\\sent))
     S: c OK CREATE completed
     C: d CREATE Sent2 (USE (\\Sent))
     S: d NO [USEATTR] Another mailbox is \\Sent already
     C: e CREATE inbox
     S: e NO [ALREADYEXISTS] INBOX is always there
     C: f LIST "" *
     S: * LIST (\\HasNoChildren) "/" INBOX
     S: * LIST (\\HasNoChildren \\Sent) "/" Sent
     S: * LIST (\\HasChildren) "/" Work
     S: * LIST (\\HasNoChildren) "/" Work/Plans
     S: f OK LIST completed
     C: g LIST "" %
     S: * LIST (\\HasNoChildren) "/" INBOX
     S: * LIST (\\HasNoChildren \\Sent) "/" Sent
     S: * LIST (\\HasChildren) "/" Work
     S: g OK LIST completed
     C: h LIST Work/ %
     S: * LIST (\\HasNoChildren) "/" Work/Plans
     S: h OK LIST completed
     C: i LIST "" ""
     S: * LIST (\\Noselect) "/" ""
     S: i OK LIST completed
     C: j LIST "" inb%
     S: * LIST (\\HasNoChildren) "/" INBOX
     S: j OK LIST completed
     C: k DELETE Work
     S: k NO [INUSE] The mailbox has children
     C: l DELETE INBOX
     S: l NO [CANNOT] INBOX cannot be deleted
     C: m RENAME Work/Plans Plans
     S: m OK RENAME completed
     C: n RENAME Plans Plans/x
     S: n NO [CANNOT] A mailbox cannot become its own child
     C: o RENAME Plans Sent
     S: o NO [ALREADYEXISTS] There is such a mailbox
     C: p DELETE Work
     S: p OK DELETE completed
     C: q SUBSCRIBE Plans
     S: q OK SUBSCRIBE completed
     C: r SUBSCRIBE nowhere
     S: r NO [NONEXISTENT] There is no such mailbox
     C: s LSUB "" *
     S: * LSUB () "/" Plans
     S: s OK LSUB completed
     C: t UNSUBSCRIBE Plans
     S: t OK UNSUBSCRIBE completed
     C: u LSUB "" *
     S: u OK LSUB completed`,
  );
});

test('LIST-EXTENDED, LIST-STATUS, and LSUB with parents', async () => {
  const mail = new MemoryMail();
  mail.create('a/b/c');
  mail.create('Trash', '\\Trash');
  for (const name of ['a/b/c', 'gone/x']) mail.subscriptions.add(name);
  mail.deliver('a/b/c', NOTE);
  await play(
    await Client.loggedIn(mail),
    `C: a LIST (SUBSCRIBED) "" *
     S: * LIST (\\HasNoChildren \\Subscribed) "/" a/b/c
     S: * LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" gone/x
     S: a OK LIST completed
     C: b LIST (SUBSCRIBED RECURSIVEMATCH) "" %
     S: * LIST (\\HasChildren) "/" a (CHILDINFO ("SUBSCRIBED"))
     S: * LIST (\\NonExistent \\HasNoChildren) "/" gone (CHILDINFO ("SUBSCRIBED"))
     S: b OK LIST completed
     C: c LIST (RECURSIVEMATCH) "" %
     S: c BAD RECURSIVEMATCH goes with SUBSCRIBED
     C: d LIST "" (INBOX a/b/%) RETURN (SUBSCRIBED CHILDREN STATUS (MESSAGES UNSEEN))
     S: * LIST (\\HasNoChildren) "/" INBOX
     S: * STATUS INBOX (MESSAGES 0 UNSEEN 0)
     S: * LIST (\\HasNoChildren \\Subscribed) "/" a/b/c
     S: * STATUS a/b/c (MESSAGES 1 UNSEEN 1)
     S: d OK LIST completed
     C: e LIST (SPECIAL-USE) "" * RETURN (SPECIAL-USE)
     S: * LIST (\\HasNoChildren \\Trash) "/" Trash
     S: e OK LIST completed
     C: f LSUB "" %
     S: * LSUB (\\Noselect) "/" a
     S: * LSUB (\\Noselect) "/" gone
     S: f OK LSUB completed
     C: g LIST (WRONG) "" *
     S: g BAD No such selection option
     C: h LIST () "" "" RETURN ()
     S: h OK LIST completed`,
  );
});

test('mailbox names with spaces, quotes, & and other scripts', async () => {
  const mail = new MemoryMail();
  const client = await Client.loggedIn(mail);
  await play(
    client,
    `C: a CREATE "R&-D plans"
     S: a OK CREATE completed
     C: b CREATE &2D3eAA-
     S: b OK CREATE completed
     C: c CREATE {4+}
     C: a"b\\
     S: c OK CREATE completed
     C: d LIST "" *
     S: * LIST (\\HasNoChildren) "/" INBOX
     S: * LIST (\\HasNoChildren) "/" "R&-D plans"
     S: * LIST (\\HasNoChildren) "/" "a\\"b\\\\"
     S: * LIST (\\HasNoChildren) "/" &2D3eAA-
     S: d OK LIST completed
     C: e STATUS "a\\"b\\\\" (MESSAGES)
     S: * STATUS "a\\"b\\\\" (MESSAGES 0)
     S: e OK STATUS completed`,
  );
  assert.deepEqual([...mail.boxes.keys()].sort(), ['INBOX', 'R&D plans', 'a"b\\', '\u{1f600}']);
});

test('ID, NAMESPACE, ENABLE, CHECK', async () => {
  const client = await Client.selected(inbox());
  await play(
    client,
    `C: a ID ("name" "tester" "version" NIL)
     S: * ID ("name" "Postern")
     S: a OK ID completed
     C: b ID NIL
     S: * ID ("name" "Postern")
     S: b OK ID completed
     C: c NAMESPACE
     S: * NAMESPACE (("" "/")) NIL NIL
     S: c OK NAMESPACE completed
     C: d ENABLE UTF8=ACCEPT X
     S: * ENABLED
     S: d OK ENABLE completed
     C: e CHECK
     S: e OK CHECK completed
     C: f ID (name x)
     S: f BAD A string is expected
     C: g ENABLE
     S: g BAD An argument is missing`,
  );
  const told = client.facts.find((fact) => fact.kind === 'client');
  assert.deepEqual([...(told?.fields ?? [])], [['name', 'tester']]);
});
