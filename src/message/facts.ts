/** What search, threads and lists need of a message, computed once, when it is delivered. */

import { foldSpace } from './charset.ts';
import { parseDate } from './date.ts';
import { type Head, readHead } from './fields.ts';
import { parseMessageId, parseMessageIds, threadIds } from './ids.ts';
import type { Part } from './part.ts';
import { encodeParts } from './tree.ts';
import { decodeWords } from './words.ts';

/** `MessageFacts` of the store without what protocol/imap formats from the same tree. */
export interface ReaderFacts extends HeadFacts {
  readonly parts: string;
}

/** Of those, what the head alone says. */
export interface HeadFacts {
  readonly sentMs: number | undefined;
  readonly messageId: string | undefined;
  readonly references: readonly string[];
  readonly subject: string;
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
}

const REFERENCES = 50;

/** The facts of a message; `head` is the one that `root` was read from, as octets or read. */
export function messageFacts(head: Uint8Array | Head, root: Part): ReaderFacts {
  const read = head instanceof Uint8Array ? readHead(head) : head;
  return { parts: encodeParts(root), ...headFacts(read) };
}

/** What the fields of a head say; trace fields in front of them change nothing. */
export function headFacts({ fields }: Head): HeadFacts {
  const text = { subject: '', from: '', to: '', cc: '', bcc: '' };
  let date: string | undefined;
  let messageId: string | undefined;
  const references: string[] = [];
  const inReplyTo: string[] = [];
  for (const { key, value } of fields) {
    if (key === 'subject') text.subject = joined(text.subject, value);
    else if (key === 'from') text.from = joined(text.from, value);
    else if (key === 'to') text.to = joined(text.to, value);
    else if (key === 'cc') text.cc = joined(text.cc, value);
    else if (key === 'bcc') text.bcc = joined(text.bcc, value);
    else if (key === 'date') date ??= value;
    else if (key === 'message-id') messageId ??= value;
    else if (key === 'references') addIds(references, value);
    else if (key === 'in-reply-to') addIds(inReplyTo, value);
  }
  return {
    sentMs: date === undefined ? undefined : parseDate(date),
    messageId: messageId === undefined ? undefined : parseMessageId(messageId),
    references: threadIds(references, inReplyTo, REFERENCES),
    ...text,
  };
}

function addIds(ids: string[], value: string): void {
  for (const id of parseMessageIds(value)) ids.push(id);
}

/** Decoded, white space folded; of a field that stands twice everything is found. */
function joined(before: string, value: string): string {
  const text = searchText(value);
  return before === '' ? text : `${before}, ${text}`;
}

/** A field value (unfolded, octets as latin1) as text for SEARCH: decoded, white space folded. */
export function searchText(value: string): string {
  return foldSpace(decodeWords(value));
}
