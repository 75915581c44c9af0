/** Rows about sessions: IDLE wake, logins a second, memory of idle connections, starting. */

import { chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Bench } from '../bench.ts';
import { OURS, type Row, type Sample, median } from '../figures.ts';
import type { Group } from '../group.ts';
import { ImapClient } from '../imap-client.ts';
import { hmac, parseAttributes, saltedPassword, sha256, xor } from '#protocol/sasl/scram.ts';
import { message } from '../mail.ts';
import { startDovecot } from '../targets/dovecot.ts';
import { PASSWORD, startPostern } from '../targets/postern.ts';
import { DOVECOT, DOVECOT_CLEAR } from './imap.ts';

interface Target {
  readonly name: string;
  readonly group: Group;
  /** The login of account `number`. */
  user(number: number): string;
  connect(): Promise<ImapClient>;
  stop(): Promise<void>;
}

const WAKES = 15;
const SETTLE_MS = 2_000;

export const wakeRow = { id: 'wake', run: measureWake };
export const loginRows = { id: 'logins', run: measureLogins };
export const memoryRow = { id: 'memory', run: measureMemory };
export const startRows = { id: 'start', run: measureStart };

/** APPEND on one connection until the EXISTS that another one in IDLE gets. */
async function measureWake(bench: Bench): Promise<Row> {
  const samples = new Map<string, Sample[]>();
  for (const target of await startTargets(bench, 1, 'tls')) {
    try {
      samples.set(target.name, await wakes(target, bench.quick ? 5 : WAKES));
    } finally {
      await target.stop();
    }
    const middle = median((samples.get(target.name) ?? []).map(({ value }) => value));
    bench.say(`IDLE wake | ${target.name}`, { value: middle });
  }
  return {
    name: 'IDLE wake, from APPEND sent to EXISTS seen by another session',
    unit: 'ms',
    better: 'less',
    goals: [{ against: DOVECOT, atLeast: 40, aim: 200 }],
    samples,
  };
}

async function wakes(target: Target, count: number): Promise<Sample[]> {
  const [writer, sleeper] = [await target.connect(), await target.connect()];
  for (const client of [writer, sleeper])
    await client.command(`LOGIN ${target.user(0)} ${PASSWORD}`);
  await sleeper.command('SELECT INBOX');
  await sleeper.idle();
  const samples: Sample[] = [];
  for (let number = 0; number < count; number += 1) {
    await sleep(100);
    const start = performance.now();
    const seen = sleeper.exists();
    await writer.command('APPEND INBOX', message(number));
    await seen;
    samples.push({ value: performance.now() - start });
  }
  writer.close();
  sleeper.close();
  return samples;
}

/** Connections are made before; then each of them logs in, ten at a time. */
async function measureLogins(bench: Bench): Promise<Row[]> {
  const accounts = bench.quick ? 20 : 100;
  const first = new Map<string, Sample[]>();
  const again = new Map<string, Sample[]>();
  const scram = new Map<string, Sample[]>();
  for (const target of await startTargets(bench, accounts, 'tls')) {
    try {
      const isOurs = target.name === OURS;
      for (const [name, map, login] of [
        // First of all, so that no password is known from before.
        ['SCRAM', scram, isOurs ? withScram() : inClear] as const,
        ['first login of each account', first, inClear] as const,
        ['again', again, inClear] as const,
      ]) {
        const sample = await logins(target, accounts, login);
        map.set(target.name, [sample]);
        bench.say(`logins, ${name} | ${target.name}`, sample);
      }
    } finally {
      await target.stop();
    }
  }
  const common = { unit: 'logins/s', better: 'more' } as const;
  return [
    {
      ...common,
      name: 'IMAP logins, first of each account (Postern: argon2id of 19 MiB; Dovecot: its default, bcrypt)',
      goals: [{ against: DOVECOT, atLeast: 2, aim: 2 }],
      samples: first,
    },
    {
      ...common,
      name: 'IMAP logins, first of each account, SCRAM-SHA-256 (the client hashes and keeps it; Dovecot: LOGIN, its default)',
      goals: [{ against: DOVECOT, atLeast: 2, aim: 2 }],
      samples: scram,
    },
    {
      ...common,
      name: 'IMAP logins, password known from a moment ago (Dovecot: no cache, its default)',
      goals: [{ against: DOVECOT, atLeast: 2, aim: 20 }],
      samples: again,
    },
  ];
}

