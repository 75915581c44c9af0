/** The loop: order, back-pressure, deadlines, failures and the end of a session. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1, latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Secure } from '#base/secure.ts';
import type { Connection, Receiver, TlsIdentity } from '#base/world.ts';
import type { Action, Machine } from '#protocol/machine.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { type Host, drive } from './drive.ts';

type Step = Action<string, string>;

const say = (text: string): Step => ({ kind: 'send', bytes: fromLatin1(text) });
const wait = (ms: number): Step => ({ kind: 'deadline', ms });
const ask = (question: string): Step => ({ kind: 'ask', question });

/** A machine that logs what it hears and answers from a script: `input -> actions`. */
function scripted(script: Readonly<Record<string, Step[]>>) {
  const heard: string[] = [];
  const hear = (what: string): Step[] => {
    heard.push(what);
    return script[what] ?? [];
  };
  const machine: Machine<string, string, string> = {
    start: () => hear('start'),
    receive: (bytes) => hear(`got ${latin1(bytes)}`),
    answer: (answer) => hear(`answer ${answer}`),
    failed: (failure) => hear(`failed ${failure.code}`),
    continue: () => hear('continue'),
    secured: () => hear('secured'),
    expired: () => hear('expired'),
    ended: () => hear('ended'),
    stop: () => hear('stop'),
  };
  return { machine, heard };
}

/** A connection whose peer takes octets only while `open` says so. */
function fakeConnection() {
  const state = { written: '', paused: false, full: false, over: '', tls: 0 };
  let receiver: Receiver | undefined;
  const connection: Connection = {
    remote: { address: '192.0.2.1', port: 1 },
    local: { address: '192.0.2.2', port: 25 },
    secure: undefined,
    open: (given) => (receiver = given),
    write: (bytes) => {
      state.written += latin1(bytes);
      return !state.full;
    },
    pause: () => (state.paused = true),
    resume: () => (state.paused = false),
    startTls: async () => {
      state.tls += 1;
      return Secure.established({
        protocol: 'TLSv1.3',
        cipher: 'X',
        serverName: undefined,
        peer: { kind: 'not-asked' },
        channelBinding: { exporter: undefined, serverEndPoint: undefined },
      });
    },
    end: (parted = false) => (state.over = parted ? 'end, parted' : 'end'),
    destroy: () => {
      state.over = 'destroy';
      receiver?.closed();
    },
  };
  return {
    connection,
    state,
    get peer(): Receiver {
      assert.ok(receiver);
      return receiver;
    },
  };
}

