/** docs/performance.md, made from what a run measured. */

import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import { ROOT } from '../laws/tree.ts';
import { type Goal, OURS, type Row, median, ratios, short, spread } from './figures.ts';
import { accounting } from './group.ts';
import { loadArguments } from './smtp-load.ts';
import { dovecotConfiguration } from './targets/dovecot.ts';
import { harakaConfiguration, smtpServerProgram } from './targets/npm-peers.ts';
import { configuration } from './targets/postern.ts';
import { postfixConfiguration } from './targets/postfix.ts';

export interface RunFacts {
  readonly startedAt: Date;
  readonly minutes: number;
  readonly quick: boolean;
  readonly repetitions: number;
  readonly cellSeconds: number;
  /** What was measured, by name and version. */
  readonly versions: readonly string[];
  /** Load average of the machine at the start, the peak between rows, and at the end. */
  readonly loads: readonly number[];
  readonly noise: string;
  readonly skipped: readonly string[];
}

/** The whole page. */
export function page(rows: readonly Row[], facts: RunFacts): string {
  return [
    '# Performance',
    '<!-- Written by `npm run bench`; the notes come from test/bench/notes.md. -->',
    INTRODUCTION,
    '## Ratios',
    RATIOS,
    ratioTable(rows),
    FIGURE_GOALS,
    figureGoals(rows),
    readFileSync(path.join(ROOT, 'test/bench/notes.md'), 'utf8').trim(),
    '## Figures',
    'Median (smallest-largest) of the repetitions. CPU: processor seconds of the server, all its\nprocesses, for 1,000 messages or logins; for IMAP commands, seconds for the one command. Of acceptance with what the server did\nbehind it (Postern: the search index), until all servers were at rest; how much that was stands beside it.',
    figureTable(rows),
    '## How it was measured',
    method(facts),
    '## Options',
    options(),
    '',
  ].join('\n\n');
}

const INTRODUCTION = `What Postern does in a second beside the servers that people run today, on the same machine, in one run,
interleaved. Figures of one machine say little about another; the ratios say more. Repeat them with \`npm run bench\`
(\`-- --quick\`: four minutes, less exact).`;

const RATIOS = `More than 1: Postern does more in the same time, or needs less. Each repetition gives one ratio, of runs that
followed one another; the median and the range of these are shown. "At least" and "aim" are what was asked for before anything was measured.`;

const FIGURE_GOALS = `The factors were set from an earlier measurement of the peers, who do other figures in this run. What the factors stood for then, in
messages a second, is no verdict (that is the ratio above), but says how far Postern's own figure is from what was in mind.`;

