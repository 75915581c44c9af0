/** PASS (RFC 1939 7): the rest of the line is the password, spaces and all. */

import { NO_BYTES, parseUtf8 } from '#base/bytes.ts';
import type { Mechanism } from '../../sasl/mechanism.ts';
import { verifyPassword } from '../../sasl/mechanisms/plain.ts';
import { logIn } from '../login.ts';
import type { Command } from '../session.ts';

export const pass: Command = {
  verb: 'PASS',
  phases: ['authorization'],
  run(session, argument) {
    const { secure, user } = session;
    if (secure === undefined) return session.error('not without TLS: begin with STLS');
    if (user === undefined) return session.error('USER comes first');
    session.user = undefined;
    return logIn(session, secure, passwordOf(user, argument ?? NO_BYTES), undefined);
  },
};

/** USER and PASS as a mechanism, so that they take the same way as AUTH. */
function passwordOf(user: Uint8Array, password: Uint8Array): Mechanism {
  return {
    name: 'PASS',
    preference: 0,
    available: () => true,
    *exchange() {
      const name = parseUtf8(user);
      const text = parseUtf8(password);
      if (name === undefined || text === undefined) return { kind: 'rejected', login: name };
      const outcome = yield* verifyPassword('PASS', '', name, text);
      // A name that nobody can have is a wrong name, not a broken command.
      return outcome.kind === 'malformed' ? { kind: 'rejected', login: name } : outcome;
    },
  };
}
