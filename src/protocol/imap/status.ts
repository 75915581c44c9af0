/** The items of STATUS (RFC 3501 6.3.10, 8438, 7889), for STATUS itself and for LIST-STATUS. */

import type { Mailbox } from '#store/mail.ts';
import { bad } from './completion.ts';
import { formatMailbox } from './mailbox-name.ts';
import type { ImapOptions } from './options.ts';
import type { Cursor } from './syntax/cursor.ts';

export type StatusItem = keyof typeof VALUES;

const VALUES = {
  MESSAGES: (mailbox: Mailbox) => mailbox.messages,
  RECENT: () => 0,
  UIDNEXT: (mailbox: Mailbox) => mailbox.uidNext,
  UIDVALIDITY: (mailbox: Mailbox) => mailbox.uidValidity,
  UNSEEN: (mailbox: Mailbox) => mailbox.unseen,
  HIGHESTMODSEQ: (mailbox: Mailbox) => Math.max(1, mailbox.highestModSeq),
  SIZE: (mailbox: Mailbox) => mailbox.sizeBytes,
  APPENDLIMIT: (_mailbox: Mailbox, options: ImapOptions) => options.messageBytes,
};

/** `(MESSAGES UNSEEN)`: at least one. */
export function readStatusItems(cursor: Cursor, options: ImapOptions): readonly StatusItem[] {
  const read = (): StatusItem => {
    const name = cursor.keyword();
    if (!isItem(name)) throw bad('There is no such status item');
    return name;
  };
  return [...new Set(cursor.list(read, options.listItems, 1))];
}

/** The whole untagged response. */
export function formatStatus(
  mailbox: Mailbox,
  items: readonly StatusItem[],
  options: ImapOptions,
): string {
  const values = items.map((item) => `${item} ${VALUES[item](mailbox, options)}`);
  return `* STATUS ${formatMailbox(mailbox.name)} (${values.join(' ')})\r\n`;
}

function isItem(name: string): name is StatusItem {
  return Object.hasOwn(VALUES, name);
}
