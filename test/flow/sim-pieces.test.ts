/** The pieces of the simulation that could lie: time, chance, streams, the disk, the reading of them. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { latin1, utf8 } from '#base/bytes.ts';
import type { Failure } from '#base/failure.ts';
import type { Connection } from '#base/world.ts';
import { Chance } from '../sim/chance.ts';
import { Disk } from '../sim/disk.ts';
import { readMessage } from '../sim/message.ts';
import { MUTANTS, mutated } from '../sim/mutants.ts';
import { MINUTE, type Owner, Timeline } from '../sim/timeline.ts';
import { transactionsOf } from '../sim/transcript.ts';
import { CALM, type Weather, Wire } from '../sim/wire.ts';

const FATE: Owner = { name: 'fate', alive: true };

test('chance: the same seed and name say the same, others do not', () => {
  assert.equal(draw(7, 'a'), draw(7, 'a'));
  assert.equal(new Set([draw(7, 'a'), draw(7, 'b'), draw(8, 'a'), draw(78, '')]).size, 4);
  const chance = new Chance(1, 'x');
  const drawn = Array.from({ length: 2_000 }, () => chance.int(3, 7));
  assert.deepEqual([...new Set(drawn)].sort(), [3, 4, 5, 6, 7]);
  assert.ok(Array.from({ length: 2_000 }, () => chance.skewed(9)).every((n) => n >= 0 && n <= 9));
});

test('timeline: events in order of time, then of asking; time stands still between them', async () => {
  const timeline = new Timeline(FATE);
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(`${name}@${timeline.nowMs}`);
  timeline.at(20, FATE, 'x', note('c'));
  timeline.at(10, FATE, 'x', note('a'));
  timeline.at(10, FATE, 'x', note('b'));
  timeline.at(15, FATE, 'x', note('never')).cancel();
  assert.equal(timeline.nowMs, 0);
  assert.equal(await timeline.run(() => false, 100), 'empty');
  assert.deepEqual(seen, ['a@10', 'b@10', 'c@20']);
});

test('timeline: promises are done before the next event; the dead have no events', async () => {
  const timeline = new Timeline(FATE);
  const host: Owner = { name: 'host', alive: true };
  const seen: string[] = [];
  timeline.at(1, host, 'x', () => {
    void (async () => {
      for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
      seen.push(`promise of ${timeline.current.name}`);
    })();
  });
  timeline.at(1, FATE, 'x', () => {
    seen.push('next');
    host.alive = false;
  });
  timeline.at(2, host, 'x', () => seen.push('ghost'));
  await timeline.run(() => false, 100);
  assert.deepEqual(seen, ['promise of host', 'next']);
});

test('timeline: a clock counts from its boot, and its wall may be wrong', async () => {
  const timeline = new Timeline(FATE);
  timeline.at(500, FATE, 'x', () => undefined);
  await timeline.run(() => false, 1);
  const wall = { offsetMs: 0 };
  const clock = timeline.clock(FATE, wall);
  assert.equal(clock.elapsed(), 0);
  const before = clock.now();
  wall.offsetMs = MINUTE;
  assert.equal(clock.now() - before, MINUTE);
  assert.equal(clock.elapsed(), 0);
});

function draw(seed: number, name: string): string {
  return latin1(new Chance(seed, name).bytes(16));
}

interface Talk {
  readonly timeline: Timeline;
  readonly wire: Wire;
  readonly server: string[];
  readonly client: Connection;
}

/** A client that is connected to a server which notes what happens to it. */
async function talk(weather: Partial<Weather>, seed = 1): Promise<Talk> {
  const timeline = new Timeline(FATE);
  const wire = new Wire(timeline, new Chance(seed, 'wire'));
  wire.weather = { ...CALM, ...weather };
  const server: string[] = [];
  const there = wire.host('there', '203.0.113.1');
  const here = wire.host('here', '203.0.113.2');
  const network = wire.network(there, { name: 'there', alive: true });
  await network.listen({ host: there.address, port: 25, maxConnections: 9 }, (connection) => {
    connection.open({
      received: (bytes) => void server.push(latin1(bytes)),
      drained: () => undefined,
      ended: () => void server.push('[end]'),
      closed: (failure?: Failure) => void server.push(`[${failure?.code ?? 'closed'}]`),
    });
  });
  let client: Connection | undefined;
  wire
    .network(here, { name: 'here', alive: true })
    .connect({ address: there.address, port: 25, timeoutMs: 1_000_000 })
    .then(
      (connection) => {
        client = connection;
      },
      () => undefined,
    );
  await timeline.run(() => client !== undefined, 100);
  assert.ok(client);
  return { timeline, wire, server, client };
}

test('wire: whatever the latency and the pieces, octets come in order, the end behind them', async () => {
  for (let seed = 1; seed < 30; seed += 1) {
    const { timeline, server, client } = await talk(
      { latencyMs: 500, shredded: 1, slow: 0.5 },
      seed,
    );
    const text = Array.from({ length: 50 }, (_, n) => `line ${n}\r\n`);
    for (const line of text) client.write(utf8(line));
    client.end();
    await timeline.run(() => false, 10_000);
    assert.equal(server.slice(0, server.indexOf('[end]')).join(''), text.join(''), String(seed));
  }
});

