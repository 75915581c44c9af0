/** The queue at work: wakes when rows are due, hands them to transfer, writes what came of it. */

import { Failure } from '#base/failure.ts';
import type { Metrics, Random, Timer } from '#base/world.ts';
import type { DueRecipient, QueuedMessage, QueuedRecipient } from '#store/queue.ts';
import type { Transfer, TransferJob, TransferResult } from '../transfer/job.ts';
import { type LaneJob, type LaneLimits, Lanes } from './lanes.ts';
import { type Moment, type Outcome, outcomeOf, outcomeOfRest } from './outcome.ts';
import { Rests, signOf } from './rests.ts';
import { SCHEDULE, type Schedule, horizonMs } from './schedule.ts';
import { Scan } from './scan.ts';
import { type SettlingWorld, pause, settle } from './settling.ts';
import { SteadyTime } from './steady.ts';

export interface QueueOptions extends Schedule, LaneLimits {
  readonly slotsPerDomain: number;
  /** Destinations whose rest is remembered. */
  readonly restingDomains: number;
  /** How long `stop` waits for attempts that are under way. */
  readonly stopMs: number;
  /** Rows read from disk at once. */
  readonly pageRows: number;
  /** At least so often everything is looked through: the net under timers and notifications. */
  readonly idleMs: number;
}

export interface QueueWorld extends SettlingWorld {
  readonly transfer: Transfer;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly options: QueueOptions;
}

export interface QueueRunner {
  start(): void;
  /** No new attempts; waits for those under way, at most `stopMs`. What is left stays queued. */
  stop(): Promise<void>;
  /** Looks at once for rows that are due. */
  poke(): void;
}

export const QUEUE_OPTIONS: QueueOptions = {
  ...SCHEDULE,
  slots: 100,
  slotsPerDomain: 10,
  slotsPerMessage: 25,
  unwrittenPerDomain: 20,
  recipientsPerJob: 100,
  rows: 100_000,
  rowsPerDomain: 5_000,
  restingDomains: 10_000,
  stopMs: 30_000,
  pageRows: 1_000,
  idleMs: 60_000,
};

const SHORTEST_SLEEP_MS = 100;
/**
 * A look for new rows may take a twentieth of the time. Each commit asks for one, and each looks
 * back a little (scan.ts): one for each of some hundred commits a second was a sixth of all work.
 */
const LOOK_SHARE = 20;

/** Makes the runner; everything it knows is on disk, so it may end at any time. */
export function queueRunner(world: QueueWorld): QueueRunner {
  return new Runner(world);
}

class Runner implements QueueRunner {
  readonly #world: QueueWorld;
  readonly #lanes: Lanes;
  readonly #rests: Rests;
  readonly #scan: Scan;
  readonly #steady: SteadyTime;
  readonly #jobs = new Set<Promise<void>>();
  #timer: Timer | undefined;
  #unwatch: (() => void) | undefined;
  #state: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  #awake = false;
  /** When the next look for new rows may be made. */
  #nextLookMs = Number.NEGATIVE_INFINITY;
  /** What the next look is for; `whole` when something may have been missed. */
  #wanted: 'nothing' | 'tail' | 'whole' = 'nothing';

