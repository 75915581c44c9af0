/** Progress on the terminal while a run goes on. */

import type { Progress } from '#audit/run/request.ts';
import type { Io } from '../io.ts';
import { bar, type StatusLine, statusLine } from '../status-line.ts';

/** What is done, on the status line. */
export function progressLine(
  io: Io,
  wanted: boolean,
): Pick<StatusLine, 'clear'> & { readonly show: (event: Progress) => void } {
  const { show, clear } = statusLine(io, wanted);
  let services = 0;
  return {
    clear,
    show: (event) => {
      if (event.kind === 'port') {
        if (event.port.kind === 'service') services += 1;
        return show(`looking for services: ${services} found`);
      }
      show(`${bar(event.done / event.of)} ${event.done}/${event.of} ${event.name}`);
    },
  };
}
