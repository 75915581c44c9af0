/** CAPA (RFC 2449): what this session can do now, and no word about who made it. */

import { offeredMechanisms } from '../../sasl/offer.ts';
import type { Command } from '../session.ts';

export const capa: Command = {
  verb: 'CAPA',
  phases: ['authorization', 'transaction'],
  run(session) {
    const { secure, options, phase } = session;
    const lines = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE NEVER'];
    if (secure !== undefined) {
      const names = offeredMechanisms(secure, options.mechanisms).map(({ name }) => name);
      lines.push('USER');
      if (names.length > 0) lines.push(`SASL ${names.join(' ')}`);
    } else if (options.startTls && phase === 'authorization') {
      lines.push('STLS');
    }
    session.send(`+OK capabilities follow\r\n${lines.join('\r\n')}\r\n.\r\n`);
  },
};
