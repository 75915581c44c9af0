/** DATA (RFC 5321 4.1.1.4): the content, ended by a dot alone on its line. */

import { type Command, mistake } from '../command.ts';
import { DataContent } from '../content.ts';
import { replies } from '../replies.ts';
import { noRecipients } from './bdat.ts';

export const data: Command = {
  verb: 'DATA',
  phases: ['mail', 'rcpt'],
  waits: true,
  check({ text }, { transaction }) {
    if (text !== '') return mistake(replies.noArgument);
    if (transaction === undefined) return mistake(replies.mailFirst);
    if (transaction.recipients.length === 0) return mistake(noRecipients(transaction));
    if (transaction.parameters.body === 'binarymime') return mistake(replies.binaryNeedsBdat);
    return { kind: 'ask', question: { kind: 'data' }, input: undefined };
  },
  proceed: (_input, { settings }) => ({
    kind: 'content',
    reply: replies.sendContent,
    content: new DataContent(settings.limits.contentLineBytes),
  }),
};
