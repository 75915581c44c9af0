/** A turn: all tasks of it in order and at once, those that come meanwhile in the next one. */

import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SocketConnection } from './connection.ts';
import { tcpNetwork } from './tcp.ts';
import { Turn } from './turn.ts';

test('tasks run at the end of the turn, in order, and what they add in the next one', async () => {
  const turn = new Turn();
  const done: string[] = [];
  turn.add(() => {
    done.push('a');
    turn.add(() => done.push('c'));
    void Promise.resolve().then(() => done.push('between'));
  });
  turn.add(() => done.push('b'));
  assert.deepEqual(done, []);
  await nextTurn();
  assert.deepEqual(done, ['a', 'b', 'between']);
  await nextTurn();
  assert.deepEqual(done, ['a', 'b', 'between', 'c']);
});

test('a task that throws takes no other with it, nor runs again', (t) => {
  const turns: (() => void)[] = [];
  t.mock.method(globalThis, 'setImmediate', (run: () => void) => turns.push(run));
  const turn = new Turn();
  const done: string[] = [];
  turn.add(() => done.push('a'));
  turn.add(() => {
    throw new Error('b');
  });
  turn.add(() => done.push('c'));
  assert.throws(() => turns[0]?.(), /b/);
  turns[1]?.();
  assert.deepEqual(done, ['a', 'c']);
  assert.equal(turns.length, 2);
});

test(
  'whoever pauses when octets were read already gets them after resume, and nothing twice',
  {
    timeout: 10_000,
  },
  async () => {
    const network = tcpNetwork({ lingerMs: 100 });
    const told: string[] = [];
    const listener = await network.listen(
      { host: '127.0.0.1', port: 0, maxConnections: 9 },
      (one) => {
        one.open({
          received: (bytes) => {
            told.push(Buffer.from(bytes).toString());
            one.pause();
            setTimeout(() => one.resume(), 5);
          },
          drained: () => undefined,
          ended: () => {
            told.push('ended');
            one.end();
          },
          closed: () => told.push('closed'),
        });
      },
    );
    const client = await network.connect({ ...listener.local, timeoutMs: 1_000 });
    const closed = Promise.withResolvers<void>();
    client.open({
      received: () => undefined,
      drained: () => undefined,
      ended: () => client.end(),
      closed: () => closed.resolve(),
    });
    const pieces = Array.from({ length: 50 }, (_, at) =>
      `${at},`.padEnd(at % 7 === 0 ? 20_000 : 9),
    );
    for (const piece of pieces) {
      client.write(Buffer.from(piece));
      await nextTurn();
    }
    client.finish?.();
    await closed.promise;
    while (told.at(-1) !== 'closed') await nextTurn();
    const [end, close] = [told.at(-2), told.at(-1)];
    assert.ok(told.slice(0, -2).join('') === pieces.join(''), 'all octets, in order');
    assert.deepEqual([end, close], ['ended', 'closed']);
    await listener.close();
  },
);

/** A connection whose octets and events the test makes, and what it tells. */
function staged(received: (one: SocketConnection) => void) {
  const socket = new Socket();
  const nowhere = { address: '127.0.0.1', port: 1 };
  const facts = { remote: nowhere, local: nowhere, lingerMs: 10, turn: new Turn() };
  const one = new SocketConnection(socket, facts);
  const told: string[] = [];
  one.open({
    received: (bytes) => {
      told.push(Buffer.from(bytes).toString());
      received(one);
    },
    drained: () => undefined,
    ended: () => told.push('ended'),
    closed: () => told.push('closed'),
  });
  return { one, socket, told };
}

test('who pauses hears of the end behind resume, also where it came in the same turn', async () => {
  const { one, socket, told } = staged((connection) => connection.pause());
  socket.emit('data', Buffer.from('a'));
  socket.emit('end');
  await nextTurn();
  assert.deepEqual(told, ['a']);
  one.resume();
  await nextTurn();
  assert.deepEqual(told, ['a', 'ended']);
  socket.destroy();
});

test('who has destroyed the connection hears that it closed, and nothing else', async () => {
  const { one, socket, told } = staged(() => undefined);
  socket.emit('data', Buffer.from('a'));
  one.destroy();
  socket.emit('close');
  one.resume();
  await nextTurn();
  assert.deepEqual(told, ['closed']);
});

test('what is left when a paused connection closes is never handed on behind that', async () => {
  const { one, socket, told } = staged(() => undefined);
  socket.emit('data', Buffer.from('a'));
  one.pause();
  socket.emit('end');
  socket.emit('close');
  one.resume();
  await nextTurn();
  assert.deepEqual(told, ['closed']);
});
