/** The first part of a notice: what happened, to whom, why, and what to do, in words. */

import { formatDate } from '#message/date.ts';
import { firstField, readHead } from '#message/fields.ts';
import { decodeWords } from '#message/words.ts';
import { explain } from './explain.ts';
import type { NoticeFacts, NoticeKind, NoticeRecipient } from './facts.ts';
import { publicHost, publicText } from './hosts.ts';
import { answerLines } from './status-fields.ts';

const COLUMNS = 72;
const SUBJECT_CHARACTERS = 200;
const REASON_CHARACTERS = 500;
const MINUTE_MS = 60_000;
/** Characters that turn text round, hide it, or end a line for some readers. */
const TRICKS =
  /[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

const OPENING: Readonly<Record<NoticeKind, string>> = {
  failed: 'Your message could not be delivered to',
  delayed: 'Your message has not been delivered yet to',
  relayed: 'Your message was handed over to the next server for',
  delivered: 'Your message was delivered to',
};

const CLOSING: Readonly<Record<NoticeKind, string>> = {
  failed: 'It will not be tried again for the recipients named above.',
  delayed:
    'You need not do anything: it will be tried again, and you will hear of it if it is given up. ' +
    'There will be no further warning.',
  relayed:
    'That server does not confirm deliveries, so this is the last you will hear of it unless ' +
    'something goes wrong.',
  delivered: 'It is in the mailbox. That does not mean that it was read.',
};

/** The whole text, lines of at most 72 columns where words allow it, ended by CRLF. */
export function letter(facts: NoticeFacts, hostname: string): string {
  const { kind, recipients } = facts;
  const blocks = [
    [`This is the mail system at ${hostname}.`],
    wrap(`${OPENING[kind]} ${recipients.length === 1 ? 'this recipient' : 'these recipients'}:`),
    ...recipients.map((each) => about(facts, each)),
    wrap(CLOSING[kind]),
    theMessage(facts),
  ];
  return blocks.map((lines) => `${lines.join('\r\n')}\r\n`).join('\r\n');
}

/** The Subject of the notice; the address in it when there is one and it is short and plain. */
export function subjectOf({ kind, recipients }: NoticeFacts): string {
  const words: Readonly<Record<NoticeKind, string>> = {
    failed: 'Not delivered',
    delayed: 'Delayed, not delivered yet',
    relayed: 'Handed over',
    delivered: 'Delivered',
  };
  const [first] = recipients;
  const one = recipients.length === 1 && first !== undefined && first.address.length <= 100;
  const to = one ? shown(first.address) : `${recipients.length} recipients`;
  return `${words[kind]}: your message to ${to}`;
}

function about(facts: NoticeFacts, each: NoticeRecipient): string[] {
  const lines = [`  ${nameOf(each)}`];
  if (facts.kind === 'relayed' || facts.kind === 'delivered') {
    const host = publicHost(each.host);
    if (facts.kind === 'relayed' && host !== undefined) lines.push(...wrap(`by ${host}`, 4));
    return lines;
  }
  if (each.expired) lines.push(...wrap(`It was tried for ${spanOf(facts)}, in vain.`, 4));
  lines.push(...why(facts, each));
  if (facts.kind === 'delayed' && each.retryUntilMs !== undefined) {
    lines.push(...wrap(`It will be tried until ${formatDate(each.retryUntilMs)}.`, 4));
  }
  return lines;
}

function why({ kind, recipients }: NoticeFacts, each: NoticeRecipient): string[] {
  // For what was given up the last answer tells more than "time is over".
  const status = each.expired ? (each.reply?.enhanced ?? each.status) : each.status;
  const { why, cure } = explain(status);
  const reason = shown(publicText(each.reason)).slice(0, REASON_CHARACTERS);
  const own = each.reply === undefined && reason !== '' ? asSentence(reason) : why;
  const lines = wrap(own, 4);
  if (kind === 'failed') lines.push(...wrap(cure, 4));
  if (each.reply === undefined) return lines;
  const host = publicHost(each.host);
  lines.push(...wrap(`The words of ${host === undefined ? 'the other server' : host}:`, 4));
  lines.push(...answerLines(each.reply, recipients.length).map((line) => `      ${line}`));
  return lines;
}

/** What the sender wrote, and what became of it when that is something else. */
function nameOf({ address, originalRecipient }: NoticeRecipient): string {
  const original = /^rfc822;(.*)$/is.exec(originalRecipient ?? '')?.[1]?.trim();
  if (original === undefined || original === '') return shown(address);
  const same = original.toLowerCase() === address.toLowerCase();
  return same ? shown(address) : `${shown(original.slice(0, 254))} (sent on as ${shown(address)})`;
}

/** Which message it was: its sender wrote it, but may have written many. */
function theMessage({ mail, original }: NoticeFacts): string[] {
  const head = original === undefined ? undefined : readHead(original.head, { fields: 1_000 });
  const lines = ['The message:'];
  const subject = head === undefined ? undefined : firstField(head, 'subject');
  if (subject !== undefined) {
    const text = shown(decodeWords(subject.value)).slice(0, SUBJECT_CHARACTERS).toWellFormed();
    lines.push(...wrap(`Subject: ${text}`, 2));
  }
  lines.push(`  Received here: ${formatDate(mail.acceptedMs)}`, `  Our name for it: ${mail.id}`);
  return lines;
}

function spanOf({ mail, nowMs }: NoticeFacts): string {
  const minutes = Math.max(1, Math.round((nowMs - mail.acceptedMs) / MINUTE_MS));
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

function asSentence(text: string): string {
  const first = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** Text from elsewhere for people's eyes: no controls, nothing that turns or hides it. */
function shown(text: string): string {
  return text.toWellFormed().replace(TRICKS, '?');
}

/** Words into lines; a word that is longer than a line stands alone. */
function wrap(text: string, indent = 0): string[] {
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > COLUMNS - indent) {
      lines.push(margin + line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(margin + line);
  return lines;
}
