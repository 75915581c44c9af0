/** Several sessions on one mailbox: who is told what, and when (RFC 3501 5.2, 5.5, 7.4.1). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Client, play } from './fixture.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';

const NOTE = 'Subject: x\n\ntext\n';

async function two(count: number): Promise<{ mail: MemoryMail; a: Client; b: Client }> {
  const mail = new MemoryMail();
  for (let at = 0; at < count; at++) mail.deliver('INBOX', NOTE);
  return { mail, a: await Client.selected(mail), b: await Client.selected(mail) };
}

test('an expunge elsewhere is told at NOOP, not during FETCH, STORE, SEARCH', async () => {
  const { a, b } = await two(3);
  await a.run('x STORE 1 +FLAGS.SILENT \\Deleted', 'x EXPUNGE');
  await play(
    b,
    `C: a FETCH 1:3 (UID RFC822.SIZE)
     S: * 1 FETCH (UID 1 RFC822.SIZE 20)
     S: * 2 FETCH (UID 2 RFC822.SIZE 20)
     S: * 3 FETCH (UID 3 RFC822.SIZE 20)
     S: a OK FETCH completed
     C: b FETCH 1 BODY[TEXT]
     S: * 1 FETCH (BODY[TEXT] {6}
     S: text
     S: )
     S: b OK FETCH completed
     C: c STORE 1 +FLAGS (\\Seen)
     S: * 1 FETCH (FLAGS (\\Deleted))
     S: c OK [EXPUNGEISSUED] STORE completed; some messages were expunged
     C: d SEARCH UID 2:3
     S: * SEARCH 2 3
     S: d OK SEARCH completed
     C: e NOOP
     S: * 1 EXPUNGE
     S: e OK NOOP completed
     C: f FETCH 1:* UID
     S: * 1 FETCH (UID 2)
     S: * 2 FETCH (UID 3)
     S: f OK FETCH completed`,
  );
});

test('COPY of what was expunged elsewhere: the rest is copied, or EXPUNGEISSUED', async () => {
  const { mail, a, b } = await two(2);
  mail.create('Other');
  await a.run('x STORE 1 +FLAGS.SILENT \\Deleted', 'x EXPUNGE');
  await play(
    b,
    `C: a COPY 1 Other
     S: a NO [EXPUNGEISSUED] The messages were expunged
     C: b COPY 1:2 Other
     S: * 1 EXPUNGE
     S: b OK [COPYUID 1002 2 1] COPY completed`,
  );
});

test('new mail and flags are told after any command, once', async () => {
  const { mail, a, b } = await two(1);
  await a.run('x STORE 1 +FLAGS (\\Flagged)');
  mail.deliver('INBOX', NOTE);
  await play(
    b,
    `C: a FETCH 1 UID
     S: * 1 FETCH (UID 1)
     S: * 2 EXISTS
     S: * 0 RECENT
     S: * 1 FETCH (UID 1 FLAGS (\\Flagged))
     S: a OK FETCH completed
     C: b NOOP
     S: b OK NOOP completed`,
  );
  // The one who did it is not told of its own change.
  assert.equal(await a.run('y NOOP'), '* 2 EXISTS\r\n* 0 RECENT\r\ny OK NOOP completed\r\n');
});

test('a silent STORE does not hide what another session did in the same moment', async () => {
  const { mail, a } = await two(3);
  a.access.beforeWrite = async () => {
    a.access.beforeWrite = async () => undefined;
    mail.setFlags(mail.box('INBOX'), 1, ['\\Flagged']);
  };
  assert.equal(
    await a.run('x STORE 1:2 +FLAGS.SILENT (\\Seen)'),
    '* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen))\r\nx OK STORE completed\r\n',
  );
  a.access.beforeWrite = async () => {
    a.access.beforeWrite = async () => undefined;
    mail.setFlags(mail.box('INBOX'), 3, ['\\Draft']);
  };
  assert.equal(
    await a.run('y FETCH 3 BODY[TEXT]<0.1>'),
    '* 3 FETCH (FLAGS (\\Draft \\Seen) BODY[TEXT]<0> {1}\r\nt)\r\ny OK FETCH completed\r\n',
  );
});

test('a UID that this session was not told of counts in UID commands', async () => {
  const { mail, b } = await two(1);
  const fresh = mail.deliver('INBOX', NOTE);
  b.access.watch(undefined);
  const other = mail.deliver('INBOX', NOTE);
  assert.equal(
    await b.run(`a UID FETCH ${fresh.uid}:${other.uid} FLAGS`),
    '* 3 EXISTS\r\n* 0 RECENT\r\n* 2 FETCH (UID 2 FLAGS ())\r\n* 3 FETCH (UID 3 FLAGS ())\r\n' +
      'a OK UID FETCH completed\r\n',
  );
});

test('IDLE is told at once; DONE and the next command in one packet', async () => {
  const { mail, a, b } = await two(2);
  assert.equal(await b.run('a IDLE'), '+ idling\r\n');
  mail.deliver('INBOX', NOTE);
  await b.quiet();
  assert.equal(b.read(), '* 3 EXISTS\r\n* 0 RECENT\r\n');
  await a.run('x STORE 1 +FLAGS.SILENT (\\Deleted \\Seen)', 'x EXPUNGE');
  await b.quiet();
  assert.equal(b.read(), '* 1 FETCH (UID 1 FLAGS (\\Deleted \\Seen))\r\n* 1 EXPUNGE\r\n');
  await b.send('DONE\r\nb FETCH 1 UID\r\n');
  assert.equal(b.read(), 'a OK IDLE completed\r\n* 1 FETCH (UID 2)\r\nb OK FETCH completed\r\n');
});

test('IDLE: all in one packet, done in small letters, and what is no DONE', async () => {
  const { b } = await two(1);
  await b.send('a IDLE\r\ndone\r\nb NOOP\r\n');
  assert.equal(b.read(), '+ idling\r\na OK IDLE completed\r\nb OK NOOP completed\r\n');
  await b.send('c IDLE\r\nd NOOP\r\ne NOOP\r\n');
  assert.equal(b.read(), '+ idling\r\nc BAD IDLE ends with DONE\r\ne OK NOOP completed\r\n');
  await b.run('f IDLE', 'x'.repeat(2_000));
  assert.ok(b.closed);
});

test('IDLE before a mailbox is selected', async () => {
  const client = await Client.loggedIn();
  assert.equal(await client.run('a IDLE'), '+ idling\r\n');
  assert.equal(await client.run('DONE'), 'a OK IDLE completed\r\n');
});

test('two IDLE sessions do not disturb each other', async () => {
  const { mail, a, b } = await two(0);
  await a.run('a IDLE');
  await b.run('b IDLE');
  mail.deliver('INBOX', NOTE);
  await Promise.all([a.quiet(), b.quiet()]);
  assert.equal(a.read(), '* 1 EXISTS\r\n* 0 RECENT\r\n');
  assert.equal(b.read(), '* 1 EXISTS\r\n* 0 RECENT\r\n');
});

test('a change storm while idle is told as one', async () => {
  const { mail, b } = await two(0);
  await b.run('a IDLE');
  for (let at = 0; at < 100; at++) mail.deliver('INBOX', NOTE);
  await b.quiet();
  assert.equal(b.read(), '* 100 EXISTS\r\n* 0 RECENT\r\n');
});

test('the selected mailbox is deleted elsewhere: BYE; renamed: nothing', async () => {
  const mail = new MemoryMail();
  mail.create('Work');
  const a = await Client.loggedIn(mail);
  const b = await Client.loggedIn(mail);
  await b.run('x SELECT Work');
  await a.run('x RENAME Work Play');
  assert.equal(await b.run('a NOOP'), 'a OK NOOP completed\r\n');
  await a.run('x DELETE Play');
  assert.match(await b.run('b FETCH 1 FLAGS'), /^b BAD/);
  assert.equal(
    await b.run('c NOOP'),
    '* BYE The selected mailbox was deleted\r\nc OK NOOP completed\r\n',
  );
  assert.ok(b.closed);
});

test('deleting the own selected mailbox leaves the session without one', async () => {
  const mail = new MemoryMail();
  mail.create('Work');
  await play(
    await Client.loggedIn(mail),
    `C: a SELECT Work
     S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
     S: * 0 EXISTS
     S: * 0 RECENT
     S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Keywords can be made
     S: * OK [UIDNEXT 1] Next UID
     S: * OK [UIDVALIDITY 1002] UIDs are valid
     S: * OK [HIGHESTMODSEQ 1] Highest
     S: a OK [READ-WRITE] SELECT completed
     C: b FETCH 1:* FLAGS
     S: b OK FETCH completed
     C: c DELETE Work
     S: c OK DELETE completed
     C: d NOOP
     S: d OK NOOP completed
     C: e CLOSE
     S: e BAD Not now: no mailbox is selected, or the login is done`,
  );
});

/** What a client knows when it believes every untagged response. */
class Replica {
  uids: (number | undefined)[] = [];
  readonly flags = new Map<number, string>();

