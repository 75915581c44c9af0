/** Rows counted by day and domain, over restarts and within limits, until they are reported. */

import { Failure } from '#base/failure.ts';
import type { Notebook } from '#base/notebook.ts';
import type { Clock, Timer } from '#base/world.ts';

export interface DaysOptions {
  readonly clock: Clock;
  readonly notebook: Notebook;
  /** Told when the notebook could not be written. */
  readonly notKept: (failure: Failure) => void;
  /** Domains counted in one day; those that come later are not. Default 10,000. */
  readonly domains?: number;
  /** Rows of one domain's day. Default 1,000. */
  readonly rows?: number;
  /** Rows of all days together: written together, at most every ten seconds. Default 10,000. */
  readonly total?: number;
  /** Characters of all of them as JSON; about: rows that are there may grow. Default 8,000,000. */
  readonly characters?: number;
}

/** One domain's day. */
export interface Day<Row> {
  /** `2026-11-22`, UTC. */
  readonly day: string;
  readonly domain: string;
  /** The row that was counted last stands last. */
  readonly rows: readonly Row[];
  /** How often there was no room for a row. */
  readonly beyond: number;
}

interface Kept<Row> {
  readonly rows: Map<string, Row>;
  beyond: number;
  /** As JSON, until something in it changes. */
  text?: string | undefined;
}

const DOMAINS = 10_000;
const ROWS = 1_000;
/** All of them as JSON take 25 ms: nobody waits longer for the others' counts. */
const TOTAL = 10_000;
/** A row has names of a stranger's choice in it, and may be twenty times as long as usual. */
const CHARACTERS = 8_000_000;
const SAVE_MS = 10_000;
const DAYS = 4;
const DAY_MS = 86_400_000;

/**
 * A row is plain data, which `keyOf` tells from other rows; its owner counts in it. What is lost
 * in a crash is the last ten seconds.
 */
export class Days<Row extends object> {
  readonly #options: DaysOptions;
  readonly #keyOf: (row: Row) => string;
  /** By `day domain`. */
  readonly #days: Map<string, Kept<Row>>;
  #total = 0;
  /** As JSON: exact when it was written, since then the keys of what is new. */
  #characters: number;
  #timer: Timer | undefined;

  constructor(options: DaysOptions, keyOf: (row: Row) => string) {
    this.#options = options;
    this.#keyOf = keyOf;
    const text = options.notebook.read();
    this.#days = read(text, keyOf);
    this.#characters = text?.length ?? 0;
    for (const { rows } of this.#days.values()) this.#total += rows.size;
  }

  /** Today's row with the key of `fresh`, or `fresh` itself; undefined: there is no room. */
  row(domain: string, fresh: Row): Row | undefined {
    const { clock, domains = DOMAINS } = this.#options;
    const name = `${dayOf(clock.now())} ${domain}`;
    let kept = this.#days.get(name);
    if (kept === undefined) {
      if (this.#days.size >= domains) return undefined;
      this.#days.set(name, (kept = { rows: new Map(), beyond: 0 }));
    }
    this.#changed();
    kept.text = undefined;
    const key = this.#keyOf(fresh);
    const known = kept.rows.get(key);
    if (known === undefined && !this.#hasRoom(kept)) {
      kept.beyond += 1;
      return undefined;
    }
    if (known === undefined) {
      this.#total += 1;
      this.#characters += key.length;
    } else kept.rows.delete(key);
    kept.rows.set(key, known ?? fresh);
    return known ?? fresh;
  }

  /** What is to be reported now: the days that are over; those long gone are dropped. */
  over(): readonly Day<Row>[] {
    const nowMs = this.#options.clock.now();
    const [today, oldest] = [dayOf(nowMs), dayOf(nowMs - DAYS * DAY_MS)];
    const found: Day<Row>[] = [];
    for (const [name, { rows, beyond }] of this.#days) {
      const [day = '', domain = ''] = name.split(' ');
      if (day >= today) continue;
      if (day < oldest) this.done({ day, domain });
      else found.push({ day, domain, rows: [...rows.values()], beyond });
    }
    return found;
  }

  /** It was reported, or nobody wants it. */
  done({ day, domain }: Pick<Day<Row>, 'day' | 'domain'>): void {
    const name = `${day} ${domain}`;
    const kept = this.#days.get(name);
    this.#total -= kept?.rows.size ?? 0;
    this.#characters -= kept?.text?.length ?? 0;
    this.#days.delete(name);
    this.#changed();
  }

  /** Writes what is not written yet. */
  close(): void {
    if (this.#timer !== undefined) this.#save();
  }

  #hasRoom(kept: Kept<Row>): boolean {
    const { rows = ROWS, total = TOTAL, characters = CHARACTERS } = this.#options;
    return kept.rows.size < rows && this.#total < total && this.#characters < characters;
  }

  #changed(): void {
    this.#timer ??= this.#options.clock.after(SAVE_MS, () => this.#save());
  }

  #save(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const days = [...this.#days].map(([name, kept]) => {
      return (kept.text ??= JSON.stringify([name, [...kept.rows.values()], kept.beyond]));
    });
    this.#characters = days.reduce((sum, text) => sum + text.length, 0);
    try {
      this.#options.notebook.write(`{"version":1,"days":[${days.join(',')}]}\n`);
    } catch (thrown) {
      this.#options.notKept(Failure.from(thrown));
    }
  }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Our own words back; anything else is as if nothing was there. */
function read<Row>(text: string | undefined, keyOf: (row: Row) => string): Map<string, Kept<Row>> {
  const days = new Map<string, Kept<Row>>();
  try {
    const whole: { days: [string, Row[], number?][] } = JSON.parse(text ?? '{"days":[]}');
    for (const [name, rows, beyond = 0] of whole.days) {
      if (!/^\d{4}-\d\d-\d\d [^ ]+$/.test(name)) continue;
      days.set(name, { rows: new Map(rows.map((row) => [keyOf(row), row])), beyond });
    }
  } catch {
    return new Map();
  }
  return days;
}