function setUp(
  script: Readonly<Record<string, Step[]>>,
  host: Partial<Host<string, string, string>> = {},
) {
  const clock = virtualClock();
  const events: string[] = [];
  const { machine, heard } = scripted(script);
  const fake = fakeConnection();
  const told: string[] = [];
  const handle = drive(
    fake.connection,
    machine,
    { answer: (question) => question.toUpperCase(), tell: (fact) => told.push(fact), ...host },
    {
      clock,
      log: { event: (_level, name) => events.push(name) },
      tls: { kind: 'tls-identity', names: [], notAfterMs: 0 } satisfies TlsIdentity,
      handshakeMs: 1_000,
      sessionMs: 3_600_000,
    },
  );
  return { clock, events, heard, told, fake, handle, state: fake.state };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const octets = (text: string): Uint8Array => fromLatin1(text);

test('an answer at once goes on at once, in one write', () => {
  const it = setUp({ start: [say('hi'), ask('a')], 'answer A': [say('!'), say('?')] });
  assert.deepEqual(it.heard, ['start', 'answer A']);
  assert.equal(it.state.written, 'hi!?');
});

test('while an answer is owed input waits and the peer is held back', async () => {
  const later = Promise.withResolvers<string>();
  const it = setUp(
    { 'got x': [say('1'), ask('slow')], 'answer done': [say('2')], 'got y': [say('3')] },
    { answer: () => later.promise },
  );
  it.fake.peer.received(octets('x'));
  assert.equal(it.state.written, '1', 'what was said before the question is not kept back');
  it.fake.peer.received(octets('y'));
  assert.equal(it.state.paused, true);
  assert.deepEqual(it.heard, ['start', 'got x']);
  later.resolve('done');
  await turn();
  assert.deepEqual(it.heard, ['start', 'got x', 'answer done', 'got y']);
  assert.equal(it.state.written, '123');
  assert.equal(it.state.paused, false);
});

test('content waits for its sink, failures of sink and host are told to the machine', async () => {
  const taken: string[] = [];
  const it = setUp(
    {
      'got b': [{ kind: 'body', bytes: octets('body') }],
      'got c': [{ kind: 'body', bytes: octets('bad') }],
      'got d': [ask('no')],
    },
    {
      body: async (bytes) => {
        if (latin1(bytes) === 'bad') throw Failure.temporary('disk-full', 'full');
        taken.push(latin1(bytes));
      },
      answer: () => {
        throw Failure.permanent('never', 'no');
      },
    },
  );
  for (const text of ['b', 'c', 'd']) {
    it.fake.peer.received(octets(text));
    await turn();
  }
  assert.deepEqual(taken, ['body']);
  assert.deepEqual(it.heard, [
    'start',
    'got b',
    'continue',
    'got c',
    'failed disk-full',
    'got d',
    'failed never',
  ]);
});

test('a peer that does not read is not read from, and flush waits for it', () => {
  const it = setUp({ 'got x': [say('much'), { kind: 'flush' }], continue: [say('more')] });
  it.state.full = true;
  it.fake.peer.received(octets('x'));
  it.fake.peer.received(octets('y'));
  assert.deepEqual(it.heard, ['start', 'got x']);
  assert.equal(it.state.paused, true);
  it.state.full = false;
  it.fake.peer.drained();
  assert.deepEqual(it.heard, ['start', 'got x', 'continue', 'got y']);
  assert.equal(it.state.written, 'muchmore');
});

test('a deadline runs from the last word, not while we owe the answer', async () => {
  const later = Promise.withResolvers<string>();
  const it = setUp(
    {
      start: [wait(100)],
      'got x': [wait(100), ask('slow')],
      'answer ok': [wait(100)],
      expired: [{ kind: 'close' }],
    },
    { answer: () => later.promise },
  );
  it.clock.pass(90);
  it.fake.peer.received(octets('x'));
  it.clock.pass(5_000);
  assert.deepEqual(it.heard, ['start', 'got x']);
  later.resolve('ok');
  await turn();
  it.clock.pass(99);
  assert.ok(!it.heard.includes('expired'));
  it.clock.pass(5_000);
  assert.equal(it.heard.filter((what) => what === 'expired').length, 1);
  assert.notEqual(it.state.over, '');
});

test('a peer that never reads its answers is cut off when its time is over', () => {
  const it = setUp({ 'got x': [{ kind: 'deadline', ms: 50 }, say('much')] });
  it.state.full = true;
  it.fake.peer.received(octets('x'));
  it.clock.pass(5_000);
  assert.equal(it.state.over, 'destroy');
});

test('a goodbye of the peer is told to the connection', () => {
  const it = setUp({ 'got q': [say('bye'), { kind: 'close', parted: true }] });
  it.fake.peer.received(octets('q'));
  assert.deepEqual([it.state.written, it.state.over], ['bye', 'end, parted']);
});

test('close ends politely, and for good when the peer keeps the socket', () => {
  const it = setUp({ 'got q': [say('bye'), { kind: 'close' }] });
  it.fake.peer.received(octets('q'));
  it.fake.peer.received(octets('more'));
  assert.deepEqual([it.state.written, it.state.over], ['bye', 'end']);
  assert.deepEqual(it.heard, ['start', 'got q']);
  it.clock.pass(6_000);
  assert.equal(it.state.over, 'destroy');
});

test('STARTTLS: octets that came in clear are dropped, the machine starts over inside', async () => {
  let secured = 0;
  const it = setUp(
    { 'got S': [say('go'), { kind: 'start-tls' }], secured: [say('!')] },
    { secured: () => void (secured += 1) },
  );
  it.fake.peer.received(octets('S'));
  await turn();
  assert.deepEqual(it.heard, ['start', 'got S', 'secured']);
  assert.deepEqual([it.state.tls, secured, it.state.written], [1, 1, 'go!']);
});

test('pokes wait for the answer that is owed; stop is one of them', async () => {
  const later = Promise.withResolvers<string>();
  const it = setUp(
    { 'got x': [ask('slow')], stop: [say('bye'), { kind: 'close' }] },
    { answer: () => later.promise },
  );
  it.fake.peer.received(octets('x'));
  it.handle.poke(() => [say('news')]);
  it.handle.stop();
  assert.deepEqual(it.heard, ['start', 'got x']);
  later.resolve('ok');
  await turn();
  assert.deepEqual(it.heard, ['start', 'got x', 'answer ok', 'stop']);
  assert.equal(it.state.written, 'newsbye');
});

test('the end of input is told once, after the input; the host hears of the close once', () => {
  let closed = 0;
  const it = setUp({}, { closed: () => void (closed += 1) });
  it.fake.peer.received(octets('x'));
  it.fake.peer.ended();
  it.fake.peer.ended();
  it.fake.peer.closed();
  it.fake.peer.closed();
  assert.deepEqual(it.heard, ['start', 'got x', 'ended']);
  assert.equal(closed, 1);
  assert.equal(it.clock.pending, 0, 'no timer outlives the session');
});

test('a bug in a machine ends this session alone and is logged', () => {
  const clock = virtualClock();
  const events: string[] = [];
  const fake = fakeConnection();
  const { machine } = scripted({});
  const broken = {
    ...machine,
    receive: (): Step[] => {
      throw new Error('a bug');
    },
  };
  const log = { event: (_level: string, name: string) => void events.push(name) };
  const options = { clock, log, tls: undefined, handshakeMs: 1, sessionMs: 1_000 };
  drive(fake.connection, broken, { answer: () => '' }, options);
  fake.peer.received(octets('x'));
  assert.deepEqual([events, fake.state.over], [['session-bug'], 'destroy']);
});

test('a session has an end, whatever it does', () => {
  const it = setUp({ stop: [say('enough')] });
  it.clock.pass(3_600_000);
  assert.ok(it.heard.includes('stop'));
  it.clock.pass(6_000);
  assert.equal(it.state.over, 'destroy');
});
