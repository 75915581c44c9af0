/** LHLO (RFC 2033 4.1): LMTP's EHLO. */

import type { Command } from '../command.ts';
import { checkName, extendedHello } from './ehlo.ts';

export const lhlo: Command<string> = {
  verb: 'LHLO',
  modes: ['lmtp'],
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  beforeTls: true,
  check: (argument) => checkName(argument, true),
  proceed: (name, state) => extendedHello(name, state),
};
