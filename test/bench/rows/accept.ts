/** Rows of acceptance: so many sessions bring mail of one size, each answered after it is on disk. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../world/ports.ts';
import { type Goal, OURS, type Row, type Sample } from '../figures.ts';
import type { Bench } from '../bench.ts';
import { memoryAtHand } from '../memory.ts';
import { atRest } from '../rest.ts';
import { type Cell, type SmtpTarget, calibrate, load, loadAndRest } from '../smtp-load.ts';
import { Group } from '../group.ts';
import { end } from '../processes.ts';
import {
  npmVersion,
  startHaraka,
  startSmtpServer,
  started as startedNode,
} from '../targets/npm-peers.ts';
import { startPostern } from '../targets/postern.ts';
import { type PostfixMode, startPostfix } from '../targets/postfix.ts';
import { startSink } from '../targets/sink.ts';

/** A target that runs, and how it is ended. */
export interface Started {
  readonly target: SmtpTarget;
  stop(): Promise<void>;
}

interface AcceptRow {
  readonly name: string;
  readonly cell: Cell;
  readonly goal: Omit<Goal, 'against'>;
  readonly npm?: boolean;
  /** Beside what the machine, the load and the runtime allow at most. */
  readonly bare?: boolean;
}

const KIB = 1_024;
const ROWS: readonly AcceptRow[] = [
  {
    name: 'accept 1 KiB, 50 sessions',
    cell: { sessions: 50, bytes: KIB },
    goal: { peerThen: 1_091, atLeast: 5, aim: 10, cpuAtLeast: 7, cpuAim: 15 },
    npm: true,
    bare: true,
  },
  {
    name: 'accept 1 KiB, 10 sessions',
    cell: { sessions: 10, bytes: KIB },
    goal: { peerThen: 1_211, atLeast: 2.5, aim: 4 },
    bare: true,
  },
  {
    name: 'accept 1 KiB, 1 session',
    cell: { sessions: 1, bytes: KIB },
    goal: { peerThen: 198, atLeast: 2, aim: 4 },
    bare: true,
  },
  {
    name: 'accept 1 KiB, 200 sessions',
    cell: { sessions: 200, bytes: KIB },
    goal: { peerThen: 349, atLeast: 15, aim: 30 },
    bare: true,
  },
  {
    name: 'accept 10 KiB, 50 sessions',
    cell: { sessions: 50, bytes: 10 * KIB },
    goal: { peerThen: 1_023, atLeast: 3, aim: 5 },
  },
  {
    name: 'accept 100 KiB, 50 sessions',
    cell: { sessions: 50, bytes: 100 * KIB },
    goal: { peerThen: 687, atLeast: 2, aim: 5 },
  },
  {
    name: 'accept 10 MiB, 4 sessions',
    cell: { sessions: 4, bytes: 10 * KIB * KIB },
    goal: { peerThen: 11, atLeast: 1.5, aim: 3 },
  },
  {
    name: 'accept 1 KiB, one connection a message, 10 at a time',
    cell: { sessions: 10, bytes: KIB, reconnect: true },
    goal: { peerThen: 717, atLeast: 1.5, aim: 3 },
  },
];
const HOLD = 'Postfix, hold';
const VIRTUAL = 'Postfix, virtual';
const HARAKA = 'Haraka';
const BARE = 'Node, answers and writes one row';
const SINK = 'smtp-sink, keeps nothing';

/** All on the same servers, which run on from row to row as servers do. */
export const acceptRows = {
  id: 'accept',
  run: async (bench: Bench): Promise<Row[]> => {
    const started: Started[] = [];
    const rows: Row[] = [];
    try {
      const start = async (starters: readonly (() => Promise<Started>)[]): Promise<Started[]> => {
        const from = started.length;
        for (const one of starters) started.push(await one());
        return started.slice(from);
      };
      const two = await start([
        () => ours(bench, 'u0@bench.test'),
        () => postfix(bench, 'hold', HOLD),
      ]);
      const peers = await start(fromNpm(bench));
      const least = await start([() => bare(bench), () => sink(bench)]);
      for (const one of started) await warmUp(bench, one.target);
      for (const { name, cell, goal, npm, bare: isBare } of ROWS) {
        const those = [...two, ...(npm === true ? peers : []), ...(isBare === true ? least : [])];
        rows.push(await compare(bench, { name, goals: [{ ...goal, against: HOLD }] }, cell, those));
      }
    } finally {
      for (const one of started) await one.stop();
    }
    return rows;
  },
};

export const deliverRow = {
  id: 'deliver',
  run: (bench: Bench) => {
    const goals = [{ against: VIRTUAL, peerThen: 528, atLeast: 8, aim: 15 }];
    const name = 'into a mailbox that IMAP shows, 1 KiB, 50 sessions';
    return measure(bench, { name, goals }, { sessions: 50, bytes: KIB }, [
      () => ours(bench, 'u0@bench.test'),
      () => postfix(bench, 'virtual', VIRTUAL),
    ]);
  },
};

export const relayRow = {
  id: 'relay',
  run: (bench: Bench) => {
    const goals = [
      { against: 'Postfix, relay', peerThen: 471, atLeast: 4, aim: 8 },
      { against: HARAKA, peerThen: 321, atLeast: 8, aim: 15 },
    ];
    const name = 'accept and relay to a sink, 1 KiB, 50 sessions';
    return measure(bench, { name, goals }, { sessions: 50, bytes: KIB }, [
      () => ours(bench, 'someone@elsewhere.example'),
      () => postfix(bench, 'relay', 'Postfix, relay'),
      ...(npmVersion('Haraka') === undefined ? [] : [() => haraka(bench, true)]),
    ]);
  },
};

