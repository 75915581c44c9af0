/** Kept connections: used again, ended in time, and no message pays for one that died. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { brief, job, TransferWorld } from '#test/world/transfer-world.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';

let world: TransferWorld;
before(async () => {
  world = await TransferWorld.start();
  world.zone({ 'there.test': { a: ['127.0.0.1'] }, 'too.test': { a: ['127.0.0.1'] } });
});
after(() => world.close());

async function until(state: () => boolean): Promise<void> {
  while (!state()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('the next message goes over the same connection, so many at most', async () => {
  const sink = await world.sink();
  const way = world.transfer({ port: sink.port, keepMessages: 3 });
  for (let turn = 0; turn < 7; turn += 1) {
    assert.deepEqual(brief((await way.send(job(['x@there.test']))).recipients), ['delivered']);
  }
  await way.close();
  assert.equal(sink.sessions.length, 3);
  await until(() => sink.sessions[0]?.commands.at(-1) === 'QUIT');
  const verbs = sink.sessions[0]?.commands.map((line) => line.split(/[ :]/)[0]);
  const mail = ['MAIL', 'RCPT', 'DATA'];
  assert.deepEqual(verbs, ['EHLO', ...mail, ...mail, ...mail, 'QUIT']);
});

test('RSET comes between when the last message got no yes', async () => {
  const sink = await world.sink({
    hook: (said) => {
      if (said === 'DATA') return '554 5.5.1 nobody\r\n';
      return said.startsWith('RCPT') ? '550 5.1.1 no\r\n' : undefined;
    },
  });
  const way = world.transfer({ port: sink.port });
  assert.deepEqual(brief((await way.send(job(['no@there.test']))).recipients), ['failed 5.1.1']);
  sink.hook = undefined;
  assert.deepEqual(brief((await way.send(job(['x@there.test']))).recipients), ['delivered']);
  await way.close();
  assert.equal(sink.sessions.length, 1);
  const verbs = sink.sessions[0]?.commands.map((line) => line.split(/[ :]/)[0]);
  const mail = ['MAIL', 'RCPT', 'DATA'];
  assert.deepEqual(verbs, ['EHLO', ...mail, 'RSET', ...mail, 'QUIT']);
});

test('only for the same host; at the same time each job has its own', async () => {
  const sink = await world.sink();
  const way = world.transfer({ port: sink.port });
  await Promise.all([1, 2, 3].map(() => way.send(job(['x@there.test']))));
  assert.equal(sink.sessions.length, 3);
  await way.send(job(['x@too.test']));
  assert.equal(sink.sessions.length, 4);
  await way.close();
  await way.send(job(['x@there.test']));
  await until(() => sink.sessions.at(-1)?.commands.at(-1) === 'QUIT');
});

test('an idle connection ends after its time; too many end the oldest', async () => {
  const clock = virtualClock();
  const sink = await world.sink();
  const way = world.transfer({ port: sink.port, keepIdleMs: 4_000, keepSessions: 1 }, clock);
  await way.send(job(['x@there.test']));
  clock.pass(3_999);
  assert.notEqual(sink.sessions[0]?.commands.at(-1), 'QUIT');
  clock.pass(1);
  await until(() => sink.sessions[0]?.commands.at(-1) === 'QUIT');
  await way.send(job(['x@there.test']));
  await way.send(job(['x@too.test']));
  await until(() => sink.sessions[1]?.commands.at(-1) === 'QUIT');
  await way.close();
  await until(() => sink.sessions[2]?.commands.at(-1) === 'QUIT');
});

test('a kept connection that died, however it did, costs the message nothing', async () => {
  const goodbye = '421 4.4.2 idle too long\r\n';
  const endings = {
    'refuses RSET': (said: string) => (said === 'RSET' ? '500 what\r\n' : undefined),
    'says goodbye to RSET': (said: string) => (said === 'RSET' ? goodbye : undefined),
    'breaks at RSET': (said: string) => (said === 'RSET' ? { end: 'reset' as const } : undefined),
    'breaks at MAIL': (said: string) =>
      said.startsWith('MAIL') ? { end: 'reset' as const } : undefined,
    'says goodbye to MAIL': (said: string) => (said.startsWith('MAIL') ? goodbye : undefined),
  };
  for (const [what, ending] of Object.entries(endings)) {
    const sink = await world.sink();
    const way = world.transfer({ port: sink.port });
    // No yes, so that RSET will be said.
    const later = '451 4.3.0 later\r\n';
    if (what.endsWith('RSET')) sink.hook = (said) => (said === 'EOD' ? later : undefined);
    await way.send(job(['x@there.test']));
    sink.hook = (said, { number }) => (number === 0 ? ending(said) : undefined);
    const out = await way.send(job(['x@there.test']));
    assert.deepEqual(brief(out.recipients), ['delivered'], what);
    assert.equal(sink.messages.length, 2, what);
    assert.match(JSON.stringify(out.facts), /kept connection was gone/);
  }
});

test('a kept connection that the server closed while it was idle', async () => {
  const sink = await world.sink({
    hook: (said) => (said === 'EOD' ? { raw: '250 2.0.0 kept\r\n', end: 'close' } : undefined),
  });
  const way = world.transfer({ port: sink.port });
  for (let turn = 1; turn <= 3; turn += 1) {
    assert.deepEqual(brief((await way.send(job(['x@there.test']))).recipients), ['delivered']);
    assert.equal(sink.sessions.length, turn);
  }
});
