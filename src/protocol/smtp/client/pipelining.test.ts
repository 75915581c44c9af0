/** DATA behind RCPT in one write: every partial refusal, and servers that cannot pipeline. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ClientWorld, mail, outcomes, TEXT, to } from '#test/world/smtp-client.ts';
import type { SinkMessage } from '#test/world/smtp-sink.ts';
import { transact } from './transaction.ts';

const world = new ClientWorld();
after(() => world.close());

const NAMES = ['a@t.test', 'b@t.test'];
const BOTH = mail(
  TEXT,
  NAMES.map((name) => to(name)),
);
const YES = '250 2.1.0 yes\r\n';
const NO = '550 5.1.1 no\r\n';
const LATER = '450 4.2.1 later\r\n';
const BYE = '421 4.3.2 bye\r\n';
const GO = '354 go\r\n';

interface Answers {
  readonly mail: string;
  readonly rcpt: readonly string[];
  readonly data: string;
}

describe('refusals in a pipeline', () => {
  test('each mixture of answers to MAIL, two RCPT and DATA', async () => {
    const rcpts = [YES, NO, LATER];
    for (const lmtp of [false, true]) {
      for (const first of [YES, NO, LATER, BYE]) {
        for (const rcpt of rcpts.flatMap((one) => rcpts.map((other) => [one, other]))) {
          for (const data of [GO, NO, LATER, BYE]) {
            await mixture({ mail: first, rcpt, data }, lmtp);
          }
        }
      }
    }
  });

  test('nobody is accepted and DATA is: a lone dot, and the session goes on', async () => {
    const ends: string[] = [];
    const sink = await world.sink({
      hook: (said) => {
        if (said === 'EOD') ends.push(said);
        if (said === 'EOD' && ends.length === 1) return '554 5.5.1 no valid recipients\r\n';
        return /^RCPT TO:<[ab]@/.test(said) ? NO : undefined;
      },
    });
    const session = await world.ready(sink);
    const result = await transact(session, BOTH);
    assert.deepEqual(
      result.outcomes.map(({ kind }) => kind),
      ['failed', 'failed'],
    );
    assert.deepEqual([result.usable, result.unfinished], [true, true]);
    assert.deepEqual(contents(sink.messages), [[0, '']]);
    assert.equal(await session.reset(), true);
    assert.deepEqual(await outcomes(session, mail(TEXT, [to('c@t.test')])), ['delivered 250']);
    assert.deepEqual(contents(sink.messages), [
      [0, ''],
      [1, TEXT],
    ]);
  });

  test('a server that is glad of the lone dot is left alone', async () => {
    const sink = await world.sink({ hook: (said) => (said.startsWith('RCPT') ? NO : undefined) });
    const result = await transact(await world.ready(sink), mail());
    assert.deepEqual([result.outcomes[0]?.kind, result.usable], ['failed', false]);
    assert.deepEqual(contents(sink.messages), [[0, '']]);
  });

  test('the message that a refused chunk would be is never in the pipeline', async () => {
    const sink = await world.sink({
      capabilities: ['PIPELINING', 'CHUNKING'],
      hook: (said) => (said.startsWith('RCPT') ? NO : undefined),
    });
    await outcomes(await world.ready(sink));
    assert.deepEqual(verbs(sink.sessions[0]?.commands), ['EHLO', 'MAIL', 'RCPT']);
  });

  test('after a yes nothing is owed: the next message comes without RSET', async () => {
    const sink = await world.sink({});
    const session = await world.ready(sink);
    for (let turn = 0; turn < 3; turn += 1) {
      const { unfinished, usable } = await transact(session, mail());
      assert.deepEqual([unfinished, usable], [false, true]);
    }
    const one = ['MAIL', 'RCPT', 'DATA'];
    assert.deepEqual(verbs(sink.sessions[0]?.commands), ['EHLO', ...one, ...one, ...one]);
    sink.hook = (said) => (said === 'EOD' ? '451 4.3.0 later\r\n' : undefined);
    assert.equal((await transact(session, mail())).unfinished, true);
  });
});

describe('servers that lie about PIPELINING', () => {
  test('a reply too many, in each place and of each kind: nothing goes out', async () => {
    for (const extra of [YES, NO, LATER, GO]) {
      for (const place of ['MAIL', 'RCPT TO:<a', 'RCPT TO:<b', 'DATA']) {
        const usual = place === 'DATA' ? GO : YES;
        const sink = await world.sink({
          hook: (said) => (said.startsWith(place) ? `${usual}${extra}` : undefined),
        });
        const session = await world.ready(sink);
        const { outcomes: got } = await transact(session, BOTH);
        const what = `${place} ${extra}`;
        assert.ok(
          got.every(({ kind }) => kind !== 'delivered'),
          what,
        );
        assert.deepEqual(sink.messages, [], what);
        session.dialogue.destroy();
      }
    }
  });

  test('a no too many costs nobody the mail for good', async () => {
    for (const place of ['MAIL', 'RCPT TO:<a', 'RCPT TO:<b']) {
      const sink = await world.sink({
        hook: (said) => (said.startsWith(place) ? `${YES}${YES}${NO}` : undefined),
      });
      const got = await outcomes(await world.ready(sink), BOTH);
      assert.deepEqual(
        got.filter((one) => one.startsWith('delivered')),
        [],
        place,
      );
      assert.equal(got.at(-1), 'deferred 4.4.2 host', place);
    }
  });

  test('a reply too few: noticed by the 354, or by time', async () => {
    for (const place of ['MAIL', 'RCPT TO:<a', 'RCPT TO:<b']) {
      const sink = await world.sink({
        hook: (said) => (said.startsWith(place) ? '' : undefined),
      });
      const got = await outcomes(await world.ready(sink), BOTH);
      assert.deepEqual(got, ['deferred 4.4.2 host', 'deferred 4.4.2 host'], place);
      assert.deepEqual(sink.messages, [], place);
    }
    const sink = await world.sink({ hook: (said) => (said === 'DATA' ? '' : undefined) });
    const session = await world.ready(sink, { timeouts: { dataMs: 5 } });
    const got = await outcomes(session, BOTH);
    assert.deepEqual(got, ['deferred 4.4.2 host', 'deferred 4.4.2 host']);
    assert.equal(session.dialogue.failure?.code, 'timeout');
  });

  test('closes in the middle, whatever it said before: nothing was sent', async () => {
    for (const place of ['MAIL', 'RCPT TO:<a', 'RCPT TO:<b', 'DATA']) {
      for (const raw of ['', YES, GO, `${YES}${YES}`]) {
        const sink = await world.sink({
          hook: (said) => (said.startsWith(place) ? { raw, end: 'close' } : undefined),
        });
        const got = await outcomes(await world.ready(sink), BOTH);
        assert.ok(
          got.every((one) => one.startsWith('deferred')),
          `${place} ${raw}: ${got.join()}`,
        );
        assert.deepEqual(sink.messages, []);
      }
    }
  });
});

async function mixture(answers: Answers, lmtp: boolean): Promise<void> {
  const sink = await world.sink({
    lmtp,
    hook: (said) => {
      if (said.startsWith('MAIL')) return answers.mail === YES ? undefined : answers.mail;
      if (said === 'DATA') return answers.data;
      const at = NAMES.findIndex((name) => said.startsWith(`RCPT TO:<${name}`));
      const answer = answers.mail === YES ? answers.rcpt[at] : '503 5.5.1 no MAIL\r\n';
      return at < 0 || answer === YES ? undefined : answer;
    },
  });
  const session = await world.ready(sink, { lmtp });
  const { outcomes: got, usable } = await transact(session, BOTH);
  const what = JSON.stringify({ answers, lmtp, got });
  assert.deepEqual(
    got.map((one) => (one.kind === 'delivered' ? '250 ' : one.reply?.code)),
    NAMES.map((_name, at) => codeFor(answers, at)),
    what,
  );
  const accepted = answers.rcpt.filter((answer) => answer === YES).length;
  const isSent = answers.mail === YES && accepted > 0 && answers.data === GO;
  const real = sink.messages.filter(({ content }) => content !== '');
  assert.deepEqual(contents(real), isSent ? [[accepted, TEXT]] : [], what);
  assert.ok(sink.messages.length <= 1, what);
  const leaves = answers.mail === BYE || answers.data === BYE;
  if (leaves) assert.equal(usable, false, what);
  if (usable) assert.equal(await session.reset(), true, what);
  session.dialogue.destroy();
  await sink.close();
}

/** The reply that a recipient's outcome must bear. */
function codeFor({ mail: first, rcpt, data }: Answers, at: number): string | number {
  const answer = first !== YES ? first : rcpt[at] !== YES ? (rcpt[at] ?? '') : data;
  return answer === GO ? '250 ' : Number(answer.slice(0, 3));
}

function contents(messages: readonly SinkMessage[]): [number, string][] {
  return messages.map(({ recipients, content }) => [recipients.length, content]);
}

function verbs(commands: readonly string[] = []): (string | undefined)[] {
  return commands.map((line) => line.split(/[ :]/)[0]);
}