test('wire: a cut lets a beginning through, and tells both sides unless it is silent', async () => {
  const lengths = new Set<number>();
  for (let seed = 1; seed < 40; seed += 1) {
    const silent = seed % 2;
    const { timeline, server, client } = await talk({ cut: 1, silent }, seed);
    const text = 'x'.repeat(3_000);
    client.write(utf8(text));
    await timeline.run(() => false, 1_000);
    const read = server.filter((one) => !one.startsWith('[')).join('');
    assert.ok(text.startsWith(read));
    if (read.length < text.length) {
      assert.equal(server.includes('[connection-reset]'), silent === 0);
      lengths.add(read.length);
    }
  }
  assert.ok(lengths.size > 10);
});

test('wire: a crashed host is never heard of again, but what it sent may still come', async () => {
  const ends = new Set<string>();
  for (let seed = 1; seed < 40; seed += 1) {
    const { timeline, wire, server, client } = await talk({ latencyMs: 100, shredded: 1 }, seed);
    client.write(utf8('abcdefgh'));
    wire.crash(wire.host('here again', '203.0.113.2'));
    client.write(utf8('from the grave'));
    await timeline.run(() => false, 1_000);
    const read = server.filter((one) => !one.startsWith('[')).join('');
    assert.ok('abcdefgh'.startsWith(read), read);
    ends.add(`${read.length} ${server.at(-1)}`);
  }
  assert.ok(ends.size > 5);
});

test('wire: who does not read fills the stream, and the writer is told to wait', async () => {
  const { timeline, wire, client } = await talk({});
  const [pair] = wire.pairs;
  pair?.ends[1].pause();
  assert.equal(client.write(new Uint8Array(100_000)), false);
  let drained = false;
  client.open({
    received: () => undefined,
    drained: () => {
      drained = true;
    },
    ended: () => undefined,
    closed: () => undefined,
  });
  await timeline.run(() => false, 100);
  assert.equal(drained, false);
  pair?.ends[1].resume();
  await timeline.run(() => false, 100);
  assert.equal(drained, true);
});

test('disk: after a cut synced files are whole, names that were not synced may be gone', () => {
  const root = mkdtempSync(join(tmpdir(), 'postern-disk-'));
  try {
    const outcomes = new Set<string>();
    for (let seed = 1; seed < 40; seed += 1) {
      const disk = new Disk(join(root, String(seed)), new Chance(seed, 'disk'));
      disk.cutPower();
      const spool = join(disk.directory, 'spool');
      for (const name of ['safe', 'nameless', 'torn']) {
        const path = join(spool, name);
        writeFileSync(path, 'whole');
        disk.wrote(path);
        if (name !== 'torn') disk.syncedFile(path);
        if (name === 'safe') disk.syncedNames(spool);
      }
      disk.cutPower();
      const left = (name: string): string => {
        const path = join(disk.directory, 'spool', name);
        return existsSync(path) ? readFileSync(path, 'latin1') : 'gone';
      };
      assert.equal(left('safe'), 'whole');
      assert.match(left('nameless'), /^(?:whole|gone)$/);
      assert.notEqual(left('torn'), 'whole');
      outcomes.add(left('nameless'));
      disk.remove();
    }
    assert.equal(outcomes.size, 2);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test('transcripts: transactions, pipelined or in chunks, and whose answer was lost', async () => {
  const { timeline, wire, client } = await talk({});
  const [pair] = wire.pairs;
  assert.ok(pair);
  client.open({
    received: () => undefined,
    drained: () => undefined,
    ended: () => undefined,
    closed: () => undefined,
  });
  client.write(
    utf8(
      'EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n..dot\r\n.\r\n' +
        'MAIL FROM:<>\r\nRCPT TO:<d@y>\r\nBDAT 3\r\nabcBDAT 2 LAST\r\nde',
    ),
  );
  pair.ends[1].write(
    utf8(
      '220 hi\r\n250-y\r\n250 z\r\n250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n250 Accepted as Q1\r\n' +
        '250 ok\r\n250 ok\r\n250 more\r\n',
    ),
  );
  await timeline.run(() => false, 100);
  const found = transactionsOf(pair).map(({ sender, recipients, content, answer }) => {
    return { sender, recipients, content, answer: answer?.text };
  });
  assert.deepEqual(found, [
    { sender: 'a@x', recipients: ['b@y'], content: '.dot\r\n', answer: '250 Accepted as Q1' },
    { sender: '', recipients: ['d@y'], content: 'abcde', answer: undefined },
  ]);
});

test('messages: hops and marks from the header alone', () => {
  const text =
    'Received: from x\r\n\tby mx.b.test with ESMTPS (TLSv1.3)\r\n\tid B1;\r\n\tdate\r\n' +
    'Received: from y by mx.a.test with ESMTPSA id A1; date\r\nX-Token: T1-1\r\n\r\nX-Token: no\r\n';
  const { hops, token, body } = readMessage(text);
  assert.deepEqual(hops, [
    { host: 'mx.b.test', id: 'B1' },
    { host: 'mx.a.test', id: 'A1' },
  ]);
  assert.deepEqual([token, body], ['T1-1', 'X-Token: no\r\n']);
});

test('controls: the line of every one is there, exactly once', () => {
  for (const mutant of MUTANTS) {
    const file = new URL(`../../${mutant.file}`, import.meta.url);
    const text = readFileSync(file, 'utf8');
    assert.notEqual(mutated(mutant, text), text);
    const twice = `${text}\n${mutant.line}\n`;
    assert.throws(() => mutated(mutant, twice), /stands 2 times/);
    assert.throws(() => mutated({ ...mutant, line: 'not there' }, text), /stands 0 times/);
  }
});
