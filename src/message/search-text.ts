/** What SEARCH looks at in a message: its texts, folded, in windows; one reading for scan and index. */

import { LF, asBuffer } from '#base/bytes.ts';
import { HEAD_BYTES } from '#base/limits.ts';
import { readHead } from './fields.ts';
import type { Part } from './part.ts';
import { partText } from './text.ts';
import { walkParts } from './tree.ts';
import { decodeWords } from './words.ts';

/** Octets that are needed next, or a text that is there; both in the order of the message. */
export type Look =
  | { readonly kind: 'read'; readonly from: number; readonly lengthBytes: number }
  | { readonly kind: 'text'; readonly text: string };

export interface SearchTextOptions {
  /** The fields of all heads too, those of inner messages included. */
  readonly heads: boolean;
  /** How much of a window comes again at the front of the next one: the length of a needle. */
  readonly overlap: number;
}

/** Octets of a part decoded at once: a few milliseconds of work. */
const WINDOW_OCTETS = 262_144;
const NOTHING = new Uint8Array(0);

/** Text as SEARCH compares it: without case, composed, white space as one blank (RFC 5255 4.2). */
export function foldText(text: string): string {
  const plain = /^[\x00-\x7f]*$/.test(text) ? text : text.normalize('NFKC');
  // A blank between two words stays as it is: most are.
  return plain.toLowerCase().replace(/[\t\r\n][ \t\r\n]*| [ \t\r\n]+/g, ' ');
}

/**
 * The texts of a message, folded. `read` goes on with the octets that were asked for (fewer only
 * where the message ends), `text` with anything.
 */
export function* searchTexts(
  root: Part,
  options: SearchTextOptions,
): Generator<Look, void, Uint8Array> {
  for (const part of walkParts(root)) {
    if (options.heads) {
      const head = yield { kind: 'read', from: part.headStart, lengthBytes: readableHead(part) };
      yield* headTexts(head);
    }
    if (part.type === 'text') yield* bodyTexts(part, options.overlap);
  }
}

/** How many octets `searchTexts` with heads reads. */
export function searchTextBytes(root: Part): number {
  let bytes = 0;
  for (const part of walkParts(root)) {
    bytes += readableHead(part) + (part.type === 'text' ? part.bodyBytes : 0);
  }
  return bytes;
}

/** Of a longer head the rest is no text: what it says was not read at its delivery either. */
function readableHead(part: Part): number {
  return Math.min(part.headBytes, HEAD_BYTES);
}

function* headTexts(head: Uint8Array): Generator<Look, void, Uint8Array> {
  for (const field of readHead(head).fields) {
    yield { kind: 'text', text: foldText(`${field.name}: ${decodeWords(field.value)}`) };
  }
}

/** Windows end at line ends, and each begins with what the one before ended with. */
function* bodyTexts(part: Part, overlap: number): Generator<Look, void, Uint8Array> {
  const end = part.bodyStart + part.bodyBytes;
  let before = '';
  for (let at = part.bodyStart; at < end;) {
    const lengthBytes = Math.min(WINDOW_OCTETS, end - at);
    const octets = yield { kind: 'read', from: at, lengthBytes };
    if (octets.length === 0) return;
    const lastLine = asBuffer(octets).lastIndexOf(LF);
    const cut = at + octets.length < end && lastLine > 0 ? lastLine + 1 : octets.length;
    const text = before + foldText(partText(part, octets.subarray(0, cut)));
    yield { kind: 'text', text };
    before = text.slice(text.length - Math.min(overlap, text.length));
    at += cut;
  }
}

/** Drives `searchTexts` where octets are at hand. */
export function eachSearchText(
  root: Part,
  options: SearchTextOptions,
  read: (from: number, lengthBytes: number) => Uint8Array,
  take: (text: string) => void,
): void {
  const looks = searchTexts(root, options);
  for (let next = looks.next(NOTHING); next.done !== true;) {
    const look = next.value;
    if (look.kind === 'text') {
      take(look.text);
      next = looks.next(NOTHING);
    } else {
      next = looks.next(read(look.from, look.lengthBytes));
    }
  }
}
