/** The lab's results as text: for the terminal, and as docs/lab.md. */

import { type Cell, countCells, PRODUCT, type Row } from './matrix.ts';
import type { PeerRow } from './peers.ts';
import type { Case } from './profile.ts';

export interface Measured {
  readonly cases: readonly Case[];
  /** Of the first run. */
  readonly rows: readonly Row[];
  readonly runs: number;
  /** `case check` of which the runs say different things. */
  readonly unsteady: readonly string[];
  readonly seconds: number;
  /** Cases that ran alone after that. */
  readonly later: readonly string[];
  readonly peers: readonly PeerRow[];
  /** Over a slow way, at level safe. */
  readonly slow: readonly Row[];
}

const WRONG: ReadonlySet<Cell> = new Set(['FP', 'FN']);
const HEAD = ['TP', 'FP', 'TN', 'FN', 'open', 'free', 'untried'] as const;

/** A line a case, then every cell that is wrong; `verbose`: those that are open too. */
export function terminalTable(rows: readonly Row[], verbose: boolean): string {
  const names = [...new Set(rows.map((row) => row.case))];
  const lines = names.map((name) => {
    const counts = countCells(rows.filter((row) => row.case === name));
    return `${name.padEnd(12)} ${HEAD.map((cell) => `${cell} ${counts[cell]}`).join(' ')}`;
  });
  const told = rows
    .filter(({ cell }) => WRONG.has(cell) || (verbose && cell === 'open'))
    .map(
      ({ case: name, check, cell, told: said, seen }) =>
        `${cell} ${name} ${check} ${said}: ${seen}`,
    );
  return `${[...lines, ...told].join('\n')}\n`;
}

/** docs/lab.md. */
export function labPage({
  cases,
  rows,
  runs,
  unsteady,
  seconds,
  later,
  peers,
  slow,
}: Measured): string {
  const all = countCells(rows);
  const caseRows = cases.map((one) => {
    const counts = countCells(rows.filter((row) => row.case === one.id));
    const planted = one.planted.length === 0 ? '' : one.planted.map((id) => `\`${id}\``).join(' ');
    return [one.id, one.what, ...HEAD.slice(0, 5).map((cell) => `${counts[cell]}`), planted];
  });
  const steady =
    runs === 1
      ? 'One run.'
      : `${runs} runs; ${unsteady.length === 0 ? 'all told the same where the profile decides' : `different: ${unsteady.join(', ')}`}.`;
  const checks = new Set(rows.map(({ check }) => check).filter((id) => id !== PRODUCT)).size;
  const since = later.length === 0 ? '' : ` Run alone after that: ${later.join(', ')}.`;
  return `# The lab

Made by \`npm run lab -- --write\` (root, Debian): real servers from Debian's packages, each profile in a file system
and on a loopback address of its own, in a network, mount and process namespace that ends with everything in it. The
auditor runs as its users run it, from 127.66.0.1, which no server trusts. What must be told stands in
\`test/lab/profiles\` (what is planted and its cure) and \`test/lab/stock\` (what the server shows as it comes), each
line with the setting it follows from; \`test/lab/truth.json\` is both together. A check counts once for a server, over
all its ports: found (confirmed or likely), not there, or not to be told.

- **TP** there and found; **FN** there and not found (or not to be told); **TN** not there and not found; **FP** not
  there and found; **open** not there, and told as inconclusive with the reason.
- Not counted: checks of a level that the profile does not run, and those that its configuration does not decide.
- \`product\`: the fingerprint of every port must name the program; "unknown" counts as missed, another name as false.

${cases.length} servers, ${checks} checks and the product's name: **TP ${all.TP}, FP ${all.FP}, TN ${all.TN}, FN ${all.FN}**, open ${all.open}. ${steady} ${seconds.toFixed(0)} s a run.${since}

${table(['profile', 'server', ...HEAD.slice(0, 5), 'planted'], caseRows)}

W01 to W22 are odd but usual servers: deep postscreen, callouts, filters and restrictions at connect, proxies that are
trusted, IPv6 alone, tarpits, throttles, soft bounces. Where such a server lets nobody ask, the auditor must say so
(open), and nothing else. N20 to N45 are zones, some with a server beside them; their certificates are good to the
auditor, which is told of the lab's own authority. Transcripts that the truth was taken from are made by
\`npm run lab -- --only P01 --by-hand PROGRAM\`, which starts the server and runs the program with its address.

Not here: SSLv2, SSLv3, export and broken ciphers, and heartbeat, which no library of today speaks
(\`test/flow/audit-tls.test.ts\` makes their hellos by hand); other protocols' injection at STARTTLS
(\`test/flow/audit-injection.test.ts\`). The auditor sends no heartbeat, and looks at no salts of SCRAM.

## By check

Checks that are there in some profile: how often found, missed, rightly absent, falsely told.

${table(['check', 'TP', 'FN', 'TN', 'FP'], checkRows(rows))}

## Beside nmap and smtp-user-enum

The same servers, one after the other, Postern at level safe. nmap 7.93 with \`-sV\` and its scripts
\`smtp-commands\`, \`smtp-open-relay\`, \`smtp-enum-users\`, \`smtp-ntlm-info\`, \`smtp-strangeport\`, \`imap-capabilities\`,
\`pop3-capabilities\`; with those it cannot choose its source address and comes from the server's
own (OpenSMTPD and sendmail trust it: their open relays are none to a stranger). Debian has no smtp-user-enum: its method (RCPT, a connection a
name, five workers, no angle brackets, any 2xx is a user) is a stand-in of our own, given the same
40 names of which 3 exist. Connections are those opened meanwhile. Names a second on a stock Postfix are
measured by \`test/interop/auditor-postfix.test.ts\`.

${table(['profile', 'tool', 'seconds', 'connections', 'what it said'], peers.map(peerCells))}

## Over a slow way

\`npm run lab -- --delay\`: some of the servers at level safe behind a proxy that holds each piece back by 25 to 150 ms each
way (another time for each, so 50 to 300 ms there and back) and passes it on octet by octet. The truth is the same;
what is there and becomes inconclusive counts as FN. (The kernel's own delay, \`tc netem\`, is not everywhere; the proxy needs
nothing.)

${table(['profile', ...HEAD.slice(0, 5), 'inconclusive'], slowRows(slow))}
`;
}

function checkRows(rows: readonly Row[]): string[][] {
  const checks = [...new Set(rows.map(({ check }) => check))].toSorted();
  return checks.flatMap((check) => {
    const { TP, FN, TN, FP } = countCells(rows.filter((row) => row.check === check));
    return TP + FN + FP === 0 ? [] : [[`\`${check}\``, `${TP}`, `${FN}`, `${TN}`, `${FP}`]];
  });
}

function slowRows(rows: readonly Row[]): string[][] {
  return [...new Set(rows.map((row) => row.case))].map((name) => {
    const own = rows.filter((row) => row.case === name);
    const counts = countCells(own);
    const unclear = own.filter(({ told }) => told === 'unclear').map(({ check }) => `\`${check}\``);
    return [name, ...HEAD.slice(0, 5).map((cell) => `${counts[cell]}`), unclear.join(' ')];
  });
}

function peerCells({ profile, tool, ms, connections, said }: PeerRow): string[] {
  return [profile, tool, (ms / 1_000).toFixed(1), `${connections}`, said.replaceAll('|', '\\|')];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
