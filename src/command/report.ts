/** An error as the person at the keyboard gets it: a line or some, a cure, an exit status. */

import { EXIT, type ExitStatus, explain } from './exit.ts';
import { harmless, type Io, styled } from './io.ts';

/** One line to standard error; a bug of ours says so, its stack only with POSTERN_DEBUG. */
export function report(thrown: unknown, io: Io): ExitStatus {
  const known = explain(thrown);
  const debug = io.env['POSTERN_DEBUG'] !== undefined;
  const prefix = styled({ colour: io.colour }, 'red', 'postern:');
  if (known === undefined) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    io.warn(`${prefix} internal error: ${harmless(message)}. POSTERN_DEBUG=1 shows where.\n`);
    if (debug && thrown instanceof Error) io.warn(`${thrown.stack ?? ''}\n`);
    return EXIT.software;
  }
  for (const line of known.message.split('\n')) {
    const end = known.cure === undefined || /[.!?]$/.test(line) ? '' : '.';
    io.warn(
      `${prefix} ${harmless(line)}${end}${known.cure === undefined ? '' : ` ${known.cure}`}\n`,
    );
  }
  if (debug && known.cause instanceof Error) io.warn(`${known.cause.stack ?? ''}\n`);
  return known.exit;
}
