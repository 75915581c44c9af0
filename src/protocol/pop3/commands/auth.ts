/** AUTH (RFC 5034): a SASL mechanism, only under TLS; alone it lists the mechanisms. */

import { findMechanism, offeredMechanisms } from '../../sasl/offer.ts';
import { wordsOf } from '../arguments.ts';
import { logIn } from '../login.ts';
import type { Command } from '../session.ts';

export const auth: Command = {
  verb: 'AUTH',
  phases: ['authorization'],
  run(session, argument) {
    const { secure } = session;
    if (secure === undefined) return session.error('not without TLS: begin with STLS');
    const [name, initial, more] = wordsOf(argument);
    const offered = offeredMechanisms(secure, session.options.mechanisms);
    // Without an argument older clients ask which mechanisms there are.
    if (name === undefined) {
      const names = offered.map((mechanism) => `${mechanism.name}\r\n`).join('');
      return session.send(`+OK mechanisms follow\r\n${names}.\r\n`);
    }
    const mechanism = findMechanism(name, offered);
    if (mechanism === undefined) return session.error('no such mechanism, see CAPA');
    if (more !== undefined) return session.error('one initial response at most');
    return logIn(session, secure, mechanism, initial);
  },
};
