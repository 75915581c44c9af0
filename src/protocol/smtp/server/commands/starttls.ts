/** STARTTLS (RFC 3207): from here on in TLS, and everything before it forgotten. */

import { type Command, mistake } from '../command.ts';
import { replies } from '../replies.ts';

export const startTls: Command = {
  verb: 'STARTTLS',
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  beforeTls: true,
  check({ text }, { settings, secure }) {
    if (secure !== undefined) return mistake(replies.alreadyTls);
    if (!settings.startTls || settings.withheld.includes('STARTTLS')) return mistake(replies.noTls);
    if (text !== '') return mistake(replies.noArgument);
    return { kind: 'start-tls', reply: replies.readyForTls };
  },
};
