/** Progress over many messages: one line on standard error that is written over, where one watches. */

import type { Io } from '../io.ts';

const WIDTH = 24;
const EVERY_MS = 100;

export interface Progress {
  /** So many octets and messages are done. */
  show(doneBytes: number, messages: number): void;
  clear(): void;
}

/** `of`: octets in all, undefined where nobody knows (a pipe). */
export function progressLine(io: Io, of: number | undefined, now: () => number): Progress {
  if (!io.terminal) return { show: () => undefined, clear: () => undefined };
  const begun = now();
  let shown = 0;
  return {
    show: (doneBytes, messages) => {
      const at = now();
      if (at - shown < EVERY_MS) return;
      shown = at;
      const rate = Math.round((messages * 1_000) / Math.max(1, at - begun));
      const share = of === undefined || of === 0 ? undefined : Math.min(1, doneBytes / of);
      const filled = '#'.repeat(Math.floor((share ?? 0) * WIDTH)).padEnd(WIDTH, '.');
      const bar = share === undefined ? '' : `[${filled}] ${Math.floor(share * 100)} % `;
      io.warn(`\r\x1b[K${bar}${messages} messages, ${rate}/s`);
    },
    clear: () => {
      if (shown > 0) io.warn('\r\x1b[K');
    },
  };
}
