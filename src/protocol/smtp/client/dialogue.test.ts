/** The dialogue by itself, on a connection of a test's own and a clock that stands still. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Connection, Receiver } from '#base/world.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { Dialogue } from './dialogue.ts';
import { SmtpSession } from './session.ts';
import { transact, type OutgoingMail } from './transaction.ts';

class FakeConnection implements Connection {
  readonly remote = { address: '192.0.2.1', port: 25 };
  readonly local = { address: '192.0.2.2', port: 40_000 };
  readonly secure = undefined;
  written = '';
  /** Octets taken until `write` says to wait. */
  room = Number.POSITIVE_INFINITY;
  gone = false;
  heard: (text: string) => void = () => {};
  #receiver: Receiver | undefined;

  open(receiver: Receiver): void {
    this.#receiver = receiver;
  }
  write(bytes: Uint8Array): boolean {
    this.written += latin1(bytes);
    this.room -= bytes.length;
    this.heard(latin1(bytes));
    return this.room > 0;
  }
  say(text: string): void {
    if (!this.gone) this.#receiver?.received(utf8(text));
  }
  take(octets: number): void {
    this.room = octets;
    this.#receiver?.drained();
  }
  pause(): void {}
  resume(): void {}
  startTls(): Promise<never> {
    return Promise.reject(Failure.temporary('tls-handshake', 'none here'));
  }
  end(): void {
    this.gone = true;
  }
  destroy(): void {
    this.gone = true;
    queueMicrotask(() => this.#receiver?.closed());
  }
}

function dialogue(
  options: { readonly unreadReplies?: number; readonly transcriptLines?: number } = {},
) {
  const clock = virtualClock();
  const connection = new FakeConnection();
  const made = new Dialogue(connection, { clock, ...options });
  connection.open(made);
  return { clock, connection, dialogue: made };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no failure',
    (thrown: unknown) => (thrown instanceof Failure ? thrown.code : String(thrown)),
  );
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('dialogue', () => {
  test('a trickle of octets does not prolong the wait for a reply', async () => {
    const { clock, connection, dialogue: talk } = dialogue();
    const code = codeOf(talk.reply(300_000));
    for (const octet of '250-greetings') {
      clock.pass(59_000);
      connection.say(octet);
    }
    assert.equal(await code, 'timeout');
    assert.equal(connection.gone, true);
    assert.equal(clock.pending, 0);
  });

  test('replies that came before the end are read; then it is lost', async () => {
    const { connection, dialogue: talk } = dialogue();
    connection.say('250 one\r\n421 4.3.2 two\r\n250 hal');
    talk.ended();
    assert.equal((await talk.reply(1_000)).code, 250);
    assert.equal((await talk.reply(1_000)).code, 421);
    assert.equal(await codeOf(talk.reply(1_000)), 'connection-lost');
    assert.equal(await codeOf(talk.write(utf8('x'), 1_000)), 'connection-lost');
    assert.throws(() => talk.send('NOOP'), Failure);
  });

  test('what was said unasked breaks the dialogue before a command, except goodbye', async () => {
    const first = dialogue();
    first.connection.say('250 early\r\n');
    assert.equal(await codeOf(first.dialogue.command('NOOP', 1_000)), 'protocol-error');
    const half = dialogue();
    half.connection.say('25');
    assert.equal(await codeOf(half.dialogue.command('NOOP', 1_000)), 'protocol-error');
    assert.equal(half.connection.written, '');
    const leaving = dialogue();
    leaving.connection.say('421 4.4.2 idle\r\n');
    assert.equal((await leaving.dialogue.command('NOOP', 1_000)).code, 421);
  });

  test('unread replies and the transcript have limits', async () => {
    const flood = dialogue({ unreadReplies: 3 });
    flood.connection.say('250 x\r\n'.repeat(4));
    assert.equal(flood.dialogue.failure?.code, 'protocol-error');
    const long = dialogue({ transcriptLines: 2 });
    for (let round = 0; round < 5; round += 1) {
      long.dialogue.send(`NOOP \u00e9\x1b ${round}`);
      long.connection.say('250 x\r\n');
    }
    assert.deepEqual(long.dialogue.transcript.said, [
      { from: 'client', text: 'NOOP \\xe9\\x1b 0' },
      { from: 'server', text: '250 x' },
    ]);
  });

  test('a line end in a value is never sent, in any place of a pipeline', () => {
    for (const bad of ['a\r\nb', 'a\nb', 'a\rb', 'a\0b']) {
      const { connection, dialogue: talk } = dialogue();
      assert.throws(() => talk.sendLines(['MAIL FROM:<>', bad]), Failure);
      assert.equal(connection.written, '');
    }
  });

  test('a failed handshake is thrown as it is', async () => {
    const { dialogue: talk } = dialogue();
    const tls = { serverName: 'mx.test', verify: 'opportunistic', handshakeMs: 1_000 } as const;
    assert.equal(await codeOf(talk.startTls(tls)), 'tls-handshake');
  });
});