function ratioTable(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) =>
    row.limit === undefined ? goalLines(row) : [limitLine(row, row.limit)],
  );
  return [
    '| work | against | ratio | CPU ratio | at least | aim | |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

function goalLines(row: Row): readonly string[] {
  return (row.goals ?? []).flatMap((goal) => {
    const values = ratios(row, goal.against, ({ value }) => value);
    if (values.length === 0) return [];
    const cells = [
      `${row.name}`,
      goal.against,
      times(values),
      cpuRatio(row, goal),
      `${short(goal.atLeast)}x${goal.cpuAtLeast === undefined ? '' : `, CPU 1/${goal.cpuAtLeast}`}`,
      `${short(goal.aim)}x${goal.cpuAim === undefined ? '' : `, CPU 1/${goal.cpuAim}`}`,
      goalReached(row, goal, median(values)),
    ];
    return [`| ${cells.join(' | ')} |`];
  });
}

/** What the factors stood for where they were set: the peers do other figures here. */
function figureGoals(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) =>
    (row.goals ?? []).flatMap(({ against, peerThen, atLeast }) => {
      const ours = (row.samples.get(OURS) ?? []).map(({ value }) => value);
      const theirs = (row.samples.get(against) ?? []).map(({ value }) => value);
      if (peerThen === undefined || ours.length === 0 || theirs.length === 0) return [];
      const [asked, now] = [peerThen * atLeast, median(ours)];
      const peer = `${short(peerThen)} | ${short(median(theirs))}`;
      const verdict = now >= asked ? 'yes' : 'no';
      return [
        `| ${row.name} | ${against} | ${peer} | ${short(asked)} | ${short(now)} | ${verdict} |`,
      ];
    }),
  );
  return [
    '| work | against | it did then | it does here | asked, in figures | Postern here | so much |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

function limitLine(row: Row, limit: { atLeast: number; aim: number }): string {
  const value = median((row.samples.get(OURS) ?? []).map((sample) => sample.value));
  const [least, aim] = [`${limit.atLeast} ${row.unit}`, `${limit.aim} ${row.unit}`];
  const verdict = reached([1 / value, 1 / limit.atLeast, 1 / limit.aim]);
  return `| ${row.name} | | ${short(value)} ${row.unit} | | ${least} | ${aim} | ${verdict} |`;
}

function cpuRatio(row: Row, goal: Goal): string {
  const values = cpuRatios(row, goal);
  return values.length === 0 ? '' : times(values);
}

function cpuRatios(row: Row, { against }: Goal): number[] {
  return ratios(row, against, ({ cpu }) => cpu ?? NaN);
}

/** Where processor time was asked for as well, both count. */
function goalReached(row: Row, goal: Goal, value: number): string {
  const { atLeast, aim, cpuAtLeast = 0, cpuAim = 0 } = goal;
  const cpu = cpuAtLeast === 0 ? 0 : median(cpuRatios(row, goal));
  return reached([value, atLeast, aim], [cpu, cpuAtLeast, cpuAim]);
}

function times(values: readonly number[]): string {
  return values.length === 1
    ? `**${short(median(values))}x**`
    : `**${short(median(values))}x** (${short(Math.min(...values))}-${short(Math.max(...values))})`;
}

/** The verdict on measured factors, each with what was asked at least and what was aimed at. */
function reached(...factors: (readonly [value: number, atLeast: number, aim: number])[]): string {
  if (factors.every(([value, , aim]) => value >= aim)) return 'aim reached';
  return factors.every(([value, atLeast]) => value >= atLeast) ? 'reached' : 'NOT reached';
}

function figureTable(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) =>
    [...row.samples].map(([target, samples]) => {
      const values = samples.map(({ value }) => value);
      const cpu = samples.flatMap((sample) => sample.cpu ?? []);
      const later = samples.flatMap(({ laterCpu }) => laterCpu ?? []);
      const cells = [row.name, target, spread(values), row.unit, spread(cpu)];
      return `| ${cells.join(' | ')} | ${later.length === 0 ? '' : short(median(later))} | ${values.length} |`;
    }),
  );
  return [
    '| work | server | median (range) | unit | CPU | of it behind | n |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

function method(facts: RunFacts): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `- Run: ${facts.startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${facts.minutes.toFixed(0)} minutes${facts.quick ? ', --quick' : ''}.
- Machine: ${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${gib} GiB, Linux ${release()}; client and server share it.
  Files on the disk below /var/tmp (ext4).
- Noise: load average ${facts.loads.map((load) => load.toFixed(1)).join(', ')} (start, peak, end; the load of the bench itself is about 2). ${facts.noise}
- Measured: ${facts.versions.join('; ')}.
${facts.skipped.length === 0 ? '' : `- Skipped: ${facts.skipped.join('; ')}.\n`}- SMTP load: smtp-source of Debian's Postfix (no pipelining; one transaction after another in each session), about
  ${facts.cellSeconds} s a cell after a warm-up of three cells
  with 50 sessions and a calibration, ${facts.repetitions} repetitions, the servers in turn within each repetition, each when all of them had been at rest for 1.5 s
  and 2 GiB of memory had just been written to and given back (see above, Memory at hand):
  \`smtp-source ${loadArguments({ sessions: 50, bytes: 1_024 }, 'MESSAGES').join(' ')}\`; without \`-d\` for one connection a message.
  The rows of acceptance are measured on the same running servers, the others on new ones. Beside those of 1 KiB stand two that are no mail servers, for what
  load, machine and runtime allow at most: Postfix' smtp-sink, and \`test/bench/targets/bare-server.ts\`, some 70 lines that answer without looking and write one row a message with Postern's settings of SQLite.
- Processor time: ${accounting()}. Memory: proportional set size of all its processes.
- IMAP: one mailbox with the same messages of about 2 KiB on both sides, a client that reads octets and looks for the tagged line only.
  Postern takes no login without TLS, so both sides are measured with TLS (AES-GCM, TLS 1.3); Dovecot in clear is shown beside it.
  All commands run once, unmeasured, on each server first: what is measured is a server that runs.
- Durable on both sides: Postern answers after the commit (SQLite, \`synchronous=FULL\`, WAL); for a local recipient the message is then in the mailbox with
  everything that IMAP needs, and the ledger has its entry. Postfix with HOLD answers when its queue file is on disk and does no more. Both log to a file at their default level.
- \`smtpd_client_connection_count_limit = 0\`, because the load comes from one address. Every other default is on, security included.`;
}

function options(): string {
  const haraka = harakaConfiguration('PORT', undefined);
  const blocks: readonly (readonly [string, string])[] = [
    ['Postern (for the relay row also `relayhost = "[127.0.0.1]:SINK"`)', configuration()],
    [
      "Postfix, main.cf with HOLD; master.cf is Debian's without chroot",
      postfixConfiguration({ folder: 'FOLDER', port: 0, mode: 'hold' }),
    ],
    [
      'Postfix, relay: instead of the last line',
      postfixConfiguration({ folder: 'FOLDER', port: 0, mode: 'relay' })
        .split('\n')
        .slice(-6)
        .join('\n'),
    ],
    ['Dovecot', dovecotConfiguration('FOLDER', 1143, 1993)],
    [
      'Haraka (to keep; to relay without `disabled=true`)',
      Object.entries(haraka)
        .map(([name, text]) => `# ${name}\n${text}`)
        .join('\n'),
    ],
    ['smtp-server', smtpServerProgram('PORT')],
  ];
  return blocks
    .map(([title, text]) => `### ${title}\n\n\`\`\`\n${text.trim()}\n\`\`\``)
    .join('\n\n');
}
