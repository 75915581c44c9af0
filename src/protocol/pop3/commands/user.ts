/** USER (RFC 1939 7): takes any name, so that none can be found out. */

import type { Command } from '../session.ts';

export const user: Command = {
  verb: 'USER',
  phases: ['authorization'],
  run(session, argument) {
    if (session.secure === undefined) return session.error('not without TLS: begin with STLS');
    if (argument === undefined || argument.length === 0) return session.error('USER needs a name');
    session.user = argument.slice();
    session.ok('send PASS');
  },
};