  constructor(world: QueueWorld) {
    const { options, clock, store } = world;
    this.#world = world;
    this.#rests = new Rests(options, options.restingDomains);
    this.#lanes = new Lanes(options, (domain) => {
      const state = this.#rests.state(domain, clock.elapsed());
      // Rows for a resting destination are put off, which takes no connection and no time.
      if (state === 'resting') return Number.POSITIVE_INFINITY;
      return state === 'probe' ? 1 : options.slotsPerDomain;
    });
    this.#scan = new Scan({
      queue: store.queue,
      lanes: this.#lanes,
      clock,
      horizonMs: horizonMs(options),
      pageRows: options.pageRows,
    });
    this.#steady = new SteadyTime(clock);
  }

  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#unwatch = this.#world.store.watchQueue((rows) => {
      if (rows === undefined) this.#wake('tail');
      else this.#offer(rows);
    });
    this.#wake('whole');
  }

  poke(): void {
    this.#wake('whole');
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopping';
    this.#timer?.cancel();
    this.#unwatch?.();
    await new Promise<void>((resolve) => {
      const deadline = this.#world.clock.after(this.#world.options.stopMs, resolve);
      void Promise.all(this.#jobs).then(() => {
        deadline.cancel();
        resolve();
      });
    });
    this.#state = 'stopped';
    if (this.#jobs.size > 0) {
      this.#world.log.event('warn', 'queue.stopped-early', { attempts: this.#jobs.size });
    }
  }

  /** New rows, as they were written: they need no look at the disk. */
  #offer(rows: readonly DueRecipient[]): void {
    if (this.#state !== 'running') return;
    const nowMs = this.#world.clock.now();
    const taken = rows.filter((row) => row.nextMs <= nowMs && this.#lanes.offer(row));
    // What is not due, or finds no room, is found by a look.
    if (taken.length < rows.length) this.#wake('tail');
    this.#dispatch();
  }

  #wake(want: 'tail' | 'whole'): void {
    if (this.#state !== 'running') return;
    if (this.#wanted !== 'whole') this.#wanted = want;
    if (this.#awake) return;
    this.#awake = true;
    void this.#look();
  }

  async #look(): Promise<void> {
    const isStopped = (): boolean => this.#state !== 'running';
    let sleepMs = SHORTEST_SLEEP_MS;
    try {
      while (this.#wanted !== 'nothing' && !isStopped()) {
        const { clock } = this.#world;
        const earlyMs = this.#nextLookMs - clock.elapsed();
        if (earlyMs > 0 && this.#wanted === 'tail') await pause(clock, earlyMs);
        if (isStopped()) break;
        const startMs = clock.elapsed();
        const whole = this.#wanted === 'whole';
        this.#wanted = 'nothing';
        const { jumpMs } = this.#steady.look();
        if (jumpMs !== 0) this.#world.log.event('warn', 'queue.clock-jumped', { jumpMs });
        const looked = await this.#scan.look(whole, isStopped);
        const nowMs = clock.elapsed();
        const restMs = looked === 'tail' ? LOOK_SHARE * (nowMs - startMs) : 0;
        this.#nextLookMs = nowMs + Math.min(restMs, SHORTEST_SLEEP_MS);
        this.#dispatch();
        this.#measure();
        sleepMs = await this.#sleepMs(looked);
      }
    } catch (thrown) {
      const { code, message } = Failure.from(thrown);
      this.#world.log.event('error', 'queue.unreadable', { code, reason: message });
      sleepMs = 1_000;
    }
    this.#awake = false;
    if (!isStopped()) this.#sleep(sleepMs);
  }

  async #sleepMs(looked: 'whole' | 'tail'): Promise<number> {
    const { options } = this.#world;
    const untilNext = (await this.#scan.nextInMs()) ?? options.idleMs;
    const longest = looked === 'tail' ? this.#scan.wholeInMs : options.idleMs;
    return Math.max(SHORTEST_SLEEP_MS, Math.min(untilNext, longest, options.idleMs));
  }

  #sleep(ms: number): void {
    this.#timer?.cancel();
    // Asked for while the last look ended: nothing may fall between.
    if (this.#wanted !== 'nothing') {
      this.#wake(this.#wanted);
      return;
    }
    this.#timer = this.#world.clock.after(ms, () => this.#wake('whole'));
  }

  #dispatch(): void {
    while (this.#state === 'running') {
      const job = this.#lanes.take();
      if (job === undefined) break;
      const running = this.#run(job).then((rows) => {
        this.#jobs.delete(running);
        this.#lanes.done(job, rows);
        // There is room now; rows that only end make the store say nothing.
        if (this.#lanes.turnedAway) this.#wake('tail');
        this.#measure();
        this.#dispatch();
      });
      this.#jobs.add(running);
    }
  }

  #measure(): void {
    const { metrics } = this.#world;
    metrics.gauge('queue_attempts_running', this.#lanes.running);
    metrics.gauge('queue_rows_due', this.#lanes.rows);
    metrics.gauge('queue_destinations_resting', this.#rests.size);
  }

  /** One job from its lease to its commit; never rejects, says what becomes of the lease. */
  async #run(job: LaneJob): Promise<'forget' | 'keep'> {
    let tried = false;
    try {
      const message = await this.#world.store.queue.message(job.id);
      if (message === undefined) return 'forget';
      const rows = this.#stillDue(message, job);
      if (rows.length === 0) return 'forget';
      tried = true;
      const outcome = await this.#attempt(message, rows, job);
      // The next job there need not wait for the disk.
      this.#lanes.sent(job);
      this.#dispatch();
      await settle(this.#world, message, outcome, () => this.#state === 'stopped');
      return 'forget';
    } catch (thrown) {
      const { code, message } = Failure.from(thrown);
      const fields = { queueId: job.id, code, reason: message, tried };
      this.#world.log.event('error', 'queue.attempt-failed', fields);
    }
    // A bug after the sending must not send again; before it, the rows are found again on disk.
    if (tried) return 'keep';
    await pause(this.#world.clock, 1_000);
    return 'forget';
  }

  /** The rows as they are on disk now: some may have been held, dropped or put off meanwhile. */
  #stillDue(message: QueuedMessage, job: LaneJob): readonly QueuedRecipient[] {
    const nowMs = this.#world.clock.now();
    const beyondMs = nowMs + horizonMs(this.#world.options);
    const leased = new Set(job.numbers);
    return message.recipients.filter(
      (row) =>
        leased.has(row.number) &&
        row.state === 'waiting' &&
        row.domain === job.domain &&
        (row.nextMs <= nowMs || row.nextMs >= beyondMs),
    );
  }

  async #attempt(
    message: QueuedMessage,
    rows: readonly QueuedRecipient[],
    job: LaneJob,
  ): Promise<Outcome> {
    const { clock, metrics } = this.#world;
    const startMs = clock.elapsed();
    if (this.#rests.state(job.domain, startMs) === 'resting') {
      const { leftMs, reason } = this.#rests.rest(job.domain, startMs);
      metrics.count('queue_recipients_put_off_total', {}, rows.length);
      return outcomeOfRest(message, rows, { waitMs: leftMs, reason }, this.#moment(undefined));
    }
    const attemptMs = clock.now();
    const result = await this.#send(message, rows, job);
    const endMs = clock.elapsed();
    const [first] = result.recipients;
    const reason = first !== undefined && 'reason' in first ? first.reason : '';
    this.#rests.learn(job.domain, signOf(result.recipients), reason, endMs);
    metrics.observe('queue_attempt_seconds', (endMs - startMs) / 1_000);
    for (const { kind } of result.recipients) metrics.count('queue_recipients_total', { kind });
    return outcomeOf(message, rows, result, this.#moment(attemptMs));
  }

  async #send(
    message: QueuedMessage,
    rows: readonly QueuedRecipient[],
    job: LaneJob,
  ): Promise<TransferResult> {
    const { mail } = this.#world.store;
    const { content } = message;
    const order: TransferJob = {
      id: message.id,
      envelope: message.envelope,
      domain: job.domain,
      recipients: rows,
      sizeBytes: message.sizeBytes,
      read: (from, lengthBytes) => mail.octets(content, from, lengthBytes),
    };
    try {
      return await this.#world.transfer.send(order);
    } catch (thrown) {
      // A bug in transfer: the mail stays, and everybody is told to try later.
      const { message: reason } = Failure.from(thrown);
      this.#world.log.event('error', 'queue.transfer-broke', { queueId: message.id, reason });
      return { recipients: [], facts: { broken: reason } };
    }
  }

  #moment(attemptMs: number | undefined): Moment {
    const { clock, options: schedule, random } = this.#world;
    const { steadyMs } = this.#steady.look();
    return { nowMs: clock.now(), attemptMs, steadyMs, schedule, random };
  }
}
