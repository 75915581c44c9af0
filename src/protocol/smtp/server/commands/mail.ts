/** MAIL (RFC 5321 4.1.1.2): who sends, and how the message will come. */

import type { ReversePath } from '#base/address.ts';
import type { MailParameters } from '../../parameters.ts';
import { type Argument, type Command, mistake, say, words } from '../command.ts';
import { readMailParameters } from '../parameter.ts';
import { completed, readPath } from '../path.ts';
import { replies } from '../replies.ts';
import { Transaction } from '../session.ts';

interface Sender {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
}

export const mail: Command<Sender> = {
  verb: 'MAIL',
  phases: ['ready'],
  check(argument, state) {
    const { settings, transactions } = state;
    if (settings.requireAuth && state.authenticated === undefined) {
      return mistake(replies.authRequired);
    }
    const most = settings.limits.transactions;
    if (most > 0 && transactions >= most) {
      return { kind: 'say', reply: replies.tooManyMessages, close: true };
    }
    const text = afterKeyword(argument, 'FROM:');
    const path = text === undefined ? undefined : readPath(text);
    if (path === undefined) return mistake(replies.mailSyntax);
    if (!argument.wellFormed) return mistake(replies.needsUtf8);
    const parameters = readMailParameters(path.rest, state);
    if ('code' in parameters) return mistake(parameters);
    if (!path.ascii && !parameters.smtpUtf8) return mistake(replies.needsUtf8);
    const reversePath =
      path.address === undefined ? completed(path, settings.origin) : path.address;
    if (reversePath === undefined) return mistake(replies.badSender);
    const input = { reversePath, parameters };
    return { kind: 'ask', question: { kind: 'mail', ...input }, input };
  },
  proceed({ reversePath, parameters }, state, answer) {
    state.begin(new Transaction(reversePath, parameters, state.settings.limits.contentLineBytes));
    return say(words(answer, replies.senderOk));
  },
};

/** What follows `FROM:` or `TO:`; spaces after the colon are common and let through. */
export function afterKeyword({ text }: Argument, keyword: string): string | undefined {
  if (text.slice(0, keyword.length).toUpperCase() !== keyword) return undefined;
  let from = keyword.length;
  while (text.charCodeAt(from) === 0x20) from += 1;
  return text.slice(from);
}
