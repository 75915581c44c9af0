/** Reads a command's tokens (RFC 3501 9): lines and the literals between them, one walk. */

import { fromLatin1, parseUtf8 } from '#base/bytes.ts';
import { bad } from '../completion.ts';
import type { Upload } from '../access.ts';

/** A line without its `{n}`, and the literal that followed it. */
export interface Piece {
  /** Octets as latin1. */
  readonly text: string;
  readonly literal: Uint8Array | Upload | undefined;
}

const ATOM = /[^(){ %*"\\\]\x00-\x1f\x7f-\xff]+/y;
const ASTRING = /[^(){ %*"\\\x00-\x1f\x7f-\xff]+/y;
const LIST_MAILBOX = /[^(){ "\\\x00-\x1f\x7f-\xff]+/y;
const TAG = /[^(){ %*"\\+\x00-\x1f\x7f-\xff]+/y;
const DIGITS = /\d+/y;
const QUOTED = /"((?:[^"\\\x00\r\n]|\\["\\])*)"/y;
const NUMBER_MAX = 4_294_967_295;

export class Cursor {
  readonly #pieces: readonly Piece[];
  #piece = 0;
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** The next character; empty at the end of a line, before a literal too. */
  peek(): string {
    return this.#text[this.#at] ?? '';
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length && this.#piece >= this.#pieces.length - 1;
  }

  /** Nothing may follow. */
  end(): void {
    if (!this.atEnd() || this.#literal !== undefined) throw bad('Something follows the arguments');
  }

  /** Whether the next thing is a literal. */
  atLiteral(): boolean {
    return this.#at >= this.#text.length && this.#literal !== undefined;
  }

  tryTake(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  /** A word in any case and the space after it, if it is there. */
  tryTakeWord(word: string): boolean {
    const { length } = word;
    const next = this.#text.slice(this.#at, this.#at + length + 1);
    if (next.toUpperCase() !== `${word} `) return false;
    this.#at += length + 1;
    return true;
  }

  take(expected: string): void {
    if (!this.tryTake(expected)) {
      throw bad(expected === ' ' ? 'An argument is missing' : `${expected} expected`);
    }
  }

  space(): void {
    this.take(' ');
  }

  tag(): string {
    return this.#match(TAG) ?? reject('A command begins with a tag');
  }

  atom(): string {
    return this.#match(ATOM) ?? reject('An atom is expected');
  }

  /** An atom, upper case: a keyword of the protocol. */
  keyword(): string {
    return this.atom().toUpperCase();
  }

  /** A keyword if there is one. */
  tryKeyword(): string | undefined {
    return this.#match(ATOM)?.toUpperCase();
  }

  digits(): string {
    return this.#match(DIGITS) ?? reject('A number is expected');
  }

  /** 0 to 2^32-1. */
  number(): number {
    const digits = this.digits();
    const value = digits.length > 10 ? Infinity : Number(digits);
    if (value > NUMBER_MAX) throw bad('The number is too large');
    return value;
  }

  /** Characters of a class, as a sticky expression; undefined when there are none. */
  match(expression: RegExp): string | undefined {
    return this.#match(expression);
  }

  /** A quoted string or a literal: octets. */
  string(): Uint8Array {
    return this.#tryString() ?? reject('A string is expected');
  }

  /** An atom, a quoted string or a literal: octets. */
  astring(): Uint8Array {
    const text = this.#tryString();
    if (text !== undefined) return text;
    return fromLatin1(this.#match(ASTRING) ?? reject('A string is expected'));
  }

  /** A string, or undefined for NIL. */
  nstring(): Uint8Array | undefined {
    const text = this.#tryString();
    if (text !== undefined) return text;
    if (this.tryKeyword() !== 'NIL') throw bad('A string or NIL is expected');
    return undefined;
  }

  /** A LIST pattern: wildcards and `]` are let through unquoted. */
  pattern(): Uint8Array {
    const text = this.#tryString();
    if (text !== undefined) return text;
    return fromLatin1(this.#match(LIST_MAILBOX) ?? reject('A pattern is expected'));
  }

  /** Text for people and for logins: UTF-8, no control characters. */
  text(): string {
    const text = parseUtf8(this.astring());
    if (text === undefined || /[\x00-\x1f\x7f]/.test(text)) throw bad('The string is no text');
    return text;
  }

  /** `(a b c)` with `item` for each; at most `max`, at least `min`. */
  list<T>(item: () => T, max: number, min = 0): T[] {
    this.take('(');
    const items: T[] = [];
    if (this.tryTake(')')) {
      if (min > 0) throw bad('The list is empty');
      return items;
    }
    for (;;) {
      items.push(item());
      if (items.length > max) throw bad('The list is too long');
      if (this.tryTake(')')) return items;
      this.space();
    }
  }

  /** The message that streamed by: APPEND only. */
  upload(): Upload {
    const literal = this.#literal;
    if (!this.atLiteral() || literal === undefined || literal instanceof Uint8Array) {
      throw bad('A message is expected as a literal');
    }
    this.#next();
    return literal;
  }

  get #text(): string {
    return this.#pieces[this.#piece]?.text ?? '';
  }

  get #literal(): Uint8Array | Upload | undefined {
    return this.#pieces[this.#piece]?.literal;
  }

  #next(): void {
    this.#piece++;
    this.#at = 0;
  }

  #tryString(): Uint8Array | undefined {
    const literal = this.#literal;
    if (this.atLiteral() && literal instanceof Uint8Array) {
      this.#next();
      return literal;
    }
    if (this.peek() !== '"') return undefined;
    const quoted = this.#match(QUOTED);
    if (quoted === undefined) throw bad('The quoted string does not end, or has a wrong escape');
    return fromLatin1(quoted.slice(1, -1).replace(/\\(["\\])/g, '$1'));
  }

  /** `expression` is sticky; its place is ours for the moment of the call. */
  #match(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

function reject(text: string): never {
  throw bad(text);
}
