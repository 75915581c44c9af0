/** The attacker's connection against servers that behave, and servers that mean harm. */

import assert from 'node:assert/strict';
import net, { type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { latin1, utf8 } from '#base/bytes.ts';
import { Secret } from '#base/secret.ts';
import { systemClock } from '#network/clock.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { dial, type DialOptions } from './dial.ts';
import { unescape } from './exchange.ts';
import { askImap, readImap } from './imap.ts';
import { askPop3 } from './pop3.ts';
import { askSieve, readSieve } from './sieve.ts';
import { ask, batch, keywordsOf, readReply, replyText } from './smtp.ts';
import { isLost, type Wire } from './wire.ts';

const world = { clock: systemClock, network: tcpNetwork({ lingerMs: 50 }) };

/** Runs against a server that does with each connection what `serve` says. */
async function against(
  serve: (socket: Socket) => void,
  play: (wire: Wire) => Promise<void>,
  options: DialOptions = {},
): Promise<void> {
  const sockets: Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const dialled = await dial(world, { address: '127.0.0.1', port }, options);
  try {
    assert.equal(dialled.kind, 'open');
    if (dialled.kind === 'open') await play(dialled.wire);
  } finally {
    if (dialled.kind === 'open') dialled.wire.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** Says `text` once and nothing else. */
function saying(text: string): (socket: Socket) => void {
  return (socket) => void socket.write(text, 'latin1');
}

describe('wire: SMTP replies', () => {
  it('reads multi-line replies, enhanced codes and keywords', async () => {
    const text = '250-mx.test hi\r\n250-SIZE 100\r\n250-AUTH=PLAIN LOGIN\r\n250 PIPELINING\r\n';
    await against(saying(text), async (wire) => {
      const reply = await readReply(wire, 1_000);
      assert.ok(!isLost(reply));
      assert.deepEqual(reply.odd, []);
      assert.deepEqual(
        [...keywordsOf(reply)],
        [
          ['SIZE', '100'],
          ['AUTH', 'PLAIN LOGIN'],
          ['PIPELINING', ''],
        ],
      );
    });
  });

  it('takes malformed replies as they are and says what is odd', async () => {
    const text = '250 5.1.1 no\n250-a\r\n550 b\r\nhello\r\n220 \x1b[2J\r\n';
    await against(saying(text), async (wire) => {
      const [bare, differing, bald, steering] = await batch(wire, ['', '', '', ''], 1_000);
      assert.ok(bare && differing && bald && steering);
      assert.ok(!isLost(bare) && !isLost(differing) && !isLost(bald) && !isLost(steering));
      assert.deepEqual(bare.odd, ['bare-lf']);
      assert.equal(bare.enhanced, '5.1.1');
      assert.deepEqual(differing.odd, ['codes-differ']);
      assert.deepEqual([bald.code, bald.odd], [0, ['no-code']]);
      assert.deepEqual(steering.odd, ['control']);
      assert.equal(replyText(bare), '250 5.1.1 no');
    });
  });

  it('a whole reply has one deadline: a trickle does not prolong it', async () => {
    await against(drip, async (wire) => {
      const lost = await readReply(wire, 60);
      assert.ok(isLost(lost));
      assert.equal(lost.kind, 'timeout');
    });
  });
});

describe('wire: hostile servers', () => {
  it('an endless banner ends at the number of lines', async () => {
    await against(saying('220-x\r\n'.repeat(5_000)), async (wire) => {
      const lost = await readReply(wire, 1_000);
      assert.ok(isLost(lost));
      assert.equal(lost.kind, 'flood');
    });
  });

  it('a line without end is given up at its limit, and memory stays bounded', async () => {
    await against(
      pour,
      async (wire) => {
        const lost = await wire.readLine(1_000);
        assert.ok(isLost(lost));
        assert.equal(lost.kind, 'too-long');
        assert.ok(lost.partial.length <= 1_000);
        await wire.pause(30);
        // Nobody reads: what waits is bounded, whatever the server pours.
        assert.ok(wire.unreadBytes <= wire.limits.unreadBytes + 65_536, `${wire.unreadBytes}`);
        let taken = 0;
        while (!wire.over) taken += (await wire.listen(5)).length;
        assert.ok(taken <= wire.limits.totalBytes + 65_536);
        assert.ok(JSON.stringify(wire.exchange).length < 4 * wire.limits.recordBytes);
      },
      { limits: { totalBytes: 1_000_000, unreadBytes: 65_536 } },
    );
  });

  it('a literal larger than a reply may be is not waited for', async () => {
    await against(saying('* OK hi\r\n* FOO {4000000000}\r\n'), async (wire) => {
      const greeting = await readImap(wire, '', 1_000);
      assert.ok(!isLost(greeting));
      const lost = await askImap(wire, 'a', 'NOOP', 1_000);
      assert.ok(isLost(lost));
      assert.equal(lost.kind, 'flood');
    });
  });
});

describe('wire: what failed is a value', () => {
  it('refused, closed, reset and silent are told apart', async () => {
    const refused = await dial(world, { address: '127.0.0.1', port: 1 });
    assert.equal(refused.kind, 'refused');
    await against(
      (socket) => socket.end(),
      async (wire) => {
        const lost = await readReply(wire, 1_000);
        assert.deepEqual(isLost(lost) && lost.kind, 'closed');
        assert.equal(wire.send('x'), false);
      },
    );
    await against(
      (socket) => void setTimeout(() => socket.resetAndDestroy(), 5),
      async (wire) => {
        const lost = await readReply(wire, 1_000);
        assert.deepEqual(isLost(lost) && lost.kind, 'reset');
      },
    );
    await against(
      () => undefined,
      async (wire) => {
        const lost = await readReply(wire, 20);
        assert.deepEqual(isLost(lost) && lost.kind, 'timeout');
        assert.equal(wire.over, false);
      },
    );
    await against(saying('no TLS here\r\n'), async (wire) => {
      assert.equal((await wire.startTls('mx.test', 500)).kind, 'tls-failed');
    });
  });

  it('comes from the address that was asked for', async () => {
    let seen = '';
    await against(
      (socket) => {
        seen = socket.remoteAddress ?? '';
        socket.write('220 hi\r\n');
      },
      async (wire) => {
        await readReply(wire, 1_000);
        assert.equal(seen, '127.66.0.1');
        assert.equal(wire.exchange.source?.address, '127.66.0.1');
      },
      { source: '127.66.0.1' },
    );
  });

  it('says no more and goes on reading: half close', async () => {
    await against(after, async (wire) => {
      assert.equal(wire.finish(), true);
      const reply = await readReply(wire, 1_000);
      assert.ok(!isLost(reply));
      assert.equal(reply.code, 221);
    });
  });
});

describe('wire: other protocols', () => {
  it('reads IMAP with literals, POP3 listings and ManageSieve', async () => {
    const imap = '* OK hi\r\n* LIST {3}\r\na\r\n x\r\na NO [ALERT] never\r\n+ more\r\n';
    await against(saying(imap), async (wire) => {
      await readImap(wire, '', 1_000);
      const answer = await askImap(wire, 'a', 'X', 1_000);
      assert.ok(!isLost(answer));
      assert.deepEqual(answer.untagged, ['LIST {3}\r\na\r\n x']);
      assert.deepEqual([answer.status, answer.text], ['no', '[ALERT] never']);
      const more = await readImap(wire, 'b', 1_000);
      assert.equal(isLost(more) ? '' : more.status, 'continue');
    });
    await against(saying('+OK list\r\nUSER\r\n..x\r\n.\r\n-ERR no\r\n'), async (wire) => {
      const listing = await askPop3(wire, 'CAPA', 1_000, true);
      assert.deepEqual(isLost(listing) ? [] : listing.lines, ['USER', '.x']);
      const no = await askPop3(wire, 'USER x', 1_000);
      assert.equal(isLost(no) ? '' : no.status, 'err');
    });
    await against(saying('"SASL" "PLAIN"\r\nOK "hi"\r\nNO (QUOTA) {2}\r\nno\r\n'), async (wire) => {
      const greeting = await readSieve(wire, 1_000);
      assert.deepEqual(isLost(greeting) ? [] : greeting.lines, ['"SASL" "PLAIN"']);
      const no = await askSieve(wire, 'X', 1_000);
      assert.equal(isLost(no) ? '' : no.status, 'no');
    });
  });
});

describe('wire: evidence', () => {
  it('records both ways, gives the octets back, and keeps secrets out in both directions', async () => {
    const password = new Secret(utf8('hunter2-long'));
    await against(echo, async (wire) => {
      wire.conceal('password', password);
      await readReply(wire, 1_000);
      await ask(wire, 'PASS hunter2-long \x00\\', 1_000);
      const shown = JSON.stringify(wire.exchange);
      assert.ok(!shown.includes('hunter2'), shown);
      const sent = wire.exchange.turns.find(({ from }) => from === 'client');
      assert.equal(sent?.text, 'PASS \\{password} \\x00\\\\\\r\\n');
      const back = unescape(sent?.text ?? '', new Map([['password', password]]));
      assert.equal(latin1(back), 'PASS hunter2-long \x00\\\r\n');
      const kinds = wire.exchange.turns.map(({ from }) => from);
      assert.deepEqual(kinds, ['server', 'client', 'server']);
    });
  });

  it('keeps the beginning and the end of a long exchange', async () => {
    await against(
      parrot,
      async (wire) => {
        await readReply(wire, 1_000);
        for (let turn = 0; turn < 60; turn += 1) await ask(wire, `n${turn}`, 1_000);
        const { turns, omittedTurns } = wire.exchange;
        assert.equal(turns.length, 30);
        assert.match(turns[0]?.text ?? '', /^220/);
        assert.match(turns.at(-1)?.text ?? '', /n59/);
        assert.equal(omittedTurns, 91);
      },
      { limits: { turns: 30 } },
    );
  });
});

function drip(socket: Socket): void {
  const timer = setInterval(() => socket.write('250-x\r\n'), 5);
  socket.on('close', () => clearInterval(timer));
}

function pour(socket: Socket): void {
  const piece = Buffer.alloc(65_536, 'x');
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

function after(socket: Socket): void {
  socket.on('end', () => socket.end('221 you left\r\n'));
  socket.resume();
}

function echo(socket: Socket): void {
  socket.write('220 hi\r\n');
  socket.on('data', (octets: Buffer) => {
    // In two pieces, so that no single one holds the secret.
    socket.write('500 what is ');
    socket.write(Buffer.from(octets.subarray(0, 9)));
    setTimeout(() => socket.write(octets.subarray(9)), 5);
  });
}

function parrot(socket: Socket): void {
  socket.write('220 hi\r\n');
  socket.on('data', (octets) => socket.write(`250 ${octets.toString('latin1')}`));
}
