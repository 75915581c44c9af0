/** HELO (RFC 5321 4.1.1.1): the client's name, without extensions. */

import { type Command, say } from '../command.ts';
import { checkName } from './ehlo.ts';

export const helo: Command<string> = {
  verb: 'HELO',
  modes: ['smtp', 'submission'],
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  beforeTls: true,
  check: (argument) => checkName(argument, false),
  proceed(name, state) {
    state.greet(name, false);
    return say({ code: 250, enhanced: undefined, lines: [state.settings.hostname] });
  },
};
