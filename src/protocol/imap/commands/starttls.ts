/** STARTTLS (RFC 3501 6.2.1): what came in clear behind it is an attack, not a command. */

import { bad, no, ok, formatCompletion } from '../completion.ts';
import type { Command } from '../command.ts';
import { flush } from '../task.ts';

export const startTls: Command<void> = {
  name: 'STARTTLS',
  phases: ['unauthenticated'],
  news: 'none',
  parse: () => undefined,
  *run(session, _args, tag) {
    if (session.secure !== undefined) throw bad('TLS is active already');
    if (!session.options.startTls) throw no('UNAVAILABLE', 'TLS is not available here');
    if (session.pipelined) {
      // CVE-2011-0411, CVE-2021-33515: a man in the middle speaks before the handshake.
      session.tell({ kind: 'violation', what: 'starttls-injection' });
      session.bye('Nothing may follow STARTTLS before the handshake');
      throw bad('Octets follow STARTTLS');
    }
    session.out.text(formatCompletion(tag, ok('Begin the handshake')));
    yield* flush();
    yield { kind: 'start-tls' };
    // RFC 3501 6.2.1: everything learned in clear is forgotten; there was no login.
    session.errors = 0;
    session.commands = 0;
    return undefined;
  },
};
