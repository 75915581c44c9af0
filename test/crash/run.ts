/** `npm run crash`: everything that can be cut is cut, and every time all that is there is judged. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startSink } from '../world/smtp-sink.ts';
import { chanceFrom } from './chance.ts';
import { whyNoCut } from './cutter.ts';
import { type Disk, ext4Disk, plainDisk, smallDisk } from './disk.ts';
import { makeBuild } from './mutants.ts';
import { OPERATIONS, STOP } from './operations.ts';
import { Report } from './report.ts';
import { CONTROL_NAMES, cutControls, killControls, straceControls } from './sections/controls.ts';
import { everyCall } from './sections/every-call.ts';
import { faults, killsAfterFailedSync } from './sections/faults.ts';
import { fullDisk } from './sections/full-disk.ts';
import { cutsAtAnswer, cutsInRecovery, cutsUnderLoad } from './sections/power-cut.ts';
import { killsInRecovery, randomKills } from './sections/random-kill.ts';
import { sweeps } from './sections/sweep.ts';
import { firstStart, strictDisk } from './sections/strict-disk.ts';
import { Template } from './server.ts';
import type { Surroundings } from './stage.ts';
import { hasStrace } from './strace.ts';

const USAGE = `node test/crash/run.ts [options]
  --quick         a sample of everything, in less than two minutes
  --seed TEXT     the same choices again (not the same timing)
  --rounds N      so many times the rounds of what is cut by chance
  --minutes N     begin nothing after so long; default 15, quick 1.6
  --only REGEX    only those sections whose name matches
  --lanes N       servers at a time; default 2
`;

interface Section {
  readonly name: string;
  readonly needs?: 'strace' | 'cut' | 'root';
  readonly disk: () => Disk;
  readonly run: (report: Report, surroundings: Surroundings) => Promise<void>;
}

/** Name spaces that end with us, and everything in them. */
const HIDDEN = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now()) },
    rounds: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    only: { type: 'string', default: '' },
    lanes: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(USAGE);
else if (process.env['POSTERN_CRASH_INSIDE'] === undefined && canHide()) hide();
else process.exitCode = await crash();

/** The sections, in the order in which lanes take them. */
function sections(isQuick: boolean, rounds: number): Section[] {
  const points = isQuick ? 1 : Number.MAX_SAFE_INTEGER;
  const all = [...OPERATIONS, STOP];
  const groups = isQuick ? [all.slice(0, 9), all.slice(9)] : all.map((operation) => [operation]);
  return [
    { name: 'controls of strace', needs: 'strace', disk: plainDisk, run: straceControls },
    { name: 'controls of power cuts', needs: 'cut', disk: ext4Disk, run: cutControls },
    {
      name: 'power cuts at the answer',
      needs: 'cut',
      disk: ext4Disk,
      run: (report, around) => cutsAtAnswer(report, around, isQuick ? 1 : 5 * rounds),
    },
    {
      name: 'recovery',
      needs: 'strace',
      disk: plainDisk,
      run: (report, around) => killsInRecovery(report, around, isQuick ? 4 : 60 * rounds),
    },
    {
      name: 'strict disk',
      needs: 'strace',
      disk: plainDisk,
      run: (report, around) => strictDisk(report, around, isQuick ? 1 : 3 * rounds),
    },
    {
      name: 'power cuts under load',
      needs: 'cut',
      disk: ext4Disk,
      run: (report, around) => cutsUnderLoad(report, around, isQuick ? 3 : 40 * rounds),
    },
    {
      name: 'power cuts in recovery',
      needs: 'cut',
      disk: ext4Disk,
      run: (report, around) => cutsInRecovery(report, around, isQuick ? 2 : 20 * rounds),
    },
    {
      name: 'kills',
      disk: plainDisk,
      run: (report, around) => randomKills(report, around, isQuick ? 4 : 40 * rounds),
    },
    {
      name: 'faults',
      needs: 'strace',
      disk: plainDisk,
      run: (report, around) => faults(report, around, isQuick ? 7 : 1),
    },
    {
      name: 'sweep',
      needs: 'strace',
      disk: plainDisk,
      run: (report, around) => sweeps(report, around, isQuick ? 3 : Number.MAX_SAFE_INTEGER),
    },
    { name: 'first start', needs: 'strace', disk: plainDisk, run: firstStart },
    {
      name: 'failed sync',
      needs: 'strace',
      disk: plainDisk,
      run: (report, around) => killsAfterFailedSync(report, around, isQuick ? 1 : 3 * rounds),
    },
    { name: 'full disk', needs: 'root', disk: smallDisk, run: fullDisk },
    ...groups.map((operations, at): Section => {
      const name = isQuick ? `calls ${at + 1}` : `calls ${operations[0]?.name}`;
      const run: Section['run'] = (report, around) =>
        everyCall(report, around, { points, operations });
      return { name, needs: 'strace', disk: plainDisk, run };
    }),
    // Found by chance, so it takes its time: what strace finds at once is enough in a hurry.
    ...(isQuick && hasStrace()
      ? []
      : [{ name: 'controls of kills', disk: plainDisk, run: killControls }]),
  ];
}

