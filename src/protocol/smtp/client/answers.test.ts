/** What servers answer in a transaction, hostile ones included: every answer has its outcome. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { ClientWorld, failureOf, mail, outcomes, TEXT, to } from '#test/world/smtp-client.ts';
import { virtualClock, type VirtualClock } from '#test/world/virtual-clock.ts';
import { transact, type OutgoingMail } from './transaction.ts';

const world = new ClientWorld();
after(() => world.close());

describe('what servers answer', () => {
  test('each step that refuses', async () => {
    const table: readonly [string, string, string][] = [
      ['MAIL', '451 4.3.0 later\r\n', 'deferred 4.3.0 message'],
      ['MAIL', '550 5.7.1 no\r\n', 'failed 5.7.1 message'],
      ['MAIL', '421 4.3.2 bye\r\n', 'deferred 4.3.2 host'],
      ['RCPT', '450 4.2.1 greylisted\r\n', 'deferred 4.2.1 recipient'],
      ['RCPT', '550-5.1.1 no such\r\n550 5.1.1 user\r\n', 'failed 5.1.1 recipient'],
      ['RCPT', '552 5.5.3 too many\r\n', 'deferred 4.5.3 recipient'],
      ['RCPT', '421 bye\r\n', 'deferred 4.0.0 host'],
      ['RCPT', '354 what\r\n', 'deferred 4.4.2 host'],
      ['DATA', '554 no\r\n', 'failed 5.0.0 message'],
      ['DATA', '451 no\r\n', 'deferred 4.0.0 message'],
      ['DATA', '421 no\r\n', 'deferred 4.0.0 host'],
      ['DATA', '250 fine\r\n', 'deferred 4.4.2 host'],
      ['EOD', '550 5.7.1 spam\r\n', 'failed 5.7.1 message'],
      ['EOD', '452 4.3.1 full\r\n', 'deferred 4.3.1 message'],
      ['EOD', '421 4.3.2 bye\r\n', 'deferred 4.3.2 host'],
      ['EOD', '354 more\r\n', 'deferred 4.4.2 message'],
    ];
    for (const [command, answer, expected] of table) {
      for (const pipelining of [false, true]) {
        const sink = await world.sink({
          ...at(command, answer),
          capabilities: pipelining ? ['PIPELINING'] : [],
        });
        const got = await outcomes(await world.ready(sink));
        assert.deepEqual(got, [expected], `${command} ${answer}`);
      }
    }
  });

  test('hostile replies at each step are temporary, and the connection is over', async () => {
    const hostile = [
      '25\r\n',
      '2500\r\n',
      'abc\r\n',
      '250 \x1b[2J\r\n',
      '250 a\0\r\n',
      '250-a\r\n'.repeat(200),
    ];
    for (const command of ['MAIL', 'RCPT', 'DATA', 'EOD']) {
      for (const answer of [...hostile, '553-\r\n553\ntype: mda\nmda-exec: id\r\n']) {
        const sink = await world.sink(at(command, answer));
        const session = await world.ready(sink);
        const about = command === 'EOD' ? 'message' : 'host';
        assert.deepEqual(await outcomes(session), [`deferred 4.4.2 ${about}`], command);
        assert.equal(session.dialogue.failure?.code, 'protocol-error');
      }
    }
  });

  test('some recipients refused: the others get it, answers matched one to one', async () => {
    for (const capabilities of [[], ['PIPELINING']]) {
      const sink = await world.sink({
        capabilities,
        hook: (said) => (/RCPT TO:<no/.test(said) ? '550 5.1.1 no\r\n' : undefined),
      });
      const names = Array.from(
        { length: 250 },
        (_, n) => `${n % 3 === 0 ? 'no' : 'yes'}${n}@t.test`,
      );
      const got = await outcomes(
        await world.ready(sink),
        mail(
          TEXT,
          names.map((name) => to(name)),
        ),
      );
      const expected = names.map((name) =>
        name.startsWith('no') ? 'failed 5.1.1 recipient' : 'delivered 250',
      );
      assert.deepEqual(got, expected);
      assert.equal(sink.messages[0]?.recipients.length, 166);
    }
  });

  test('a wrong number of replies is noticed before the message goes', async () => {
    const many = await world.sink({
      hook: (said) => (said.startsWith('RCPT') ? '250 a\r\n250 b\r\n' : undefined),
    });
    const session = await world.ready(many);
    const two = mail(TEXT, [to('a@t.test'), to('b@t.test')]);
    const got = await outcomes(session, two);
    assert.deepEqual(got, ['deferred 4.4.2 host', 'deferred 4.4.2 host']);
    assert.equal(many.messages.length, 0);
    const flood = await world.sink({
      hook: (said) => (said === 'EHLO here.test' ? '250 x\r\n'.repeat(5_000) : undefined),
    });
    const failure = await failureOf(
      (async () => {
        const session = await world.connect(flood);
        await session.open();
        for (;;) await session.dialogue.reply(1_000);
      })(),
    );
    assert.equal(failure.code, 'protocol-error');
  });

  test('an answer before the end of the message is the last word', async () => {
    const sink = await world.sink({
      hook: (said) => (said === 'DATA' ? '354 go\r\n552 5.3.4 too big\r\n' : undefined),
    });
    const session = await world.ready(sink);
    const result = await transact(session, mail('x\r\n'.repeat(100_000)));
    assert.equal(result.usable, false);
    assert.equal(result.outcomes[0]?.kind, 'failed');
    assert.equal(sink.messages.length, 0);
  });

  test('a connection lost after the end says that the message may be there', async () => {
    for (const end of ['close', 'reset'] as const) {
      for (const capabilities of [[], ['CHUNKING']]) {
        const sink = await world.sink({
          capabilities,
          hook: (said) => (said === 'EOD' ? { end } : undefined),
        });
        const { outcomes } = await transact(await world.ready(sink), mail());
        const [outcome] = outcomes;
        assert.ok(outcome?.kind === 'deferred' && outcome.about === 'message');
        assert.match(outcome.reason, /may have been delivered.*RFC 1047/);
        assert.equal(sink.messages.length, 1);
      }
    }
  });

  test('a connection lost before the end is the host\u2019s fault', async () => {
    for (const command of ['MAIL', 'RCPT', 'DATA']) {
      const sink = await world.sink({
        hook: (said) => (said.startsWith(command) ? { end: 'reset' } : undefined),
      });
      assert.deepEqual(await outcomes(await world.ready(sink)), ['deferred 4.4.2 host']);
    }
  });

  test('a message that cannot be read is not sent in part', async () => {
    const sink = await world.sink({ capabilities: [] });
    const broken: OutgoingMail = {
      ...mail('x'.repeat(200_000)),
      read: (from) => {
        if (from > 0) throw Failure.temporary('disk', 'the disk is gone');
        return utf8('x'.repeat(65_536));
      },
    };
    const { outcomes } = await transact(await world.ready(sink), broken);
    assert.equal(outcomes[0]?.kind, 'deferred');
    assert.equal(sink.messages.length, 0);
  });

  test('LMTP: one answer for each accepted recipient', async () => {
    let ends = 0;
    for (const capabilities of [['PIPELINING'], ['PIPELINING', 'CHUNKING']]) {
      ends = 0;
      const sink = await world.sink({
        lmtp: true,
        capabilities,
        hook: (said) => {
          if (said.startsWith('RCPT TO:<no')) return '550 5.1.1 no\r\n';
          if (said !== 'EOD') return undefined;
          ends += 1;
          return ends === 2 ? '452 4.2.2 full\r\n' : undefined;
        },
      });
      const session = await world.ready(sink, { lmtp: true });
      const names = ['a@t.test', 'no@t.test', 'b@t.test', 'c@t.test'];
      const got = await outcomes(
        session,
        mail(
          TEXT,
          names.map((name) => to(name)),
        ),
      );
      assert.deepEqual(got, [
        'delivered 250',
        'failed 5.1.1 recipient',
        'deferred 4.2.2 message',
        'delivered 250',
      ]);
      assert.equal(sink.sessions[0]?.commands[0], 'LHLO here.test');
    }
  });
});

describe('time', () => {
  test('silence at each step ends after its own time', async () => {
    const table: readonly [string, number][] = [
      ['MAIL', 300_000],
      ['RCPT', 300_000],
      ['DATA', 120_000],
      ['EOD', 600_000],
    ];
    for (const [command, ms] of table) {
      const clock = virtualClock();
      const sink = await world.sink({
        capabilities: [],
        hook: (said) => (said.startsWith(command) ? { end: 'silence' } : undefined),
      });
      const session = await world.ready(sink, { clock: clock });
      const work = transact(session, mail());
      const before = clock.elapsed();
      const heard = (line: string): boolean => line.startsWith(command);
      await late(clock, work, ms, () =>
        command === 'EOD'
          ? sink.messages.length > 0
          : sink.sessions[0]?.commands.some(heard) === true,
      );
      assert.equal(clock.elapsed() - before, ms, command);
      const [outcome] = (await work).outcomes;
      assert.match(
        outcome?.kind === 'deferred' ? outcome.reason : '',
        new RegExp(`within ${ms} ms`),
      );
      assert.equal(clock.pending, 0);
    }
  });

  test('a server that takes nothing', async () => {
    const clock = virtualClock();
    const sink = await world.sink({
      capabilities: [],
      hook: (said) => (said === 'DATA' ? { raw: '354 go\r\n', end: 'silence' } : undefined),
    });
    const session = await world.ready(sink, { clock: clock });
    // More than the kernel's buffers hold, made as it is read.
    const endless: OutgoingMail = {
      ...mail(),
      sizeBytes: Number.MAX_SAFE_INTEGER,
      read: (_from, length) => new Uint8Array(length).fill(0x61),
    };
    const work = transact(session, endless);
    const silent = (): boolean => sink.sessions[0]?.commands.at(-1) === 'DATA';
    await late(clock, work, 120 * 60_000, silent);
    assert.equal((await work).outcomes[0]?.kind, 'deferred');
    assert.equal(sink.messages.length, 0);
  });
});

const at = (command: string, answer: string) => ({
  capabilities: [] as string[],
  hook: (said: string) => (said.startsWith(command) ? answer : undefined),
});

/** Once the server fell silent, lets time pass until the work is done. */
async function late(
  clock: VirtualClock,
  work: Promise<unknown>,
  ms: number,
  silent: () => boolean,
): Promise<void> {
  const state = { done: false };
  work.finally(() => (state.done = true)).catch(() => {});
  while (!state.done) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (!state.done && silent() && clock.pending > 0) clock.pass(ms);
  }
}
