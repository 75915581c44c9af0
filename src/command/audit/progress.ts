/** Progress on the terminal while a run goes on: one line that is written over. */

import type { Progress } from '#audit/run/request.ts';
import type { Io } from '../io.ts';

const WIDTH = 24;

/** A bar on standard error where somebody watches; `clear` takes it away. */
export function progressBar(
  io: Io,
  wanted: boolean,
): {
  readonly show: (event: Progress) => void;
  readonly clear: () => void;
} {
  if (!wanted || !io.terminal) return { show: () => undefined, clear: () => undefined };
  let services = 0;
  const line = (text: string): void => io.warn(`\r\x1b[K${text}`);
  return {
    show: (event) => {
      if (event.kind === 'port') {
        if (event.port.kind === 'service') services += 1;
        line(`looking for services: ${services} found`);
        return;
      }
      const filled = Math.floor((event.done / event.of) * WIDTH);
      const bar = '#'.repeat(filled).padEnd(WIDTH, '.');
      line(`[${bar}] ${event.done}/${event.of} ${event.name}`);
    },
    clear: () => line(''),
  };
}
