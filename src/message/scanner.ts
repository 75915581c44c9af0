/** The reader of message structure (RFC 2046): octets in any pieces, a tree with exact offsets out. */

import { PLAIN_LINE_BYTES, type PlainLines, asBuffer, concat, latin1 } from '#base/bytes.ts';
import type { Defect } from './defects.ts';
import { type Head, readHead } from './fields.ts';
import type { Part } from './part.ts';
import { PartTree, type StructureLimits } from './part-tree.ts';

/** A message as it was found. */
export interface Structure {
  readonly root: Part;
  /** The fields of the message itself. */
  readonly head: Head;
  readonly sizeBytes: number;
  /** Of all heads and bodies; offsets from the first octet of the message. */
  readonly defects: readonly Defect[];
}

const LF = 0x0a;
const CR = 0x0d;
/** Equal to no octet. */
const NO_OCTET = -1;
const DASH = 0x2d;
/** White space that a delimiter line may carry at its end (RFC 2046 5.1.1). */
const PADDING = 200;

/** How much of the current line is known: a delimiter begins with two dashes. */
const AT_START = 0;
const CANDIDATE = 2;
const PLAIN = 3;

/**
 * Push the octets of one message in any pieces, then call `finish` once. Memory holds the heads
 * only, never a body; pieces may be reused by the caller. Never throws; time is linear; any
 * chunking gives the same result.
 */
export class StructureScanner {
  readonly #tree: PartTree;
  readonly #candidateBytes: number;
  /** Offset of the current chunk, of the current line, and octets of the line end before it. */
  #offset = 0;
  #lineStart = 0;
  #lastEnd = 0;
  #lines = 0;
  #mode = AT_START;
  /** A line that begins with `--`, as far as it came. */
  #candidate = '';
  #endedInCr = false;
  /** The current head: pieces of earlier chunks, and where it goes on in this one. */
  #headPieces: Uint8Array[] = [];
  #headKept = 0;
  #headFrom = 0;

  constructor(limits: StructureLimits = {}) {
    this.#tree = new PartTree(limits);
    this.#candidateBytes = this.#tree.limits.boundaryBytes + PADDING;
    this.#tree.begin(0, false);
  }

