/** Cuts an mbox into its messages (RFC 4155 and its four quarrelling forms) while it streams by. */

import { CR, LF, asBuffer, concat, latin1 } from '#base/bytes.ts';

/**
 * How `From ` at the beginning of a body's line is kept: `o` puts `>` before it, `rd` before it and
 * before what has such marks already, `cl` does as `o` and has Content-Length, `cl2` has that alone.
 */
export type MboxForm = 'o' | 'rd' | 'cl' | 'cl2';

/** What is done with each message: octets as they come, then the end. */
export interface MessageSink {
  push(bytes: Uint8Array): void;
  end(): void;
}

/**
 * Whether the octets at an offset of the file begin a new message, or are the file's end;
 * undefined where nobody can look ahead (a pipe).
 */
export type LooksAhead = (offset: number) => boolean | undefined;

export interface MboxOptions {
  /** Undefined: `rd`, with Content-Length believed where the file shows that it is right. */
  readonly form?: MboxForm | undefined;
  readonly looksAhead?: LooksAhead;
}

/** Of a line, as much as is looked at; a longer one is no `From ` line and needs no quotes. */
const LINE_BYTES = 1_024;
const HEAD_LINES = 100_000;
const LENGTHS = 10;
/** `From alice@example.org Sun Nov 22 10:00:00 2026`, zones and years in the usual places. */
const FROM_LINE =
  /^From .{0,300}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .{0,40}\d{1,2}:\d{2}(?::\d{2})?.{0,40}\d{4}/;
const CONTENT_LENGTH = /^content-length[ \t]*:[ \t]*(\d{1,12})[ \t\r]*$/i;

/** Push the octets of an mbox in any pieces, then call `finish`. Memory: one line's beginning. */
export class MboxSplitter {
  readonly #open: () => MessageSink;
  readonly #options: MboxOptions;
  #sink: MessageSink | undefined;
  #offset = 0;
  /** Beginning of a line that has not ended; its rest goes straight through. */
  #line: Uint8Array[] = [];
  #lineBytes = 0;
  #longLine = false;
  #afterEmpty = true;
  #inHead = false;
  #headLines = 0;
  /** What the head's Content-Length fields say: the sender may have put one there too. */
  #lengths: number[] = [];
  /** Octets of the body that are passed on unread, by Content-Length. */
  #blind = 0;
  /** A line end that may belong to the separator and not to the message. */
  #heldEnd: Uint8Array | undefined;

  constructor(open: () => MessageSink, options: MboxOptions = {}) {
    this.#open = open;
    this.#options = options;
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#blind > 0) {
        const length = Math.min(this.#blind, bytes.length - at);
        this.#give(bytes.subarray(at, at + length));
        this.#blind -= length;
        this.#offset += length;
        at += length;
        if (this.#blind === 0) this.#afterEmpty = true;
        continue;
      }
      const lf = asBuffer(bytes).indexOf(LF, at);
      const end = lf === -1 ? bytes.length : lf + 1;
      this.#piece(bytes.subarray(at, end), lf !== -1);
      at = end;
    }
  }

  finish(): void {
    if (this.#line.length > 0) this.#endLine(this.#takeLine());
    this.#close();
  }

  #piece(piece: Uint8Array, ended: boolean): void {
    this.#offset += piece.length;
    if (this.#longLine) {
      this.#give(piece);
      if (ended) this.#longLine = false;
      return;
    }
    this.#lineBytes += piece.length;
    if (this.#lineBytes > LINE_BYTES && !ended) {
      const line = concat([...this.#line, piece]);
      this.#line = [];
      this.#lineBytes = 0;
      this.#longLine = true;
      this.#afterEmpty = false;
      this.#give(line);
    } else if (ended) {
      const line = this.#line.length === 0 ? piece : concat([...this.#line, piece]);
      this.#line = [];
      this.#lineBytes = 0;
      this.#endLine(line);
    } else this.#line.push(piece.slice());
  }

  #takeLine(): Uint8Array {
    const line = concat(this.#line);
    this.#line = [];
    this.#lineBytes = 0;
    return line;
  }

  #endLine(whole: Uint8Array): void {
    const line = this.#sink === undefined ? withoutMark(whole) : whole;
    const first = line[0];
    if (first === 0x46 && this.#afterEmpty && this.#isSeparator(line)) return this.#begin();
    if (this.#inHead) return this.#headLine(line);
    const empty = first === LF || (first === CR && line.length === 2);
    // The empty line before a separator is not the message's: held until the next line is known.
    if (empty) {
      this.#flushEnd();
      this.#heldEnd = line.slice();
      this.#afterEmpty = true;
      return;
    }
    this.#afterEmpty = false;
    this.#give(first === 0x3e ? this.#unquoted(line) : line);
  }

  #isSeparator(line: Uint8Array): boolean {
    if (line.length < 6 || latin1(line.subarray(0, 5)) !== 'From ') return false;
    // The first line of a file is one, however it goes on.
    return this.#sink === undefined || FROM_LINE.test(latin1(line.subarray(0, 400)));
  }

  #begin(): void {
    this.#close();
    this.#sink = this.#open();
    this.#inHead = true;
    this.#headLines = 0;
    this.#lengths = [];
    this.#afterEmpty = false;
  }

  #headLine(line: Uint8Array): void {
    this.#give(line);
    const text = line.length > 200 ? '' : latin1(line).replace(/\r?\n$/, '');
    if (text === '' && line.length <= 2) {
      this.#inHead = false;
      this.#afterEmpty = true;
      return this.#believeLength();
    }
    const length = CONTENT_LENGTH.exec(text)?.[1];
    if (length !== undefined && this.#lengths.length < LENGTHS) this.#lengths.push(Number(length));
    if (++this.#headLines > HEAD_LINES) this.#inHead = false;
  }

  /** Content-Length may be the sender's word: taken only where a message begins after it. */
  #believeLength(): void {
    const { form, looksAhead } = this.#options;
    if (form === 'o' || form === 'rd' || form === 'cl') return;
    if (form === undefined && looksAhead === undefined) return;
    // The longest: a shorter one of the sender's would end in a `From ` line of his own body.
    this.#blind =
      this.#lengths
        .toSorted((a, b) => b - a)
        .find((length) => looksAhead?.(this.#offset + length) ?? form === 'cl2') ?? 0;
  }

  #unquoted(line: Uint8Array): Uint8Array {
    const form = this.#options.form ?? 'rd';
    if (form === 'cl2') return line;
    let marks = 0;
    while (line[marks] === 0x3e) marks++;
    const quoted = latin1(line.subarray(marks, marks + 5)) === 'From ';
    return quoted && (form === 'rd' || marks === 1) ? line.subarray(1) : line;
  }

  #give(bytes: Uint8Array): void {
    this.#flushEnd();
    this.#sink?.push(bytes);
  }

  #flushEnd(): void {
    if (this.#heldEnd === undefined) return;
    this.#sink?.push(this.#heldEnd);
    this.#heldEnd = undefined;
  }

  #close(): void {
    this.#heldEnd = undefined;
    this.#sink?.end();
    this.#sink = undefined;
  }
}

/** Whether a file that begins so is an mbox. */
export function looksLikeMbox(start: Uint8Array): boolean {
  return latin1(withoutMark(start.subarray(0, 8))).startsWith('From ');
}

/** Without the byte order mark that editors put before what they save. */
function withoutMark(start: Uint8Array): Uint8Array {
  return latin1(start.subarray(0, 3)) === '\u00ef\u00bb\u00bf' ? start.subarray(3) : start;
}
