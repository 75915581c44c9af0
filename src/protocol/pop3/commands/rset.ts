/** RSET (RFC 1939 5): unmarks what DELE marked. */

import type { Command } from '../session.ts';

export const rset: Command = {
  verb: 'RSET',
  phases: ['transaction'],
  run(session) {
    session.undelete();
    const { count, sizeBytes } = session.totals;
    session.ok(`${count} messages (${sizeBytes} octets)`);
  },
};
