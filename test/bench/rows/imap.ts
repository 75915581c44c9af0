/** Rows of IMAP on one mailbox of 20,000 messages: reading, searching, flags, APPEND. */

import { chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Bench } from '../bench.ts';
import { type Goal, OURS, type Row, type Sample } from '../figures.ts';
import { ImapClient } from '../imap-client.ts';
import { message } from '../mail.ts';
import { memoryAtHand } from '../memory.ts';
import { atRest } from '../rest.ts';
import { type Dovecot, startDovecot } from '../targets/dovecot.ts';
import { PASSWORD, type Postern, startPostern } from '../targets/postern.ts';
import type { Group } from '../group.ts';

export const DOVECOT = 'Dovecot, TLS';
export const DOVECOT_CLEAR = 'Dovecot, clear';

/** A server that can be read, and how its memory of earlier readings is dropped. */
interface Target {
  readonly name: string;
  readonly group: Group;
  readonly user: string;
  connect(): Promise<ImapClient>;
  forget(): void;
}

interface Step {
  readonly name: string;
  readonly goal?: Omit<Goal, 'against'>;
  run(client: ImapClient, repetition: number): Promise<unknown>;
}

const APPENDS = 1_000;
const FIELDS = 'BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)]';
const STEPS: readonly Step[] = [
  { name: 'SELECT', run: (client) => client.command('SELECT INBOX') },
  fetching('FETCH 1:* (FLAGS UID)', { atLeast: 1, aim: 1.05 }),
  { ...fetching('FETCH 1:* (ENVELOPE)', { atLeast: 4, aim: 4 }), name: 'ENVELOPE, first time' },
  { ...fetching('FETCH 1:* (ENVELOPE)', { atLeast: 1, aim: 1.05 }), name: 'ENVELOPE, again' },
  { ...fetching(`FETCH 1:* ${FIELDS}`, { atLeast: 1, aim: 1.05 }), name: FIELDS },
  {
    name: 'the same and a field never asked for before',
    goal: { atLeast: 1, aim: 1.05 },
    run: (client, repetition) => client.command(`FETCH 1:* ${fieldsAnd(`X-NEW-${repetition}`)}`),
  },
  fetching('FETCH 1:* (BODY.PEEK[])', { atLeast: 1, aim: 1.05 }),
  fetching('SEARCH SUBJECT quarterly', { atLeast: 1, aim: 2 }),
  fetching('SEARCH TEXT zanzibar', { atLeast: 10, aim: 50 }),
  fetching('STORE 1:* +FLAGS (\\Seen)', { atLeast: 1, aim: 3 }),
  fetching('STORE 1:* -FLAGS.SILENT (\\Seen)', { atLeast: 1, aim: 3 }),
  {
    name: `APPEND ${APPENDS}, one after another`,
    goal: { atLeast: 2, aim: 5 },
    run: async (client, repetition) => {
      await client.command(`CREATE Filed${repetition}`);
      for (let number = 0; number < APPENDS; number += 1) {
        await client.command(`APPEND Filed${repetition}`, message(number));
      }
    },
  },
];

/** What neither server has in a cache. */
function fieldsAnd(name: string): string {
  return FIELDS.replace(')', ` ${name})`);
}

function fetching(command: string, goal: Omit<Goal, 'against'>): Step {
  return { name: command, goal, run: (client) => client.command(command) };
}

export const imapRows = { id: 'imap', run: measure };

async function measure(bench: Bench): Promise<Row[]> {
  const messages = bench.quick ? 2_000 : 20_000;
  const postern = await startPostern({ folder: bench.folder('postern') });
  const dovecot = await startDovecot({ folder: bench.folder('dovecot'), users: 1 }).catch(
    () => undefined,
  );
  const samples = STEPS.map(() => new Map<string, Sample[]>());
  try {
    const targets = [ours(postern), ...(dovecot === undefined ? [] : theirs(dovecot))];
    await fillPostern(postern, messages);
    if (dovecot !== undefined) fillDovecot(dovecot, messages);
    const repetitions = bench.quick ? 2 : REPETITIONS;
    // As on a server that runs: code compiled, caches filled, on both sides; not measured.
    const unmeasured = STEPS.map(() => new Map<string, Sample[]>());
    for (const target of targets) await repeat(quiet(bench), target, WARM_UP, unmeasured);
    const groups = targets.map(({ group }) => group);
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      for (const target of targets) {
        await atRest(groups);
        await memoryAtHand(bench);
        await repeat(bench, target, repetition, samples);
      }
    }
  } finally {
    await postern.stop();
    await dovecot?.stop();
  }
  return STEPS.map(({ name, goal }, index) => ({
    name: `${name}, ${messages.toLocaleString('en-US')} messages`,
    unit: 'ms',
    better: 'less',
    ...(goal === undefined ? {} : { goals: [{ ...goal, against: DOVECOT }] }),
    samples: samples[index] ?? new Map(),
  }));
}

