/** What every row is handed: how long, how often, where to keep things, whom to tell. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Row, type Sample, short } from './figures.ts';

export interface Bench {
  readonly quick: boolean;
  readonly cellSeconds: number;
  readonly repetitions: number;
  /** A folder that is new at each call. */
  folder(name: string): string;
  say(what: string, sample: Sample): void;
}

/** One measurement or a few that share their servers. */
export interface Measurement {
  readonly id: string;
  run(bench: Bench): Promise<Row | readonly Row[]>;
}

/** On the disk, not in memory: to make mail durable must cost what it costs. */
const PLACE = '/var/tmp';

export function makeBench(quick: boolean): Bench & { remove(): void } {
  const root = mkdtempSync(path.join(PLACE, 'postern-bench-'));
  // The peers' own users must get through to their folders.
  chmodSync(root, 0o755);
  let folders = 0;
  return {
    quick,
    cellSeconds: quick ? 0.7 : 2,
    repetitions: quick ? 1 : 4,
    folder: (name) => {
      folders += 1;
      const folder = path.join(root, `${folders}`, name);
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      return folder;
    },
    say: (what, { value, cpu }) => {
      const rest = cpu === undefined ? '' : `, ${short(cpu)} CPU s/1000`;
      process.stdout.write(`${what}: ${short(value)}${rest}\n`);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