describe('a session with a script', () => {
  const mail: OutgoingMail = {
    envelope: {
      reversePath: '',
      ret: undefined,
      envelopeId: undefined,
      smtpUtf8: false,
      body: '7bit',
    },
    recipients: [{ address: 'b@there.test', notify: undefined, originalRecipient: undefined }],
    sizeBytes: 10_000_000,
    read: (_from, length) => new Uint8Array(length).fill(0x61),
  };

  test('a sink that takes a kilobyte a second is given up after two hours', async () => {
    const { clock, connection, dialogue: talk } = dialogue();
    const session = new SmtpSession(talk, { clock, heloName: 'here.test', tls: { mode: 'never' } });
    connection.heard = (text) => {
      if (/^(?:EHLO|MAIL|RCPT)/.test(text)) queueMicrotask(() => connection.say('250 ok\r\n'));
      if (text.startsWith('DATA')) {
        connection.room = 1;
        queueMicrotask(() => connection.say('354 go\r\n'));
      }
    };
    connection.say('220 slow.test\r\n');
    assert.deepEqual(await session.open(), { kind: 'ready' });
    const work = transact(session, mail);
    for (let minute = 0; minute < 200 && !connection.gone; minute += 1) {
      await turn();
      clock.pass(60_000);
      connection.take(1);
    }
    const [outcome] = (await work).outcomes;
    assert.equal(outcome?.kind, 'deferred');
    assert.match(outcome?.kind === 'deferred' ? outcome.reason : '', /more than 7200000 ms/);
    assert.equal(clock.elapsed(), 120 * 60_000);
    assert.equal(clock.pending, 0);
  });

  test('broken before any content went out: nothing can have arrived, in any chunking', async () => {
    for (const size of [100, 1]) {
      const { clock, connection, dialogue: talk } = dialogue();
      const options = { clock, heloName: 'here.test', tls: { mode: 'never' } } as const;
      const session = new SmtpSession(talk, options);
      const say = (text: string): void => {
        for (let at = 0; at < text.length; at += size) connection.say(text.slice(at, at + size));
      };
      connection.heard = (text) => {
        if (text.startsWith('EHLO')) say('250-x\r\n250 CHUNKING\r\n');
        if (text.startsWith('MAIL')) say('250 ok\r\n');
        if (text.startsWith('RCPT')) say('250 ok\r\n\r\n');
      };
      connection.say('220 x.test\r\n');
      await session.open();
      const [outcome] = (await transact(session, { ...mail, sizeBytes: 6 })).outcomes;
      assert.doesNotMatch(connection.written, /BDAT/);
      assert.equal(outcome?.kind === 'deferred' && outcome.about, 'host');
      assert.doesNotMatch(JSON.stringify(outcome), /was sent/);
    }
  });

  test('lost while the end of the message is on its way: it may have arrived', async () => {
    for (const [sizeBytes, expected] of [
      [10, 'message'],
      [1_000_000, 'host'],
    ] as const) {
      const { clock, connection, dialogue: talk } = dialogue();
      const options = { clock, heloName: 'here.test', tls: { mode: 'never' } } as const;
      const session = new SmtpSession(talk, options);
      connection.heard = (text) => {
        if (/^(?:EHLO|MAIL|RCPT)/.test(text)) queueMicrotask(() => connection.say('250 ok\r\n'));
        else if (text.startsWith('DATA')) queueMicrotask(() => connection.say('354 go\r\n'));
        else {
          connection.room = 0;
          queueMicrotask(() => talk.ended());
        }
      };
      connection.say('220 x.test\r\n');
      await session.open();
      const bytes = new Uint8Array(sizeBytes);
      const read = (from: number, length: number) => bytes.subarray(from, from + length);
      const [outcome] = (await transact(session, { ...mail, sizeBytes, read })).outcomes;
      assert.equal(outcome?.kind === 'deferred' && outcome.about, expected);
    }
  });

  test('goodbye at each step of the opening', async () => {
    for (const step of ['greeting', 'EHLO', 'STARTTLS'] as const) {
      const { clock, connection, dialogue: talk } = dialogue();
      const tls = { mode: 'opportunistic', serverName: 'x.test', verify: 'opportunistic' } as const;
      const session = new SmtpSession(talk, { clock, heloName: 'here.test', tls });
      connection.heard = (text) => {
        const usual = text.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : '250 ok\r\n';
        const bye = text.startsWith(step);
        queueMicrotask(() => connection.say(bye ? '421 4.3.2 bye\r\n' : usual));
      };
      connection.say(step === 'greeting' ? '421 4.3.2 bye\r\n' : '220 x.test\r\n');
      const opened = await session.open();
      assert.equal(opened.kind === 'refused' && opened.reply.code, 421, step);
    }
  });

  test('whatever a server answers, each recipient has one outcome, and yes only after yes', async () => {
    const answers = fc.constantFrom(
      '250 ok\r\n',
      '354 go\r\n',
      '450 later\r\n',
      '550 5.1.1 no\r\n',
      '421 bye\r\n',
      '250 a\r\n250 b\r\n',
      '25\r\n',
      '',
      'END',
    );
    const capabilities = fc.constantFrom('X', 'PIPELINING', 'CHUNKING', 'SIZE 1');
    // Drawn alone, answers hardly ever make a delivery: half of them begin as a server's do.
    const usual = ['250 ok\r\n', '250 ok\r\n', '250 ok\r\n', '354 go\r\n', '250 ok\r\n'];
    const begun = fc.nat(usual.length).map((length) => usual.slice(0, length));
    const drawn = fc.array(answers, { minLength: 0, maxLength: 8 });
    const scripts = fc.tuple(fc.oneof(fc.constant([]), begun), drawn).map((both) => both.flat());
    let delivered = 0;
    await fc.assert(
      fc.asyncProperty(capabilities, scripts, async (capability, script) => {
        const { clock, connection, dialogue: talk } = dialogue();
        const options = { clock, heloName: 'here.test', tls: { mode: 'never' } } as const;
        const session = new SmtpSession(talk, options);
        connection.say(`220 x\r\n`);
        connection.heard = () =>
          queueMicrotask(() => connection.say(`250-x\r\n250 ${capability}\r\n`));
        await session.open();
        const left = [...script];
        const said: string[] = [];
        connection.heard = () =>
          queueMicrotask(() => {
            const answer = left.shift() ?? 'END';
            said.push(answer);
            if (answer === 'END') talk.ended();
            else if (answer === '') clock.pass(10 * 60_000);
            else connection.say(answer);
          });
        const address = (name: string) => ({ ...mail.recipients[0]!, address: `${name}@t.test` });
        const work = transact(session, {
          ...mail,
          recipients: [address('a'), address('b')],
          sizeBytes: 3,
          read: () => utf8('abc'),
        });
        const late = setInterval(() => clock.pass(10 * 60_000), 1);
        const { outcomes, usable } = await work;
        clearInterval(late);
        assert.equal(outcomes.length, 2);
        const yes = outcomes.filter(({ kind }) => kind === 'delivered').length;
        delivered += yes;
        if (yes > 0) assert.ok(said.includes('250 ok\r\n') || said.includes('250 a\r\n250 b\r\n'));
        if (capability === 'SIZE 1') assert.ok(outcomes.every(({ kind }) => kind === 'failed'));
        if (usable) assert.equal(talk.failure, undefined);
        talk.destroy();
      }),
      { numRuns: 300 },
    );
    assert.ok(delivered > 0, 'no script led to a delivery');
  });
});
