/** Progress over many messages, where somebody watches. */

import type { Io } from '../io.ts';
import { bar, statusLine } from '../status-line.ts';

const EVERY_MS = 100;

export interface Progress {
  /** So many octets and messages are done. */
  show(doneBytes: number, messages: number): void;
  clear(): void;
}

/** `of`: octets in all, undefined where nobody knows (a pipe). */
export function progressLine(io: Io, of: number | undefined, now: () => number): Progress {
  const { show, clear } = statusLine(io);
  const begun = now();
  let shown = 0;
  return {
    clear,
    show: (doneBytes, messages) => {
      const at = now();
      if (at - shown < EVERY_MS) return;
      shown = at;
      const rate = Math.round((messages * 1_000) / Math.max(1, at - begun));
      const share = of === undefined || of === 0 ? undefined : Math.min(1, doneBytes / of);
      const done = share === undefined ? '' : `${bar(share)} ${Math.floor(share * 100)} % `;
      show(`${done}${messages} messages, ${rate}/s`);
    },
  };
}