/** Starts the targets, warms them up, and compares them. */
export async function measure(
  bench: Bench,
  row: Pick<Row, 'name' | 'goals'>,
  cell: Cell,
  starters: readonly (() => Promise<Started>)[],
): Promise<Row> {
  const started: Started[] = [];
  try {
    for (const start of starters) {
      const one = await start();
      started.push(one);
      await warmUp(bench, one.target);
    }
    return await compare(bench, row, cell, started);
  } finally {
    for (const one of started) await one.stop();
  }
}

/** Servers run for weeks: what the runtime still compiles in the first seconds is not measured. */
async function warmUp(bench: Bench, target: SmtpTarget): Promise<void> {
  const cell = { sessions: 50, bytes: KIB };
  const messages = await calibrate(target, cell, bench.cellSeconds);
  if (!bench.quick) await load(target, cell, messages * 2);
}

/** Calibrates each target, then repeats with the targets in turn. */
async function compare(
  bench: Bench,
  row: Pick<Row, 'name' | 'goals'>,
  cell: Cell,
  started: readonly Started[],
): Promise<Row> {
  const samples = new Map<string, Sample[]>();
  const sizes = new Map<string, number>();
  for (const { target } of started) {
    samples.set(target.name, []);
    sizes.set(target.name, await calibrate(target, cell, bench.cellSeconds));
  }
  const groups = started.map(({ target }) => target.group);
  await atRest(groups);
  for (let repetition = 0; repetition < bench.repetitions; repetition += 1) {
    for (const { target } of started) {
      await memoryAtHand(bench);
      const sample = await loadAndRest(target, cell, sizes.get(target.name) ?? 1, groups);
      samples.get(target.name)?.push(sample);
      bench.say(`${row.name} | ${target.name}`, sample);
    }
  }
  return { ...row, unit: 'messages/s', better: 'more', samples };
}

async function ours(bench: Bench, recipient: string): Promise<Started> {
  const sink = recipient.endsWith('@bench.test') ? undefined : await startSink();
  const settings = sink === undefined ? '' : `relayhost = "[127.0.0.1]:${sink.port}"`;
  const postern = await startPostern({ folder: bench.folder('postern'), settings });
  return {
    target: {
      name: OURS,
      group: postern.group,
      place: `127.0.0.1:${postern.port('smtp')}`,
      recipient,
      ...(sink === undefined ? {} : { arrived: sink.taken }),
    },
    stop: async () => {
      await postern.stop();
      await sink?.stop();
    },
  };
}

async function postfix(bench: Bench, mode: PostfixMode, name: string): Promise<Started> {
  const [sink, port] = [mode === 'relay' ? await startSink() : undefined, await freePort()];
  const folder = bench.folder(path.join('postfix', mode));
  const options = { folder, port, mode, ...(sink === undefined ? {} : { sink: sink.port }) };
  const server = await startPostfix(options);
  const arrived = sink?.taken ?? (mode === 'virtual' ? server.delivered : undefined);
  return {
    target: {
      name,
      group: server.group,
      place: `127.0.0.1:${port}`,
      recipient: 'u0@bench.test',
      ...(arrived === undefined ? {} : { arrived }),
    },
    stop: async () => {
      await server.stop();
      await sink?.stop();
    },
  };
}

function fromNpm(bench: Bench): (() => Promise<Started>)[] {
  const starters: (() => Promise<Started>)[] = [];
  if (npmVersion('Haraka') !== undefined) starters.push(() => haraka(bench, false));
  if (npmVersion('smtp-server') !== undefined) starters.push(() => smtpServer(bench));
  return starters;
}

async function bare(bench: Bench): Promise<Started> {
  const port = await freePort();
  const folder = bench.folder('bare');
  mkdirSync(folder, { recursive: true });
  const program = path.join(import.meta.dirname, '../targets/bare-server.ts');
  const args = [program, `${port}`, path.join(folder, 'bare.db')];
  const { group, stop } = await startedNode('bare', folder, port, args);
  const place = `127.0.0.1:${port}`;
  return { target: { name: BARE, group, place, recipient: 'u0@bench.test' }, stop };
}

async function sink(bench: Bench): Promise<Started> {
  const [port, folder] = [await freePort(), bench.folder('sink')];
  mkdirSync(folder, { recursive: true });
  const group = new Group('sink');
  const place = `127.0.0.1:${port}`;
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = group.start('smtp-sink', [...user, place, '1024'], path.join(folder, 'log'));
  const stop = async (): Promise<void> => {
    await end(child);
    group.remove();
  };
  return { target: { name: SINK, group, place, recipient: 'u0@bench.test' }, stop };
}

async function smtpServer(bench: Bench): Promise<Started> {
  const port = await freePort();
  const { group, stop } = await startSmtpServer(bench.folder('smtp-server'), port);
  const place = `127.0.0.1:${port}`;
  const name = 'smtp-server, keeps nothing';
  return { target: { name, group, place, recipient: 'u0@bench.test' }, stop };
}

async function haraka(bench: Bench, relays: boolean): Promise<Started> {
  const [sink, port] = [relays ? await startSink() : undefined, await freePort()];
  const peer = await startHaraka(bench.folder('haraka'), port, sink?.port);
  return {
    target: {
      name: HARAKA,
      group: peer.group,
      place: `127.0.0.1:${port}`,
      recipient: 'u0@bench.test',
      ...(sink === undefined ? {} : { arrived: sink.taken }),
    },
    stop: async () => {
      await peer.stop();
      await sink?.stop();
    },
  };
}
