/** Loaded with `--import` into a server under test: notes every turn of its loop that took too long. */

import { appendFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** One turn of the event loop that kept everybody waiting. */
export interface Stall {
  /** When it ended, milliseconds since 1970. */
  readonly atMs: number;
  /** How long nobody was served; a busy machine makes this longer than it is our fault. */
  readonly wallMs: number;
  /** What this thread computed meanwhile: that is our fault. */
  readonly cpuMs: number;
  /** Sockets, timers and answers that were served in it: each may have cost a little. */
  readonly events: number;
}

/** The file to note stalls in, one JSON object a line; without it the module does nothing. */
export const STALL_FILE = 'POSTERN_STALL_FILE';
/** The longest that one input may block the loop: the promise P21. */
export const STALL_MS = 50;

const TICK_MS = 10;
/** Many small inputs in one turn are no stall: each event beyond the first may cost this much. */
const EVENT_MS = 1;

/** Whether a turn broke the promise: CPU counts, so that a busy machine is not blamed on us. */
export function isStall({ wallMs, cpuMs, events }: Omit<Stall, 'atMs'>): boolean {
  return Math.min(wallMs, cpuMs) - Math.max(0, events - 1) * EVENT_MS > STALL_MS;
}

/** Watches this thread from now on; `note` hears of each stall when it is over. */
export function watchStalls(note: (stall: Stall) => void): () => void {
  let before = reading();
  const timer = setInterval(() => {
    const now = reading();
    const wallMs = now.wallMs - before.wallMs;
    const cpuMs = now.cpuMs - before.cpuMs;
    const events = now.events - before.events;
    if (isStall({ wallMs, cpuMs, events })) note({ atMs: Date.now(), wallMs, cpuMs, events });
    before = now;
  }, TICK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function reading(): { readonly wallMs: number; readonly cpuMs: number; readonly events: number } {
  const { user, system } = process.threadCpuUsage();
  const { events } = performance.nodeTiming.uvMetricsInfo;
  return { wallMs: performance.now(), cpuMs: (user + system) / 1_000, events };
}

const file = process.env[STALL_FILE];
// The writer's thread waits for the disk, and nobody waits for that thread's loop.
if (file !== undefined && isMainThread) {
  watchStalls((stall) => appendFileSync(file, `${JSON.stringify(stall)}\n`));
}
