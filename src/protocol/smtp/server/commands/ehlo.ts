/** EHLO (RFC 5321 4.1.1.1): the client's name, and what we can do. */

import type { Reply } from '../../reply.ts';
import { type Argument, type Command, type Outcome, mistake, say } from '../command.ts';
import { announcements } from '../parameter.ts';
import { replies } from '../replies.ts';
import type { SmtpState } from '../session.ts';

export const ehlo: Command<string> = {
  verb: 'EHLO',
  modes: ['smtp', 'submission'],
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  beforeTls: true,
  check: (argument) => checkName(argument, true),
  proceed: (name, state) => extendedHello(name, state),
};

/** A name without control characters: whether it is a good one is the host's to judge. */
export function checkName(argument: Argument, extended: boolean): Outcome<string> {
  const { text: name, wellFormed } = argument;
  if (name === '') return mistake(replies.argumentMissing);
  if (!wellFormed || /[\p{Cc}\s<>]/u.test(name) || name.length > 255) {
    return mistake(replies.badHostname);
  }
  return { kind: 'ask', question: { kind: 'helo', name, extended }, input: name };
}

/** Resets the session and lists the extensions (RFC 5321 4.1.4). */
export function extendedHello(name: string, state: SmtpState): Outcome<string> {
  state.greet(name, true);
  const lines = [state.settings.hostname, ...announcements(state)];
  const reply: Reply = { code: 250, enhanced: undefined, lines };
  return say(reply);
}
