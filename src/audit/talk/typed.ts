/** A line as a person types it: octets with escapes, or an order to ourselves that begins with `/`. */

import { concat, fromLatin1, utf8 } from '#base/bytes.ts';

/** `send`: these octets; `order`: `/word rest`; `wrong`: an escape that is none. */
export type Typed =
  | { readonly kind: 'send'; readonly octets: Uint8Array }
  | { readonly kind: 'order'; readonly word: string; readonly rest: string }
  | { readonly kind: 'wrong'; readonly why: string };

/** Reads one typed line: `\r \n \t \0 \\ \xNN` are octets; a CRLF is put behind, `//` is a slash. */
export function parseTyped(line: string): Typed {
  if (line.startsWith('/') && !line.startsWith('//')) {
    const [, word = '', rest = ''] = /^\/(\S*)\s*([^]*)$/.exec(line) ?? [];
    return { kind: 'order', word: word.toLowerCase(), rest: rest.trimEnd() };
  }
  const octets = parseOctets(line.startsWith('//') ? line.slice(1) : line);
  if (typeof octets === 'string') return { kind: 'wrong', why: octets };
  return { kind: 'send', octets: concat([octets, fromLatin1('\r\n')]) };
}

/** Text with escapes to octets, other characters as UTF-8; text says which escape is none. */
export function parseOctets(text: string): Uint8Array | string {
  const pieces: Uint8Array[] = [];
  const token = /\\(?:x([0-9a-fA-F]{2})|([rnt0\\]))|\\|[^\\]+/g;
  for (const match of text.matchAll(token)) {
    const [whole, hex, letter] = match;
    if (hex !== undefined) pieces.push(Uint8Array.of(Number.parseInt(hex, 16)));
    else if (letter !== undefined) pieces.push(fromLatin1(LETTERS.get(letter) ?? ''));
    else if (whole === '\\') {
      const shown = text.slice(match.index, match.index + 4);
      return `${shown} is no escape: \\r \\n \\t \\0 \\\\ \\xNN are`;
    } else pieces.push(utf8(whole));
  }
  return concat(pieces);
}

const LETTERS: ReadonlyMap<string, string> = new Map([
  ['r', '\r'],
  ['n', '\n'],
  ['t', '\t'],
  ['0', '\0'],
  ['\\', '\\'],
]);
