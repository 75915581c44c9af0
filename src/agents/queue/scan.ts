/** Looks through the due rows on disk, page by page, and offers them to the lanes. */

import type { QueueId } from '#base/brand.ts';
import type { Clock } from '#base/world.ts';
import type { DueRecipient, QueueReader } from '#store/queue.ts';
import type { Lanes } from './lanes.ts';
import { pause } from './settling.ts';

export interface ScanOptions {
  readonly queue: QueueReader;
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly horizonMs: number;
  readonly pageRows: number;
}

type Place = Pick<DueRecipient, 'nextMs' | 'id' | 'number'>;

/** A commit may carry rows a little older than those of the commit before: look back this far. */
const OVERLAP_MS = 250;
const FULL_EVERY_MS = 1_000;
/** A whole look may take a twentieth of the time. */
const FULL_SHARE = 20;
const FOREVER_MS = Number.MAX_SAFE_INTEGER;

/**
 * Two kinds of look. The tail: only what is newer than what was seen last; so cheap that each
 * commit can have one, however long the backlog. The whole: everything that is due, which finds
 * what the tail cannot (rows that came late, rows that found no room) and, behind the horizon,
 * rows that a clock since set back has put into a future that nobody planned.
 */
export class Scan {
  readonly #options: ScanOptions;
  #seenMs = Number.NEGATIVE_INFINITY;
  #nextWholeMs = Number.NEGATIVE_INFINITY;

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  /** How long until the next whole look may be made. */
  get wholeInMs(): number {
    return Math.max(0, this.#nextWholeMs - this.#options.clock.elapsed());
  }

  /** Looks; the whole if its time has come and `whole` asks for it, else the tail. */
  async look(whole: boolean, isStopped: () => boolean): Promise<'whole' | 'tail'> {
    const { clock, horizonMs, lanes } = this.#options;
    const nowMs = clock.now();
    const startMs = clock.elapsed();
    if (!whole || startMs < this.#nextWholeMs) {
      // A clock that was set back would hide everything new behind what was seen before it.
      const from = Math.min(this.#seenMs, nowMs) - OVERLAP_MS;
      await this.#pages(nowMs, start(from), isStopped);
      return 'tail';
    }
    lanes.turnedAway = false;
    await this.#pages(nowMs, undefined, isStopped);
    await this.#pages(FOREVER_MS, start(nowMs + horizonMs), isStopped);
    const tookMs = clock.elapsed() - startMs;
    this.#nextWholeMs = clock.elapsed() + Math.max(FULL_EVERY_MS, FULL_SHARE * tookMs);
    return 'whole';
  }

  /** How long until the first row that is not due yet; undefined when there is none. */
  async nextInMs(): Promise<number | undefined> {
    const { queue, clock } = this.#options;
    const nowMs = clock.now();
    const [first] = await queue.due(FOREVER_MS, 1, start(nowMs + 1));
    return first === undefined ? undefined : Math.max(0, first.nextMs - nowMs);
  }

  async #pages(untilMs: number, from: Place | undefined, isStopped: () => boolean): Promise<void> {
    const { queue, lanes, clock, pageRows } = this.#options;
    let after = from;
    while (!isStopped()) {
      const page = await queue.due(untilMs, pageRows, after);
      for (const row of page) {
        if (from === undefined || row.nextMs >= from.nextMs) lanes.offer(row);
      }
      const last = page.at(-1);
      if (last === undefined) return;
      if (untilMs !== FOREVER_MS) this.#seenMs = Math.max(this.#seenMs, last.nextMs);
      if (page.length < pageRows || isSame(last, after)) return;
      after = last;
      // A long backlog must not keep everybody else from the processor.
      await pause(clock, 0);
    }
  }
}

/** Before every row of this time. */
function start(nextMs: number): Place {
  return { nextMs, id: '' as QueueId, number: 0 };
}

function isSame(a: Place, b: Place | undefined): boolean {
  return b !== undefined && a.nextMs === b.nextMs && a.id === b.id && a.number === b.number;
}
