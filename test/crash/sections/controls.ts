/** Builds with one line wrong: the harness must find each of them out, else it proves nothing. */

import { OPERATIONS } from '../operations.ts';
import { EARLY, FORGETFUL, makeBuild, NAMELESS, NORMAL, type Mutant } from '../mutants.ts';
import type { Report } from '../report.ts';
import { Stage, type Surroundings } from '../stage.ts';
import { killAt } from './every-call.ts';
import { cutAtAnswer } from './power-cut.ts';
import { loadAndKill } from './random-kill.ts';
import { forgetAtAnswer } from './strict-disk.ts';

interface Control {
  readonly by: string;
  readonly mutant: Mutant;
  readonly attempts: number;
  readonly attempt: (stage: Stage, number: number) => Promise<string[]>;
}

const TRIES = 5;
const operation = (name: string) => OPERATIONS.find((one) => one.name === name)!;

const BY_KILL: readonly Control[] = [
  {
    by: 'SIGKILL under load',
    mutant: EARLY,
    attempts: 40,
    attempt: async (stage) => {
      await loadAndKill(stage);
      await stage.start();
      return stage.check();
    },
  },
];

const BY_STRACE: readonly Control[] = [
  {
    by: 'SIGKILL before a system call',
    mutant: EARLY,
    attempts: TRIES,
    // Later calls are later in the commit, so the reply has the better start.
    attempt: (stage, number) => killAt(stage, operation('delivery'), { call: 'pwrite64', number }),
  },
  ...[NORMAL, EARLY].map((mutant) => ({
    by: 'strict disk',
    mutant,
    attempts: TRIES,
    attempt: (stage: Stage) => forgetAtAnswer(stage, operation('delivery')),
  })),
  ...[NAMELESS, FORGETFUL].map((mutant) => ({
    by: 'strict disk',
    mutant,
    attempts: TRIES,
    attempt: (stage: Stage) => forgetAtAnswer(stage, operation('large')),
  })),
];

const BY_CUT: readonly Control[] = [
  {
    by: 'power cut',
    mutant: NORMAL,
    attempts: TRIES,
    attempt: (stage) => cutAtAnswer(stage, operation('delivery')),
  },
  {
    by: 'power cut',
    mutant: EARLY,
    attempts: TRIES,
    attempt: (stage) => cutAtAnswer(stage, operation('delivery')),
  },
  {
    by: 'power cut',
    mutant: FORGETFUL,
    attempts: TRIES,
    attempt: (stage) => cutAtAnswer(stage, operation('large')),
  },
];

/** Without root and without strace. */
export const killControls = (report: Report, surroundings: Surroundings) =>
  controls(report, surroundings, BY_KILL);

export const straceControls = (report: Report, surroundings: Surroundings) =>
  controls(report, surroundings, BY_STRACE);

/** The surroundings' disk must be one that can be cut. */
export const cutControls = (report: Report, surroundings: Surroundings) =>
  controls(report, surroundings, BY_CUT);

/** How many there are of each kind, to be skipped by name. */
export const CONTROL_NAMES = {
  strace: BY_STRACE.map(nameOf),
  cut: BY_CUT.map(nameOf),
};

function nameOf({ by, mutant }: Control): string {
  return `control: ${by} finds out that ${mutant.why}`;
}

async function controls(
  report: Report,
  surroundings: Surroundings,
  list: readonly Control[],
): Promise<void> {
  for (const [number, control] of list.entries()) {
    const { mutant, attempts, by } = control;
    await report.case(nameOf(control), async () => {
      const build = makeBuild(surroundings.folder, mutant);
      const name = `control-${by.replaceAll(' ', '-')}-${number}`;
      const stage = await Stage.open({ ...surroundings, build }, name);
      try {
        for (let attempt = 1; attempt <= attempts; attempt += 1) {
          const problems = await control.attempt(stage, attempt);
          if (problems.length === 0) continue;
          report.say(`${nameOf(control)}: attempt ${attempt}: ${problems[0]}`);
          return [];
        }
      } finally {
        await stage.close();
      }
      return [`not found out in ${attempts} attempts`];
    });
    report.add('control that must be found out', 1);
  }
}