  /** `known`: of the chunk's lines; what it says is believed. */
  push(chunk: Uint8Array, known?: PlainLines): void {
    const { length } = chunk;
    const buffer = asBuffer(chunk);
    let at = 0;
    this.#headFrom = 0;
    while (at < length) {
      if (this.#mode === AT_START) at = this.#plainLines(chunk, buffer, at, known);
      if (at === length) break;
      if (this.#mode < CANDIDATE) {
        if (chunk[at] === DASH && this.#tree.inMultipart) {
          this.#mode++;
          at++;
          continue;
        }
        this.#mode = PLAIN;
      }
      const found = buffer.indexOf(LF, at);
      const lf = found < 0 ? length : found;
      if (this.#mode === CANDIDATE) this.#keepCandidate(chunk, at, lf);
      if (lf === length) break;
      const crlf = lf > 0 ? chunk[lf - 1] === CR : this.#endedInCr;
      this.#endLine(this.#offset + lf, crlf, chunk);
      at = lf + 1;
    }
    // A copy: whoever pushed the chunk may let go of it. (`slice` of a Buffer would be none.)
    if (this.#tree.inHead) this.#keepHead(new Uint8Array(chunk.subarray(this.#headFrom)));
    if (length > 0) this.#endedInCr = chunk[length - 1] === CR;
    this.#offset += length;
  }

  /** Passes sound lines of a body that are no delimiters: nearly all that there are. */
  #plainLines(chunk: Uint8Array, buffer: Buffer, from: number, known?: PlainLines): number {
    const tree = this.#tree;
    if (tree.inHead) return from;
    const mayDelimit = tree.inMultipart;
    const stop = mayDelimit ? DASH : NO_OCTET;
    let at = from;
    while (at < chunk.length && chunk[at] !== stop) {
      if (at === known?.from) {
        this.#lines += known.count;
        at = known.to;
        continue;
      }
      const lf = buffer.indexOf(LF, at);
      if (lf <= at || chunk[lf - 1] !== CR || lf - 1 - at > PLAIN_LINE_BYTES) break;
      this.#lines++;
      at = lf + 1;
    }
    if (at > from) {
      this.#lineStart = this.#offset + at;
      this.#lastEnd = 2;
    }
    return at;
  }

  /** The whole message was pushed. */
  finish(): Structure {
    const tree = this.#tree;
    const sizeBytes = this.#offset;
    if (!tree.inHead) this.#checkLength(sizeBytes);
    const delimiter = this.#takeCandidate();
    // `--b` as the very last octets opens a part without anything: nothing is lost by it.
    if (delimiter !== undefined) this.#delimit(delimiter, sizeBytes);
    while (tree.inHead) this.#endHead(sizeBytes);
    const root = tree.finish(sizeBytes, this.#lines);
    const head = tree.rootHead ?? readHead(new Uint8Array(0));
    return { root, head, sizeBytes, defects: tree.defects.list() };
  }

  #endLine(lf: number, crlf: boolean, chunk: Uint8Array): void {
    const tree = this.#tree;
    const stop = crlf ? lf - 1 : lf;
    const after = lf + 1;
    if (!tree.inHead) {
      if (!crlf) tree.defects.note('bare-lf', lf);
      this.#checkLength(stop);
    }
    const delimiter = this.#takeCandidate();
    const next = after - this.#offset;
    if (delimiter !== undefined) {
      if (tree.inHead) this.#keepHead(chunk.subarray(this.#headFrom, next));
      this.#delimit(delimiter, after);
      this.#headFrom = next;
    }
    this.#lines++;
    if (tree.inHead && delimiter === undefined && stop === this.#lineStart) {
      this.#keepHead(chunk.subarray(this.#headFrom, next));
      this.#endHead(after);
      this.#headFrom = next;
    }
    this.#mode = AT_START;
    this.#lineStart = after;
    this.#lastEnd = crlf ? 2 : 1;
  }

  #checkLength(stop: number): void {
    if (stop - this.#lineStart > PLAIN_LINE_BYTES) {
      this.#tree.defects.note('long-line', this.#lineStart);
    }
  }

  #keepCandidate(chunk: Uint8Array, from: number, to: number): void {
    if (this.#candidate.length + to - from <= this.#candidateBytes) {
      this.#candidate += latin1(chunk.subarray(from, to));
    } else {
      this.#mode = PLAIN;
      this.#candidate = '';
    }
  }

  /** Which delimiter the current line is, if it is one. */
  #takeCandidate() {
    if (this.#mode !== CANDIDATE) return undefined;
    const line = this.#candidate;
    this.#candidate = '';
    return this.#tree.delimiterOf(line);
  }

  /** A delimiter line, which ends at `after`: it ends all that is inside its multipart. */
  #delimit(delimiter: { readonly level: number; readonly last: boolean }, after: number): void {
    // More than once where the part is a message: the one inside it is empty then.
    while (this.#tree.inHead) this.#endHead(this.#lineStart);
    const end = this.#lineStart - this.#lastEnd;
    const endLines = this.#lines - (this.#lastEnd > 0 ? 1 : 0);
    this.#tree.delimit(delimiter, { end, endLines, lineStart: this.#lineStart, after });
    this.#headPieces = [];
    this.#headKept = 0;
  }

  #keepHead(bytes: Uint8Array): void {
    const room = this.#tree.limits.headBytes - this.#headKept;
    this.#headKept += bytes.length;
    if (room > 0 && bytes.length > 0) {
      this.#headPieces.push(bytes.length > room ? bytes.subarray(0, room) : bytes);
    }
  }

  /** The body of the innermost part begins at `end`. */
  #endHead(end: number): void {
    const octets = concat(this.#headPieces);
    this.#headPieces = [];
    this.#headKept = 0;
    // A delimiter line that ends a head was kept with it: the tree cuts it off by the offsets.
    this.#tree.endHead(octets, end, this.#lines);
  }
}

/** The structure of a message that lies in memory, in one piece or several (head, body). */
export function readStructure(
  message: Uint8Array | readonly Uint8Array[],
  limits: StructureLimits = {},
): Structure {
  const scanner = new StructureScanner(limits);
  if (message instanceof Uint8Array) scanner.push(message);
  else for (const piece of message) scanner.push(piece);
  return scanner.finish();
}
