/** RCPT (RFC 5321 4.1.1.3): one recipient; the bare postmaster is this host's. */

import type { Address } from '#base/address.ts';
import type { RcptParameters } from '../../parameters.ts';
import { type Command, mistake, say, words } from '../command.ts';
import { readRcptParameters } from '../parameter.ts';
import { type ReadPath, completed, readPath } from '../path.ts';
import { replies } from '../replies.ts';
import type { SmtpState } from '../session.ts';
import { afterKeyword } from './mail.ts';

interface Recipient {
  readonly forwardPath: Address;
  readonly parameters: RcptParameters;
}

export const rcpt: Command<Recipient> = {
  verb: 'RCPT',
  phases: ['mail', 'rcpt'],
  check(argument, state) {
    const { transaction, settings } = state;
    if (transaction === undefined) return mistake(replies.mailFirst);
    const text = afterKeyword(argument, 'TO:');
    const path = text === undefined ? undefined : readPath(text);
    if (path === undefined) return mistake(replies.rcptSyntax);
    if (transaction.recipients.length >= settings.limits.recipients) {
      return say(replies.tooManyRecipients);
    }
    const utf8 = transaction.parameters.smtpUtf8;
    if (!argument.wellFormed || (!utf8 && !argument.ascii)) return mistake(replies.needsUtf8);
    const forwardPath = recipientOf(path, state);
    if (forwardPath === undefined) return mistake(replies.badRecipient);
    const parameters = readRcptParameters(path.rest, state);
    if ('code' in parameters) return mistake(parameters);
    const input = { forwardPath, parameters };
    return { kind: 'ask', question: { kind: 'rcpt', ...input }, input };
  },
  proceed({ forwardPath, parameters }, state, answer) {
    state.transaction?.recipients.push({ address: forwardPath, parameters });
    state.phase = 'rcpt';
    return say(words(answer, replies.recipientOk));
  },
};

/** RFC 5321 4.1.1.3: `<postmaster>` needs no domain, in any case of letters. */
function recipientOf(path: ReadPath, { settings }: SmtpState): Address | undefined {
  if (path.text.toLowerCase() === 'postmaster') {
    return { localPart: path.text, local: path.text, domain: settings.postmasterDomain() };
  }
  return path.address ?? completed(path, settings.origin);
}
