/** A header block as a list of fields with offsets (RFC 5322 2.2): nothing lost, nothing guessed. */

import { isAscii, isUtf8 } from 'node:buffer';
import { CR, latin1 } from '#base/bytes.ts';
import { HEAD_FIELDS } from '#base/limits.ts';
import { type Defect, Defects } from './defects.ts';

export interface Field {
  /** As written, without white space before the colon. */
  readonly name: string;
  /** The name in lower case: what lookups compare. */
  readonly key: string;
  /** Everything after the colon up to the last line end, octets as latin1, folds kept. */
  readonly raw: string;
  /** Unfolded (RFC 5322 2.2.3), white space at both ends taken away, octets as latin1. */
  readonly value: string;
  /** Offsets in the head: the name's first octet, the first after the colon, after the line end. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

export interface Head {
  readonly fields: readonly Field[];
  /** Octets up to and with the empty line. */
  readonly headBytes: number;
  /** Whether the empty line was there. */
  readonly complete: boolean;
  readonly defects: readonly Defect[];
}

export interface HeadLimits {
  /** Fields that are listed; more are a defect. Default: one more than a server takes. */
  readonly fields?: number;
}

const LINE_OCTETS = 998;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/**
 * Reads a header block up to and with its empty line; octets after that are not looked at. Line
 * ends are CRLF or, as a defect, LF. Never fails; takes time linear in the octets given.
 */
export function readHead(bytes: Uint8Array, limits: HeadLimits = {}): Head {
  const text = latin1(bytes);
  const lines = new Lines(text);
  const defects = lines.defects;
  const maxFields = limits.fields ?? HEAD_FIELDS + 1;
  const fields: Field[] = [];
  let more = lines.next();
  if (more && isBlank(text, lines.start)) {
    defects.note('orphan-continuation', 0);
    while (more && isBlank(text, lines.start)) more = lines.next();
  }
  while (more) {
    const { start } = lines;
    const nameEnd = endOfName(text, start, lines.stop);
    const colon = skipBlanks(text, nameEnd, lines.stop);
    let { stop, end } = lines;
    const single = stop;
    while ((more = lines.next()) && isBlank(text, lines.start)) ({ stop, end } = lines);
    if (text.charCodeAt(colon) !== COLON || colon >= single) {
      const named = text.slice(start, single).includes(':');
      defects.note(named ? 'bad-field-name' : 'missing-colon', start);
    } else if (nameEnd === start) defects.note('bad-field-name', start);
    else if (fields.length >= maxFields) defects.note('too-many-fields', start);
    else {
      if (colon !== nameEnd) defects.note('space-before-colon', start);
      fields.push(makeField(text, start, nameEnd, colon + 1, stop, end, stop !== single));
    }
  }
  if (!lines.complete) defects.note('no-empty-line', lines.headBytes);
  noteOctets(bytes, text, lines.headBytes, defects);
  const { headBytes, complete } = lines;
  return { fields, headBytes, complete, defects: defects.list() };
}

/** The first field of a name (any case), or undefined. */
export function firstField(head: Head, name: string): Field | undefined {
  const key = name.toLowerCase();
  for (const field of head.fields) if (field.key === key) return field;
  return undefined;
}

/** All fields of a name (any case), in order. */
export function allFields(head: Head, name: string): readonly Field[] {
  const key = name.toLowerCase();
  return head.fields.filter((field) => field.key === key);
}

/** How many fields of a name (any case) there are. */
export function countFields(head: Head, name: string): number {
  const key = name.toLowerCase();
  let count = 0;
  for (const field of head.fields) if (field.key === key) count++;
  return count;
}

/** Where the head of a message ends: after its empty line, or undefined if there is none. */
export function headEnd(message: Uint8Array): number | undefined {
  let at = 0;
  for (;;) {
    if (message[at] === 0x0a) return at + 1;
    if (message[at] === CR && message[at + 1] === 0x0a) return at + 2;
    const lf = message.indexOf(0x0a, at);
    if (lf === -1) return undefined;
    at = lf + 1;
  }
}

/** The lines of a head, one at a time, noting what is wrong with them. */
class Lines {
  readonly defects = new Defects();
  readonly #text: string;
  /** First octet; after the last octet without and with the line end. */
  start = 0;
  stop = 0;
  end = 0;
  complete = false;
  headBytes = 0;
  /** The next CR not yet passed: looked for again only then, or many lines would cost n². */
  #cr = -1;

  constructor(text: string) {
    this.#text = text;
    this.#cr = indexOrEnd(text, '\r', 0);
  }

  next(): boolean {
    const text = this.#text;
    const start = this.end;
    if (this.complete || start >= text.length) return false;
    const lf = text.indexOf('\n', start);
    this.start = start;
    this.end = lf === -1 ? text.length : lf + 1;
    const crlf = lf > start && text.charCodeAt(lf - 1) === CR;
    this.stop = lf === -1 ? this.end : lf - (crlf ? 1 : 0);
    this.headBytes = this.end;
    if (lf !== -1 && !crlf) this.defects.note('bare-lf', lf);
    if (this.#cr < this.stop) this.defects.note('bare-cr', this.#cr);
    if (this.#cr < this.end) this.#cr = indexOrEnd(text, '\r', this.end);
    if (this.stop === start && lf !== -1) {
      this.complete = true;
      return false;
    }
    if (this.stop - start > LINE_OCTETS) this.defects.note('long-line', start);
    return true;
  }
}

function indexOrEnd(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at === -1 ? Infinity : at;
}

function makeField(
  text: string,
  start: number,
  nameEnd: number,
  valueStart: number,
  stop: number,
  end: number,
  folded: boolean,
): Field {
  const name = text.slice(start, nameEnd);
  const raw = text.slice(valueStart, stop);
  // Every line end inside a field is followed by white space, or it would not be inside.
  const value = trimBlanks(folded ? raw.replace(/\r?\n/g, '') : raw);
  return { name, key: name.toLowerCase(), raw, value, start, valueStart, end };
}

/** Without spaces and tabs at both ends; `trim` would take other characters too. */
export function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text, from)) from++;
  while (to > from && isBlank(text, to - 1)) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

/** RFC 5322 3.6.8 `ftext`: printable ASCII without the colon. */
function endOfName(text: string, from: number, stop: number): number {
  let at = from;
  while (at < stop) {
    const code = text.charCodeAt(at);
    if (code <= SPACE || code > 0x7e || code === COLON) break;
    at++;
  }
  return at;
}

function skipBlanks(text: string, from: number, stop: number): number {
  let at = from;
  while (at < stop && isBlank(text, at)) at++;
  return at;
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === SPACE || code === TAB;
}

function noteOctets(bytes: Uint8Array, text: string, headBytes: number, defects: Defects): void {
  const nul = text.indexOf('\0');
  if (nul !== -1 && nul < headBytes) defects.note('nul', nul);
  const octets = headBytes === bytes.length ? bytes : bytes.subarray(0, headBytes);
  if (!isAscii(octets)) defects.note(isUtf8(octets) ? 'eight-bit-head' : 'not-utf8-head', 0);
}