/** More than of the rows of acceptance: one command takes some 10 ms, and the first of each kind varies most. */
const REPETITIONS = 7;
/** The number of the repetition that is not measured. */
const WARM_UP = 99;

function quiet(bench: Bench): Bench {
  return { ...bench, say: () => undefined };
}

/** All steps on one connection to one target. */
async function repeat(
  bench: Bench,
  target: Target,
  repetition: number,
  samples: readonly Map<string, Sample[]>[],
): Promise<void> {
  target.forget();
  const client = await target.connect();
  await client.command(`LOGIN ${target.user} ${PASSWORD}`);
  for (const [index, step] of STEPS.entries()) {
    const cpu = target.group.cpuSeconds();
    const start = performance.now();
    await step.run(client, repetition);
    const value = performance.now() - start;
    const sample = { value, cpu: target.group.cpuSeconds() - cpu };
    const map = samples[index];
    map?.set(target.name, [...(map.get(target.name) ?? []), sample]);
    bench.say(`${step.name} | ${target.name}`, sample);
  }
  await client.command(`DELETE Filed${repetition}`);
  client.close();
}

function ours(postern: Postern): Target {
  return {
    name: OURS,
    group: postern.group,
    user: 'u0@bench.test',
    connect: () => ImapClient.connect(postern.port('imaps'), true),
    // Its facts are computed at delivery: there is nothing to forget.
    forget: () => undefined,
  };
}

/** The first ENVELOPE is measured without the cache that the one before has left. */
function theirs(dovecot: Dovecot): Target[] {
  const forget = (): void => {
    const maildir = path.join(dovecot.mail, 'u0');
    for (const name of readdirSync(maildir)) {
      if (name.startsWith('dovecot.index.cache')) rmSync(path.join(maildir, name));
    }
  };
  const common = { group: dovecot.group, user: 'u0', forget };
  return [
    { ...common, name: DOVECOT, connect: () => ImapClient.connect(dovecot.tlsPort, true) },
    { ...common, name: DOVECOT_CLEAR, connect: () => ImapClient.connect(dovecot.clearPort, false) },
  ];
}

/** By APPEND, over a few connections: the octets are then the same as in the Maildir. */
async function fillPostern(postern: Postern, messages: number): Promise<void> {
  const connections = 4;
  const each = messages / connections;
  const fill = async (first: number): Promise<void> => {
    const client = await ImapClient.connect(postern.port('imaps'), true);
    await client.command(`LOGIN u0@bench.test ${PASSWORD}`);
    for (let number = first; number < first + each; number += 50) {
      const batch = Array.from(
        { length: Math.min(50, first + each - number) },
        (_, index) => ['APPEND INBOX', message(number + index)] as const,
      );
      await client.commands(batch);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => fill(index * each)));
}

function fillDovecot(dovecot: Dovecot, messages: number): void {
  const maildir = path.join(dovecot.mail, 'u0');
  for (const name of ['', 'cur', 'new', 'tmp']) {
    mkdirSync(path.join(maildir, name), { recursive: true });
    chownSync(path.join(maildir, name), 65_534, 65_534);
  }
  for (let number = 0; number < messages; number += 1) {
    const text = message(number);
    const name = `${1_760_000_000 + number * 60}.M${number}.bench,S=${text.length},W=${text.length}:2,`;
    const file = path.join(maildir, 'cur', name);
    writeFileSync(file, text);
    chownSync(file, 65_534, 65_534);
  }
}
