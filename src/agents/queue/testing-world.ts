/** What the queue tests have for a world: a clock that moves when told, a log that is kept. */

import type { JsonObject } from '#base/json.ts';
import type { Clock, Log, LogLevel, Metrics, Random, Timer } from '#base/world.ts';

interface Alarm {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
}

/** Time moves when told, timers fire in order, and what they set off is let run in between. */
export class TestClock implements Clock {
  #elapsedMs = 1_000;
  #skewMs: number;
  #order = 0;
  readonly #alarms = new Set<Alarm>();

  constructor(nowMs = Date.UTC(2026, 10, 22, 5)) {
    this.#skewMs = nowMs - this.#elapsedMs;
  }

  now(): number {
    return this.#elapsedMs + this.#skewMs;
  }

  elapsed(): number {
    return this.#elapsedMs;
  }

  after(ms: number, task: () => void): Timer {
    const alarm = { atMs: this.#elapsedMs + Math.max(0, ms), order: this.#order++, task };
    this.#alarms.add(alarm);
    return { cancel: () => this.#alarms.delete(alarm) };
  }

  get alarms(): number {
    return this.#alarms.size;
  }

  /** The wall clock jumps; nothing else notices. */
  jump(ms: number): void {
    this.#skewMs += ms;
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await settled();
    for (let next = this.#first(endMs); next !== undefined; next = this.#first(endMs)) {
      this.#alarms.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      next.task();
      await settled();
    }
    this.#elapsedMs = endMs;
  }

  #first(endMs: number): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.atMs > endMs) continue;
      const later =
        first !== undefined &&
        (alarm.atMs > first.atMs || (alarm.atMs === first.atMs && alarm.order > first.order));
      if (!later) first = alarm;
    }
    return first;
  }
}

/** Lets everything run that waits for promises only. */
export async function settled(turns = 100): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
}

/** Log lines, kept. */
export class TestLog implements Log {
  readonly lines: { level: LogLevel; name: string; fields: JsonObject | undefined }[] = [];

  event(level: LogLevel, name: string, fields?: JsonObject): void {
    this.lines.push({ level, name, fields });
  }
}

export const noMetrics: Metrics = {
  count() {},
  gauge() {},
  observe() {},
};

/** Chance that always says the same. */
export const noChance: Random = { bytes: (length) => new Uint8Array(length) };
