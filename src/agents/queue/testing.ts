/** A queue on a bench: a clock, a store and agents for tests, wired to a real runner. */

import type { TransferJob } from '../transfer/job.ts';
import { QUEUE_OPTIONS, type QueueOptions, type QueueRunner, queueRunner } from './runner.ts';
import { type Fate, TestIntake, TestNotifier, TestTransfer } from './testing-agents.ts';
import { TestStore } from './testing-store.ts';
import { TestClock, TestLog, noChance, noMetrics } from './testing-world.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface Bench {
  readonly clock: TestClock;
  readonly store: TestStore;
  readonly transfer: TestTransfer;
  readonly intake: TestIntake;
  readonly notify: TestNotifier;
  readonly log: TestLog;
  readonly runner: QueueRunner;
}

export interface BenchOptions {
  readonly fate?: (job: TransferJob, number: number) => Fate;
  readonly wait?: (job: TransferJob, clock: TestClock) => Promise<void>;
  readonly options?: Partial<QueueOptions>;
  readonly store?: TestStore;
  readonly clock?: TestClock;
}

export function bench(setup: BenchOptions = {}): Bench {
  const clock = setup.clock ?? new TestClock();
  const store = setup.store ?? new TestStore(clock);
  const { wait } = setup;
  const transfer = new TestTransfer(
    setup.fate ?? (() => 'delivered'),
    wait === undefined ? undefined : (job) => wait(job, clock),
  );
  const intake = new TestIntake(clock);
  const notify = new TestNotifier();
  const log = new TestLog();
  // A simulated day has fewer idle wakings with this.
  const options = { ...QUEUE_OPTIONS, idleMs: 15 * MINUTE, ...setup.options };
  const runner = queueRunner({
    store: store.store,
    transfer,
    intake,
    notify,
    clock,
    random: noChance,
    log,
    metrics: noMetrics,
    options,
  });
  runner.start();
  return { clock, store, transfer, intake, notify, log, runner };
}

export function after(ms: number): (job: TransferJob, clock: TestClock) => Promise<void> {
  return (_job, clock) => new Promise((resolve) => void clock.after(ms, resolve));
}

/** Notices about a message, as kind and names. */
export function notices(store: TestStore): string[] {
  return store.notices.map(({ ledger }) => {
    const facts = ledger[0]?.facts;
    return `${String(facts?.['about'])} ${String(facts?.['names'])}`;
  });
}
