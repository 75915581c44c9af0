/** The canary keeps what it is sent, octet for octet, however it is cut. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromLatin1, latin1 } from '#base/bytes.ts';
import type { Connection, Receiver } from '#base/world.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { CanaryReceiver } from './receiver.ts';

class FakeConnection implements Connection {
  readonly remote = { address: '192.0.2.1', port: 4_000 };
  readonly local = { address: '192.0.2.2', port: 25 };
  readonly secure = undefined;
  said = '';
  isOver = false;
  receiver: Receiver | undefined;

  open(receiver: Receiver): void {
    this.receiver = receiver;
  }

  write(bytes: Uint8Array): boolean {
    this.said += latin1(bytes);
    return true;
  }

  pause(): void {
    // Never asked for here.
  }

  resume(): void {
    // Never asked for here.
  }

  startTls(): never {
    throw new Error('no TLS');
  }

  end(): void {
    this.isOver = true;
  }

  destroy(): void {
    this.isOver = true;
  }
}

const MAIL = 'EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<tok1@canary.test>\r\nDATA\r\n';

function canary(messageBytes = 10_000) {
  const clock = virtualClock();
  const receiver = new CanaryReceiver({
    clock,
    domain: 'canary.test',
    endpoint: { address: '192.0.2.2', port: 25 },
    messageBytes,
    messages: 3,
  });
  const connection = new FakeConnection();
  receiver.accept(connection);
  const say = (text: string): void => connection.receiver?.received(fromLatin1(text));
  return { clock, receiver, connection, say };
}

describe('canary', () => {
  it('keeps content raw: dots, bare LF, NUL, and only CRLF.CRLF ends it, in any chunking', () => {
    const content = 'X: 1\r\n\r\n..dot\n.\n\r.\r\0end\r\n';
    for (const size of [1, 2, 3, 7, 1_000]) {
      const { receiver, say } = canary();
      const whole = `${MAIL}${content}.\r\nQUIT\r\n`;
      for (let at = 0; at < whole.length; at += size) say(whole.slice(at, at + size));
      const [message] = receiver.messages;
      assert.equal(latin1(message?.octets ?? fromLatin1('')), content);
      assert.deepEqual(message?.recipients, ['tok1@canary.test']);
      assert.equal(message?.from.address, '192.0.2.1');
    }
  });

  it('tells an arrival that is there, one that comes, and one that does not', async () => {
    const { receiver, say, clock } = canary();
    const waiting = receiver.arrived('tok1', 5_000);
    const never = receiver.arrived('tok2', 5_000);
    say(`${MAIL}hello\r\n.\r\n`);
    assert.equal((await waiting)?.reversePath, 'a@b.test');
    assert.ok(await receiver.arrived('tok1', 0));
    clock.pass(5_000);
    assert.equal(await never, undefined);
    assert.equal(clock.pending, 1, 'only the idle timer is left');
  });

  it('is bounded: long commands, endless content, many messages, silence', () => {
    const long = canary();
    long.say('x'.repeat(5_000));
    assert.ok(long.connection.isOver);
    const endless = canary();
    endless.say(MAIL);
    for (let count = 0; count < 20; count += 1) endless.say('y'.repeat(1_000));
    assert.ok(endless.connection.isOver);
    const many = canary();
    for (let count = 0; count < 5; count += 1) many.say(`${MAIL}m${count}\r\n.\r\n`);
    assert.equal(many.receiver.messages.length, 3);
    const silent = canary();
    silent.clock.pass(60_000);
    assert.ok(silent.connection.isOver);
  });
});
