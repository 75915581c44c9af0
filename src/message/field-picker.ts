/** Picks fields out of header blocks by their names, as octets (RFC 3501 6.4.5 HEADER.FIELDS). */

import { CR, LF, NO_BYTES, endOfPlain, fromLatin1, latin1, wordsOf } from '#base/bytes.ts';

/**
 * Where in a header its fields lie that are (not) named, with their folded lines: each beginning
 * and end, one after another. The empty line behind them is not among these.
 */
export type PickFields = (head: Uint8Array) => readonly number[];

/**
 * What picks the fields with one of the names (in lower case), or where `wanted` is false all
 * others: made once for thousands of headers.
 */
export function fieldPicker(names: ReadonlySet<string>, wanted: boolean): PickFields {
  // Most fields begin with another letter than those that are named.
  const initials = new Uint8Array(256);
  for (const name of names) initials[SMALL[name.charCodeAt(0)] ?? 0] = 1;
  if (names.has('')) initials.fill(1);
  const isName = nameTest(names);
  let words = wordsOf(NO_BYTES);
  return (head) => {
    // The heads of many messages lie in the same memory.
    if (words.buffer !== head.buffer) words = wordsOf(head);
    const spans: number[] = [];
    let keep = false;
    let keptTo = -1;
    for (let at = 0; at < head.length;) {
      const first = head[at] ?? 0;
      if (first === CR || first === LF) break;
      if (first !== SPACE && first !== TAB) {
        const mayBe = initials[SMALL[first] ?? 0] === 1;
        keep = (mayBe || !wanted) && isNamed(head, at, isName) === wanted;
      }
      const from = at;
      at = lineEnd(head, words, at);
      if (!keep) continue;
      // Lines that follow one another are one span.
      if (keptTo === from) spans[spans.length - 1] = at;
      else spans.push(from, at);
      keptTo = at;
    }
    return spans;
  };
}

/** Behind the LF of a line, or the end. */
function lineEnd(head: Uint8Array, words: Int32Array, from: number): number {
  const { length } = head;
  let at = endOfPlain(head, words, from, length);
  while (at < length && head[at] !== LF) {
    at += 1;
    if (head[at] !== LF) at = endOfPlain(head, words, at, length);
  }
  return Math.min(at + 1, length);
}

/** Whether the field that begins there has one of the names; undefined: it is no field. */
function isNamed(head: Uint8Array, from: number, isName: NameTest): boolean | undefined {
  let colon = from;
  while (colon < head.length && head[colon] !== COLON) {
    if (head[colon] === LF) return undefined;
    colon += 1;
  }
  if (colon === head.length) return undefined;
  let end = colon;
  // RFC 5322 4.5: white space before the colon, as old writers put it.
  while (end > from && isBlank(head[end - 1] ?? 0)) end -= 1;
  return isName(head, from, end);
}

type NameTest = (head: Uint8Array, from: number, end: number) => boolean;

/** A few names are compared one by one; of a thousand that would be time for every line. */
function nameTest(names: ReadonlySet<string>): NameTest {
  if (names.size > FEW_NAMES) {
    return (head, from, end) => names.has(latin1(head.subarray(from, end)).toLowerCase());
  }
  const encoded = [...names].map(fromLatin1);
  return (head, from, end) => {
    for (const name of encoded) {
      if (name.length !== end - from) continue;
      let at = 0;
      while (at < name.length && SMALL[head[from + at] ?? 0] === name[at]) at += 1;
      if (at === name.length) return true;
    }
    return false;
  };
}

/** White space as `trim` has it, of the characters below 256. */
function isBlank(octet: number): boolean {
  return octet === SPACE || (octet >= TAB && octet <= CR) || octet === NO_BREAK_SPACE;
}

const FEW_NAMES = 30;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const NO_BREAK_SPACE = 0xa0;
/** Each octet as a small letter. */
const SMALL = Uint8Array.from({ length: 256 }, (_, octet) =>
  String.fromCharCode(octet).toLowerCase().charCodeAt(0),
);