  /** After a silent STORE: the flag is there now. */
  reckon(number: number, flag: string): void {
    const uid = this.uids[number - 1];
    const flags = uid === undefined ? undefined : this.flags.get(uid);
    if (uid === undefined || flags === undefined || flags.includes(flag)) return;
    this.flags.set(uid, `${flags} ${flag}`.trim());
  }

  hear(said: string, allowExpunge: boolean): void {
    for (const line of said.split('\r\n')) {
      const exists = /^\* (\d+) EXISTS$/.exec(line);
      const expunge = /^\* (\d+) EXPUNGE$/.exec(line);
      const fetch = /^\* (\d+) FETCH \((?:UID (\d+) )?FLAGS \(([^)]*)\)\)$/.exec(line);
      if (exists) {
        const count = Number(exists[1]);
        assert.ok(count >= this.uids.length, 'EXISTS never shrinks a mailbox');
        while (this.uids.length < count) this.uids.push(undefined);
      } else if (expunge) {
        const number = Number(expunge[1]);
        assert.ok(allowExpunge, 'no EXPUNGE at this moment');
        assert.ok(number >= 1 && number <= this.uids.length);
        this.uids.splice(number - 1, 1);
      } else if (fetch) {
        const index = Number(fetch[1]) - 1;
        assert.ok(index < this.uids.length);
        const uid = fetch[2] === undefined ? this.uids[index] : Number(fetch[2]);
        assert.ok(this.uids[index] === undefined || this.uids[index] === uid, 'numbers hold');
        this.uids[index] = uid;
        if (uid !== undefined) this.flags.set(uid, fetch[3] ?? '');
      }
    }
  }
}

