/** Virtual time: one event after the other, each with an owner; time moves only between events. */

import { createHash, type Hash } from 'node:crypto';
import type { Clock, Timer } from '#base/world.ts';

/** Whoever an event belongs to; the events of one that is dead never happen. */
export interface Owner {
  readonly name: string;
  alive: boolean;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly owner: Owner;
  readonly what: string;
  readonly run: () => void;
  cancelled: boolean;
}

/** The simulation itself takes over setImmediate: this one is the real one. */
const turn = globalThis.setImmediate;

/**
 * A heap of events. Between two events everything that promises owe is done (each event has a turn
 * of the real event loop of its own), so what an event sets in motion belongs to its owner, and a
 * crash between any two events is a crash at any point where the program can be interrupted: code
 * between two awaits cannot be.
 */
export class Timeline {
  readonly #heap: Event[] = [];
  readonly #hash: Hash = createHash('sha256');
  #order = 0;
  #nowMs = 0;
  #events = 0;
  current: Owner;
  /** Called before each event. */
  watch: (() => void) | undefined;
  /** Hears each line of the trace, for people. */
  told: ((line: string) => void) | undefined;

  constructor(owner: Owner) {
    this.current = owner;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many events have happened: the finest order of things. */
  get events(): number {
    return this.#events;
  }

  /** `run` happens `delayMs` from now, after what was asked for earlier at the same time. */
  at(delayMs: number, owner: Owner, what: string, run: () => void): Timer {
    const atMs = this.#nowMs + Math.max(0, Math.ceil(delayMs));
    this.#order += 1;
    const event = { atMs, order: this.#order, owner, what, run, cancelled: false };
    push(this.#heap, event);
    return {
      cancel: () => {
        event.cancelled = true;
      },
    };
  }

  /** A note in the trace: part of what must be the same for the same seed. */
  note(text: string): void {
    this.#hash.update(text).update('\n');
    if (this.told !== undefined) this.told(`${stamp(this.#nowMs)} ${text}`);
  }

  /** Octets that were read: part of the trace too. */
  absorb(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** Lets events happen until `done` says so, none is left, or there were `most` more of them. */
  run(done: () => boolean, most: number): Promise<'done' | 'empty' | 'too-many'> {
    const limit = this.#events + most;
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (done()) return resolve('done');
          if (this.#events >= limit) return resolve('too-many');
          if (!this.#next()) return resolve('empty');
          turn(step);
        } catch (thrown) {
          reject(thrown as Error);
        }
      };
      turn(step);
    });
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  /** Time as a host sees it: `offsetMs` is how wrong its wall clock is, and may change. */
  clock(owner: Owner, wall: { offsetMs: number }): Clock {
    const bootMs = this.#nowMs;
    return {
      now: () => EPOCH_MS + this.#nowMs + wall.offsetMs,
      elapsed: () => this.#nowMs - bootMs,
      after: (ms, task) => this.at(ms, owner, 'timer', task),
    };
  }

  #next(): boolean {
    let event = pop(this.#heap);
    while (event !== undefined && (event.cancelled || !event.owner.alive)) event = pop(this.#heap);
    if (event === undefined) return false;
    this.#nowMs = event.atMs;
    this.#events += 1;
    this.current = event.owner;
    this.#hash.update(`${event.atMs} ${event.owner.name} ${event.what}\n`);
    this.watch?.();
    // What watches may have killed its owner.
    if (event.owner.alive) event.run();
    return true;
  }
}

/** Where wall clocks begin. */
export const EPOCH_MS = Date.UTC(2026, 0, 1);

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** `1d02:03:04.567`. */
export function stamp(ms: number): string {
  const time = new Date(ms % DAY).toISOString().slice(11, 23);
  return `${Math.floor(ms / DAY)}d${time}`;
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up] as Event;
    if (!before(event, parent)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++;
    if (!before(heap[child] as Event, last)) break;
    heap[at] = heap[child] as Event;
    at = child;
  }
  heap[at] = last;
  return first;
}
