/** Progress where somebody watches: one line on standard error that is written over. */

import type { Io } from './io.ts';

export interface StatusLine {
  /** Writes over what stood there; `text` is ours, or went through `harmless`. */
  show(text: string): void;
  /** Takes it away. */
  clear(): void;
}

/** Silent where nobody watches, or when it is not wanted. */
export function statusLine(io: Io, wanted = true): StatusLine {
  if (!wanted || !io.terminal) return { show: () => undefined, clear: () => undefined };
  let isShown = false;
  const write = (text: string): void => io.warn(`\r\x1b[K${text}`);
  return {
    show: (text) => {
      isShown = true;
      write(text);
    },
    clear: () => {
      if (isShown) write('');
      isShown = false;
    },
  };
}

const WIDTH = 24;

/** `[######..................]` for a share from 0 to 1. */
export function bar(share: number): string {
  const filled = Math.floor(Math.min(1, Math.max(0, share)) * WIDTH);
  return `[${'#'.repeat(filled).padEnd(WIDTH, '.')}]`;
}
