/** Words, comments and semicolons of a Received field: one linear pass, whatever stands there. */

import { skipComment, skipQuoted } from '#message/mailbox-scan.ts';

export type Item =
  | { readonly kind: 'word'; readonly text: string }
  /** Without the outer parentheses; inner ones stay. */
  | { readonly kind: 'comment'; readonly text: string }
  /** `at`: the offset after it. */
  | { readonly kind: 'semicolon'; readonly at: number };

/** Characters of one field that are read; the longest honest ones have about 1,000. */
export const RECEIVED_CHARACTERS = 8_192;
const BRACKET_CHARACTERS = 64;
const ENDS_WORD = new Set(' \t\r\n(;"[');

/** Reads an unfolded value; what is too long is cut. Never fails. */
export function readItems(value: string): readonly Item[] {
  const text = value.length > RECEIVED_CHARACTERS ? value.slice(0, RECEIVED_CHARACTERS) : value;
  const items: Item[] = [];
  // After one without an end, quotes and parentheses are ordinary: no second search to the end.
  const open = { quotes: true, comments: true };
  let at = 0;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === ';') items.push({ kind: 'semicolon', at: ++at });
    else if (isBlank(character)) at++;
    else if (character === '(' && open.comments) {
      const end = skipComment(text, at);
      if (end === -1) open.comments = false;
      else {
        items.push({ kind: 'comment', text: text.slice(at + 1, end - 1).replace(/\s+/g, ' ') });
        at = end;
      }
    } else {
      const end = endOfWord(text, at, open);
      items.push({ kind: 'word', text: text.slice(at, end) });
      at = end;
    }
  }
  return items;
}

/** After a word that begins at `from`: quoted strings and brackets are part of it. */
function endOfWord(
  text: string,
  from: number,
  open: { quotes: boolean; readonly comments: boolean },
): number {
  let at = from;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (!ENDS_WORD.has(character)) at++;
    else if (character === '"' && open.quotes) {
      const end = skipQuoted(text, at);
      if (end === -1) open.quotes = false;
      else at = end;
    } else if (character === '[') at = endOfBracket(text, at);
    else if (character === '"' || (character === '(' && !open.comments)) at++;
    else break;
  }
  return at;
}

/** `[IPv6:2001:db8::1]`, and Mimecast's `[(192.0.2.1)]`; without an end it is one character. */
function endOfBracket(text: string, at: number): number {
  const length = text.slice(at, at + BRACKET_CHARACTERS).indexOf(']');
  return length === -1 ? at + 1 : at + length + 1;
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\r' || character === '\n';
}