async function crash(): Promise<number> {
  const { quick, seed, rounds, minutes, only, lanes } = options;
  const report = new Report(Number(minutes ?? (quick ? 1.6 : 15)) * 60_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-crash-run-'));
  console.log(`seed ${seed}${quick ? ', quick' : ''}`);
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const sink = await startSink({
    hook: (line) => (line.includes('<refused@') ? '550 5.1.1 no such user here\r\n' : undefined),
  });
  const build = makeBuild(folder);
  mkdirSync(path.join(folder, 'template'));
  const template = await Template.make(path.join(folder, 'template'), build, sink.port);
  const around = { template, sink, build, folder };
  const left = sections(quick, Number(rounds)).filter(({ name }) => new RegExp(only).test(name));
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await runSection(report, next, { ...around, chance: chanceFrom(`${seed} ${next.name}`) });
    }
  };
  await Promise.all(Array.from({ length: Number(lanes) }, lane));
  await sink.close();
  return report.finish();
}

async function runSection(
  report: Report,
  { name, needs, disk: makeDisk, run }: Section,
  around: Omit<Surroundings, 'disk'>,
): Promise<void> {
  const missing = report.isOver() ? 'out of time' : whyNot(needs);
  const disk = missing === undefined ? tryDisk(makeDisk) : missing;
  if (typeof disk === 'string') {
    const controls = needs === 'cut' ? CONTROL_NAMES.cut : CONTROL_NAMES.strace;
    const names = name.startsWith('controls') ? controls : [name];
    for (const one of names) report.skip(one, disk);
    return;
  }
  try {
    await run(report, { ...around, disk });
  } catch (thrown) {
    await report.case(name, () => Promise.reject(thrown));
  } finally {
    await disk.remove();
  }
}

/** The disk, or why there is none: root in a container may not mount. */
function tryDisk(makeDisk: () => Disk): Disk | string {
  try {
    return makeDisk();
  } catch (thrown) {
    return `such a disk cannot be made here: ${String(thrown).split('\n', 1)[0]}`;
  }
}

function whyNot(needs: Section['needs']): string | undefined {
  if (needs === 'strace')
    return hasStrace() ? undefined : 'strace is not installed, or may not trace';
  if (needs === 'cut') return whyNoCut();
  if (needs === 'root') return process.getuid?.() === 0 ? undefined : 'needs root';
  return undefined;
}

/** Whether mounts and processes can be had that go with us, whatever ends us. */
function canHide(): boolean {
  return process.getuid?.() === 0 && spawnSync('unshare', [...HIDDEN, 'true']).status === 0;
}

/** Runs itself again in name spaces of its own. */
function hide(): void {
  const again = [process.execPath, import.meta.filename, ...process.argv.slice(2)];
  const child = spawn('unshare', [...HIDDEN, ...again], {
    stdio: 'inherit',
    env: { ...process.env, POSTERN_CRASH_INSIDE: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
