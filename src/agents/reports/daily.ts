/** The clockwork of daily reports: what is over is reported, what cannot be is tried again. */

import { Failure } from '#base/failure.ts';
import type { Clock, Log, Random, Timer } from '#base/world.ts';
import type { Day, Days } from './days.ts';

/** A kind of report. */
export interface Reporting<Row extends object> {
  /** `tls-report`: for the log. */
  readonly name: string;
  readonly days: Days<Row>;
  /** Whether nothing more is to be done for this day; what it throws is logged. */
  report(day: Day<Row>): Promise<boolean>;
}

export interface DailyOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const EVERY_MS = 3_600_000;
/** Not all the world at midnight: somewhere in the first hours of the day (RFC 8460 4.1). */
const SPREAD_MS = 3 * 3_600_000;

/** Looks each hour for days that are over, of all kinds. */
export class DailyReports {
  readonly #options: DailyOptions;
  readonly #kinds: (() => Promise<void>)[] = [];
  readonly #delayMs: number;
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;

  constructor(options: DailyOptions) {
    const [high = 0, low = 0] = options.random.bytes(2);
    this.#options = options;
    this.#delayMs = Math.floor(((high * 256 + low) / 65_536) * SPREAD_MS);
  }

  /** One more kind, before the start. */
  add<Row extends object>(kind: Reporting<Row>): this {
    this.#kinds.push(() => this.#sendKind(kind));
    return this;
  }

  start(): void {
    this.#timer = this.#options.clock.after(EVERY_MS, () => {
      this.start();
      if (this.#options.clock.now() % 86_400_000 >= this.#delayMs) void this.send();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Reports all that is over, one domain after the other, never twice at once. Never rejects. */
  send(): Promise<void> {
    return (this.#sending ??= this.#send());
  }

  async #send(): Promise<void> {
    for (const kind of this.#kinds) await kind();
    this.#sending = undefined;
  }

  async #sendKind<Row extends object>({ name, days, report }: Reporting<Row>): Promise<void> {
    const { log } = this.#options;
    for (const day of days.over()) {
      try {
        if (await report(day)) days.done(day);
      } catch (thrown) {
        const reason = Failure.from(thrown).message;
        log.event('warn', `${name}-failed`, { domain: day.domain, day: day.day, reason });
      }
    }
  }
}