test('model: whatever two sessions do, what they were told is the truth after NOOP', async () => {
  const step = fc.record({
    who: fc.integer({ min: 0, max: 1 }),
    what: fc.constantFrom(
      'deliver',
      'delete',
      'flag',
      'expunge',
      'fetch',
      'noop',
      'move',
      'check',
      'quiet',
    ),
    at: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { mail, a, b } = await two(3);
      mail.create('Other');
      const sessions = [
        { client: a, replica: new Replica() },
        { client: b, replica: new Replica() },
      ];
      for (const { client, replica } of sessions) {
        replica.hear('* 3 EXISTS', false);
        replica.hear(await client.run('f UID FETCH 1:* FLAGS'), false);
      }
      for (const { who, what, at } of steps) {
        const session = sessions[who]!;
        const count = session.replica.uids.length;
        const number = Math.min(at, count);
        const command = commandFor(what, number);
        if (what === 'deliver') mail.deliver('INBOX', NOTE);
        else if (command !== undefined) {
          const quietly = command.startsWith('FETCH') || command.startsWith('STORE');
          session.replica.hear(await session.client.run(`t ${command}`), !quietly);
          if (command.includes('SILENT')) session.replica.reckon(number, '\\Seen');
        }
      }
      for (const { client, replica } of sessions) {
        replica.hear(await client.run('n NOOP'), true);
        const now = mail.box('INBOX').messages;
        for (const { uid, flags } of now) {
          const known = replica.flags.get(uid);
          // What a client reckoned after a silent STORE is right as well.
          if (known !== undefined) assert.deepEqual(sorted(known.split(' ')), sorted(flags));
        }
        replica.hear(await client.run('m FETCH 1:* (UID FLAGS)'), false);
        const truth = mail.box('INBOX').messages;
        assert.deepEqual(
          replica.uids,
          truth.map((message) => message.uid),
        );
        for (const { uid, flags } of truth) {
          assert.equal(replica.flags.get(uid), flags.join(' '));
        }
      }
    }),
    { numRuns: 150 },
  );
});

function sorted(flags: readonly string[]): readonly string[] {
  return flags.filter((flag) => flag !== '').sort();
}

function commandFor(what: string, number: number): string | undefined {
  if (what === 'expunge') return 'EXPUNGE';
  if (what === 'noop' || what === 'check') return what.toUpperCase();
  if (number === 0) return undefined;
  if (what === 'delete') return `STORE ${number} +FLAGS (\\Deleted)`;
  if (what === 'quiet') return `STORE ${number} +FLAGS.SILENT (\\Seen)`;
  if (what === 'flag') return `STORE ${number} FLAGS (\\Flagged)`;
  if (what === 'fetch') return `FETCH ${number} (UID FLAGS)`;
  return what === 'move' ? `MOVE ${number} Other` : undefined;
}
