/** Answers compared by what they say, not by their code alone, with what differs by chance left out. */

import { isLost, type Lost } from '../wire/wire.ts';
import type { SmtpReply } from '../wire/smtp.ts';

/** What kind of answer: 252 says nothing on purpose (RFC 5321 3.5.3), 4xx says "not now". */
export type Kind = 'accepted' | 'unable' | 'later' | 'refused';

export interface Signature {
  /** Equal for answers that nobody can tell apart: code, enhanced code, text, what followed. */
  readonly key: string;
  /** The same without the text, for servers whose text is never twice the same. */
  readonly coarse: string;
  readonly kind: Kind;
  readonly code: number;
  /** As it was said, for people. */
  readonly text: string;
}

export interface Answer {
  readonly name: string;
  readonly signature: Signature;
  /** From the answer before it (or the question) to this one. */
  readonly ms: number;
}

/** The signature of an SMTP reply to a question about `name`. */
export function smtpSignature(reply: SmtpReply, name: string, closed = false): Signature {
  const { code, enhanced, lines } = reply;
  const words = normalText(lines.join(' '), name);
  const coarse = `${code} ${enhanced ?? '-'}${closed ? ' (closes)' : ''}`;
  const key = `${coarse} ${words}`;
  const text = `${code} ${enhanced === undefined ? '' : `${enhanced} `}${lines.join(' / ')}`;
  return { key, coarse, kind: kindOf(code), code, text };
}

/** The signature of words in another protocol: `status` stands for the code. */
export function wordSignature(
  status: string,
  words: string,
  name: string,
  kind: Kind = 'refused',
): Signature {
  const key = `${status} ${normalText(words, name)}`;
  return { key, coarse: status, kind, code: 0, text: `${status} ${words}`.trim() };
}

export function kindOf(code: number): Kind {
  if (code === 252) return 'unable';
  if (code >= 200 && code < 300) return 'accepted';
  return code >= 400 && code < 500 ? 'later' : 'refused';
}

/** Whether a reply means "no more on this connection" (RFC 5321 3.8) rather than this name. */
export function isLimit(reply: SmtpReply | Lost): boolean {
  if (isLost(reply)) return true;
  const tooMany = reply.code === 452 && reply.enhanced !== '4.2.2' && reply.enhanced !== '4.1.1';
  // RFC 5321 4.5.3.1.10: 552 is an old 452; a mailbox that is full has it, too (5.2.2).
  const said =
    reply.code === 552 && /\btoo many (?:recipients|rcpts?)\b/i.test(reply.lines.join(' '));
  return reply.code === 421 || tooMany || said;
}

/** Whether an answer speaks of a mailbox that is not there: then it may differ for others. */
export function speaksOfUsers({ text }: Signature): boolean {
  if (/ [45]\.1\.[0136] | [45]\.2\.1 /.test(` ${text} `)) return true;
  return /\b(?:unknown|no such|not found|does ?n.t exist|not exist|unrouteable|no mailbox|not local|invalid recipient)\b/i.test(
    text,
  );
}

/** Lower case; the name itself, addresses, numbers and ids are taken out: they differ anyway. */
function normalText(text: string, name: string): string {
  return withoutName(text.slice(0, 500).toLowerCase(), name.toLowerCase())
    .replace(/<[^<>\s]*>/g, '<*>')
    .replace(/\S*@\S*/g, '@')
    .replace(/\b(?=[a-z]*\d)[a-z\d]{2,}\b|\d/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The name, and quotes about it, as `*`; only as a word of its own: `cannot` is not of `ann`. */
function withoutName(text: string, name: string): string {
  if (name === '') return text;
  let result = '';
  let from = 0;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (at < from) continue;
    const end = at + name.length;
    if (isWord(text[at - 1]) || isWord(text[end])) continue;
    const opens = at > from && text[at - 1] === '"' && !isWord(text[at - 2]);
    const closes = text[end] === '"' && !isWord(text[end + 1]);
    result += `${text.slice(from, opens ? at - 1 : at)}*`;
    from = closes ? end + 1 : end;
  }
  return result + text.slice(from);
}

function isWord(letter: string | undefined): boolean {
  return letter !== undefined && /[a-z\d]/.test(letter);
}
