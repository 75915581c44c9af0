/** Sessions counted by day, domain and policy, over restarts, until they are reported (RFC 8460 4). */

import { Failure } from '#base/failure.ts';
import type { Notebook } from '#base/notebook.ts';
import type { Clock, Timer } from '#base/world.ts';
import type { TlsReportEntry, TlsReportFailure } from '#trust/tls-rpt/report.ts';
import type { TlsSession } from '#trust/tls-rpt/words.ts';

export interface CountsOptions {
  readonly clock: Clock;
  readonly notebook: Notebook;
  /** Told when the notebook could not be written. */
  readonly notKept: (failure: Failure) => void;
  /** Domains counted in one day; those that come later are not. Default 10,000. */
  readonly domains?: number;
}

/** One domain's day. */
export interface DayCounts {
  /** `2026-11-22`, UTC. */
  readonly day: string;
  readonly domain: string;
  readonly entries: readonly TlsReportEntry[];
}

interface Tally extends Omit<TlsReportEntry, 'successful' | 'failed' | 'failures'> {
  successful: number;
  failed: number;
  readonly failures: Map<string, { -readonly [K in keyof TlsReportFailure]: TlsReportFailure[K] }>;
}

const DOMAINS = 10_000;
const POLICIES = 20;
const FAILURES = 100;
const REASON_CHARACTERS = 200;
const SAVE_MS = 10_000;
const DAYS = 4;

/** Counts; what is lost in a crash is the last ten seconds. */
export class TlsCounts {
  readonly #options: CountsOptions;
  /** By `day domain`, then by policy. */
  readonly #days: Map<string, Map<string, Tally>>;
  #timer: Timer | undefined;

  constructor(options: CountsOptions) {
    this.#options = options;
    this.#days = read(options.notebook.read());
  }

  /** Takes one session in. */
  readonly counted = ({ policy, failure, mx, address }: TlsSession): void => {
    const key = `${dayOf(this.#options.clock.now())} ${policy.domain}`;
    let policies = this.#days.get(key);
    if (policies === undefined) {
      if (this.#days.size >= (this.#options.domains ?? DOMAINS)) return;
      this.#days.set(key, (policies = new Map()));
    }
    const name = JSON.stringify([policy.type, policy.text, policy.mx]);
    let tally = policies.get(name);
    if (tally === undefined) {
      if (policies.size >= POLICIES) return;
      tally = { ...policy, successful: 0, failed: 0, failures: new Map() };
      policies.set(name, tally);
    }
    if (failure === undefined) tally.successful += 1;
    else {
      tally.failed += 1;
      const reason = failure.why.slice(0, REASON_CHARACTERS);
      addFailure(tally, { kind: failure.kind, mx, receivingAddress: address, reason });
    }
    this.#timer ??= this.#options.clock.after(SAVE_MS, () => this.#save());
  };

  /** What is to be reported now: the days that are over; those long gone are dropped. */
  over(): readonly DayCounts[] {
    const nowMs = this.#options.clock.now();
    const [today, oldest] = [dayOf(nowMs), dayOf(nowMs - DAYS * 86_400_000)];
    const found: DayCounts[] = [];
    for (const [key, policies] of this.#days) {
      const [day = '', domain = ''] = key.split(' ');
      if (day >= today) continue;
      if (day < oldest) this.#days.delete(key);
      else found.push({ day, domain, entries: [...policies.values()].map(entryOf) });
    }
    return found;
  }

  /** It was reported, or nobody wants it. */
  done({ day, domain }: Pick<DayCounts, 'day' | 'domain'>): void {
    this.#days.delete(`${day} ${domain}`);
    this.#timer ??= this.#options.clock.after(SAVE_MS, () => this.#save());
  }

  /** Writes what is not written yet. */
  close(): void {
    if (this.#timer !== undefined) this.#save();
  }

  #save(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const days = [...this.#days].map(([key, policies]) => [
      key,
      [...policies.values()].map(entryOf),
    ]);
    try {
      this.#options.notebook.write(`${JSON.stringify({ version: 1, days })}\n`);
    } catch (thrown) {
      this.#options.notKept(Failure.from(thrown));
    }
  }
}

function addFailure(
  tally: Tally,
  failure: Omit<TlsReportFailure, 'sessions' | 'sendingAddress'>,
): void {
  const key = JSON.stringify([failure.kind, failure.mx, failure.receivingAddress]);
  const known = tally.failures.get(key);
  if (known !== undefined) known.sessions += 1;
  else if (tally.failures.size < FAILURES) {
    tally.failures.set(key, { ...failure, sessions: 1, sendingAddress: undefined });
  }
}

function entryOf(tally: Tally): TlsReportEntry {
  return { ...tally, failures: [...tally.failures.values()] };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Our own words back; anything else is as if nothing was there. */
function read(text: string | undefined): Map<string, Map<string, Tally>> {
  const days = new Map<string, Map<string, Tally>>();
  try {
    const whole: { days: [string, TlsReportEntry[]][] } = JSON.parse(text ?? '{"days":[]}');
    for (const [key, entries] of whole.days) {
      if (!/^\d{4}-\d\d-\d\d [^ ]+$/.test(key)) continue;
      days.set(key, new Map(entries.map((entry) => [nameOf(entry), tallyOf(entry)])));
    }
  } catch {
    return new Map();
  }
  return days;
}

function nameOf({ type, text, mx }: TlsReportEntry): string {
  return JSON.stringify([type, text, mx]);
}

function tallyOf(entry: TlsReportEntry): Tally {
  const failures = entry.failures.map((one) => {
    return [JSON.stringify([one.kind, one.mx, one.receivingAddress]), { ...one }] as const;
  });
  return { ...entry, failures: new Map(failures) };
}