type Login = (client: ImapClient, user: string) => Promise<unknown>;

function inClear(client: ImapClient, user: string): Promise<unknown> {
  return client.command(`LOGIN ${user} ${PASSWORD}`);
}

/** RFC 5802 as a client that keeps the salted password, as 5.1 lets it: the accounts here share one. */
function withScram(): Login {
  const salted = new Map<string, Buffer>();
  let count = 0;
  return (client, user) => {
    count += 1;
    const bare = `n=${user},r=nonce-of-the-bench-${count}`;
    let signature: string;
    const prove = (challenge: string): string => {
      const { r = '', s: salt = '', i = '' } = Object.fromEntries(parseAttributes(challenge) ?? []);
      const key =
        salted.get(salt + i) ?? saltedPassword(PASSWORD, Buffer.from(salt, 'base64'), Number(i));
      salted.set(salt + i, key);
      const unproven = `c=biws,r=${r}`;
      const signed = `${bare},${challenge},${unproven}`;
      const clientKey = hmac(key, 'Client Key');
      const proof = xor(clientKey, hmac(sha256(clientKey), signed));
      signature = hmac(hmac(key, 'Server Key'), signed).toString('base64');
      return `${unproven},p=${Buffer.from(proof).toString('base64')}`;
    };
    const judge = (challenge: string): string => {
      if (challenge !== `v=${signature}`) throw new Error(`not the server's proof: ${challenge}`);
      return '';
    };
    return client.authenticate('SCRAM-SHA-256', `n,,${bare}`, [prove, judge]);
  };
}

async function logins(target: Target, accounts: number, login: Login): Promise<Sample> {
  const clients = await Promise.all(Array.from({ length: accounts }, () => target.connect()));
  const cpu = target.group.cpuSeconds();
  const start = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let number = next++; number < accounts; number = next++) {
      const client = clients[number];
      if (client !== undefined) await login(client, target.user(number));
    }
  };
  await Promise.all(Array.from({ length: 10 }, work));
  const seconds = (performance.now() - start) / 1_000;
  const used = target.group.cpuSeconds() - cpu;
  for (const client of clients) client.close();
  return { value: accounts / seconds, cpu: (used / accounts) * 1_000 };
}

/** What each further logged-in connection in IDLE adds to the memory of all processes. */
async function measureMemory(bench: Bench): Promise<Row[]> {
  const connections = bench.quick ? 200 : 500;
  const samples = new Map<string, Sample[]>();
  for (const kind of ['tls', 'clear'] as const) {
    for (const target of await startTargets(bench, 10, kind)) {
      const clients: ImapClient[] = [];
      try {
        clients.push(...(await idlers(target, bench.quick ? 10 : 50)));
        await sleep(SETTLE_MS);
        const before = target.group.memory();
        clients.push(...(await idlers(target, connections)));
        await sleep(SETTLE_MS);
        const after = target.group.memory();
        const value = ((after.mib - before.mib) / connections) * 1_024;
        samples.set(target.name, [{ value }]);
        bench.say(`memory of an idle connection, KiB | ${target.name}`, { value });
      } finally {
        for (const client of clients) client.close();
        await target.stop();
      }
    }
  }
  const ours = samples.get(OURS) ?? [];
  const row = (name: string, against: string): Row => ({
    name: `memory of an idle logged-in IMAP connection, ${name} (PSS, ${connections} of them)`,
    unit: 'KiB',
    better: 'less',
    goals: [{ against, atLeast: 15, aim: 40 }],
    samples: new Map([
      [OURS, ours],
      [against, samples.get(against) ?? []],
    ]),
  });
  return [
    row('both under TLS', DOVECOT),
    row('Dovecot in clear, Postern under TLS, for it takes no login in clear', DOVECOT_CLEAR),
  ];
}

