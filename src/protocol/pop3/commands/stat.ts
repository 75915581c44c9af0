/** STAT (RFC 1939 5): how many messages, how many octets. */

import type { Command } from '../session.ts';

export const stat: Command = {
  verb: 'STAT',
  phases: ['transaction'],
  run(session) {
    const { count, sizeBytes } = session.totals;
    session.ok(`${count} ${sizeBytes}`);
  },
};
