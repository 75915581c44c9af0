/** All rows, in the order of the page. */

import type { Measurement } from './bench.ts';
import { acceptRows, deliverRow, relayRow } from './rows/accept.ts';
import { imapRows } from './rows/imap.ts';
import { loginRows, memoryRow, startRows, wakeRow } from './rows/sessions.ts';

export const MEASUREMENTS: readonly Measurement[] = [
  acceptRows,
  deliverRow,
  relayRow,
  wakeRow,
  memoryRow,
  loginRows,
  imapRows,
  startRows,
];