async function idlers(target: Target, count: number): Promise<ImapClient[]> {
  const clients: ImapClient[] = [];
  for (let number = 0; number < count; number += 1) {
    const client = await target.connect();
    await client.command(`LOGIN ${target.user(number % 10)} ${PASSWORD}`);
    await client.command('SELECT INBOX');
    await client.idle();
    clients.push(client);
  }
  return clients;
}

/**
 * From the start of the process until every listener is up; then what it uses, left alone. The
 * first start makes keys and knows no compiled modules yet: its memory has a row of its own.
 */
async function measureStart(bench: Bench): Promise<Row[]> {
  const folder = bench.folder('postern');
  const starts: Sample[] = [];
  const memory: Sample[] = [];
  const resident: Sample[] = [];
  for (let number = 0; number < (bench.quick ? 3 : 5); number += 1) {
    const postern = await startPostern({ folder });
    starts.push({ value: postern.startMs / 1_000 });
    if (number < 3) {
      await sleep(bench.quick ? SETTLE_MS : 5_000);
      memory.push({ value: postern.group.memory().mib });
      resident.push({ value: postern.group.memory('Rss').mib });
    }
    await postern.stop();
  }
  starts.shift();
  const firstMemory = memory.splice(0, 1);
  resident.shift();
  bench.say('start to listening, s', { value: median(starts.map(({ value }) => value)) });
  bench.say('memory idle, MiB', { value: median(memory.map(({ value }) => value)) });
  const common = { better: 'less' } as const;
  return [
    {
      ...common,
      name: 'start to listening (not the first, which makes keys)',
      unit: 's',
      limit: { atLeast: 1, aim: 0.3 },
      samples: new Map([[OURS, starts]]),
    },
    {
      ...common,
      name: 'memory idle (PSS; not the first start)',
      unit: 'MiB',
      limit: { atLeast: 90, aim: 60 },
      samples: new Map([[OURS, memory]]),
    },
    {
      ...common,
      name: 'memory idle (RSS: with the pages that it shares with other Node processes)',
      unit: 'MiB',
      samples: new Map([[OURS, resident]]),
    },
    {
      ...common,
      name: 'memory idle after the first start of all (PSS)',
      unit: 'MiB',
      samples: new Map([[OURS, firstMemory]]),
    },
  ];
}

/** Postern (TLS always: it takes no login without) and Dovecot where it is installed. */
async function startTargets(
  bench: Bench,
  users: number,
  kind: 'tls' | 'clear',
): Promise<readonly Target[]> {
  const dovecot = await startDovecot({ folder: bench.folder('dovecot'), users }).catch(
    () => undefined,
  );
  const targets: Target[] = [];
  if (dovecot !== undefined) {
    for (let number = 0; number < users; number += 1) {
      const home = path.join(dovecot.mail, `u${number}`);
      mkdirSync(home, { recursive: true });
      chownSync(home, 65_534, 65_534);
    }
    targets.push({
      name: kind === 'tls' ? DOVECOT : DOVECOT_CLEAR,
      group: dovecot.group,
      user: (number) => `u${number}`,
      connect: () =>
        kind === 'tls'
          ? ImapClient.connect(dovecot.tlsPort, true)
          : ImapClient.connect(dovecot.clearPort, false),
      stop: dovecot.stop,
    });
  }
  if (kind === 'clear') return targets;
  const folder = bench.folder('postern');
  // The first start makes keys and tests itself: its garbage is not that of connections.
  await (await startPostern({ folder, users })).stop();
  const postern = await startPostern({ folder });
  const ours: Target = {
    name: OURS,
    group: postern.group,
    user: (number) => `u${number}@bench.test`,
    connect: () => ImapClient.connect(postern.port('imaps'), true),
    stop: postern.stop,
  };
  return [ours, ...targets];
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
