/** The load: smtp-source of Debian's Postfix, sized so that a cell takes about the same time. */

import { run } from '../interop/tools.ts';
import type { Sample } from './figures.ts';
import type { Group } from './group.ts';
import { atRest } from './rest.ts';

/** One way to load a server. */
export interface Cell {
  readonly sessions: number;
  readonly bytes: number;
  /** A connection for each message; else each session keeps its own. */
  readonly reconnect?: boolean;
}

/** A server that takes mail. */
export interface SmtpTarget {
  readonly name: string;
  readonly group: Group;
  readonly place: string;
  readonly recipient: string;
  /** How many messages have arrived where they should; asked until all are there. */
  readonly arrived?: () => number | Promise<number>;
}

/** How long a load may take at most. */
const LOAD_MS = 90_000;
const LARGEST_LOAD = 2e9;
const MESSAGES = 60_000;

/** The arguments, as they are shown on the page. */
export function loadArguments(
  cell: Cell,
  messages: number | string,
  target?: SmtpTarget,
): string[] {
  const kept = cell.reconnect === true ? '' : '-d ';
  const to = `${target?.recipient ?? 'RECIPIENT'} ${target?.place ?? 'HOST:PORT'}`;
  const from = '-M client.example -f sender@client.example';
  const size = `-s ${cell.sessions} -m ${messages} -l ${cell.bytes}`;
  return `${kept}${size} ${from} -t ${to}`.split(' ');
}

/** Finds how many messages take `seconds`; this is the warm-up too. */
export async function calibrate(target: SmtpTarget, cell: Cell, seconds: number): Promise<number> {
  const first = Math.max(cell.sessions * 2, cell.bytes > 1e6 ? 4 : 40);
  let rate = (await load(target, cell, first)).value;
  const second = Math.min(Math.round(rate * seconds) + cell.sessions, 20_000);
  if (second > first && cell.bytes < 1e6) rate = (await load(target, cell, second)).value;
  const most = Math.min(MESSAGES, Math.floor(LARGEST_LOAD / cell.bytes));
  return Math.min(Math.max(cell.sessions * 2, Math.round(rate * seconds)), most);
}

/** `load`, with the processor time that the server needs behind it, until all servers are at rest. */
export async function loadAndRest(
  target: SmtpTarget,
  cell: Cell,
  messages: number,
  groups: readonly Group[],
): Promise<Sample> {
  const before = target.group.cpuSeconds();
  const { value, cpu: loadCpu = 0 } = await load(target, cell, messages);
  await atRest(groups);
  const cpu = ((target.group.cpuSeconds() - before) / messages) * 1_000;
  return { value, cpu, laterCpu: cpu - loadCpu };
}

/** Sends so many messages and waits until all have arrived: messages a second, CPU for 1,000. */
export async function load(target: SmtpTarget, cell: Cell, messages: number): Promise<Sample> {
  const before = (await target.arrived?.()) ?? 0;
  const cpu = target.group.cpuSeconds();
  const start = performance.now();
  const args = loadArguments(cell, messages, target);
  const { code, output } = await run('smtp-source', args, { timeoutMs: LOAD_MS });
  if (code !== 0) throw new Error(`${target.name}: smtp-source: ${output.slice(0, 300)}`);
  while (target.arrived !== undefined && (await target.arrived()) - before < messages) {
    if (performance.now() - start > LOAD_MS) throw new Error(`${target.name}: mail is missing`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const seconds = (performance.now() - start) / 1_000;
  return {
    value: messages / seconds,
    cpu: ((target.group.cpuSeconds() - cpu) / messages) * 1_000,
  };
}
