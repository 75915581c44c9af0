/** Takes the octets of one message as they come: hashes them, keeps the head, passes the body on. */

import { type Hash, createHash } from 'node:crypto';
import { CR, LF, NO_BYTES, asBuffer, concat, fromLatin1, latin1 } from '#base/bytes.ts';
import { HEAD_BYTES } from '#base/limits.ts';
import { readHead } from '#message/fields.ts';
import type { Specimen } from '../specimen.ts';

/** Who is given the body, CRLF as line ends, after the head. */
export interface BodySink {
  /** The head is complete; undefined: nobody wants the body. */
  begin(headOctets: Uint8Array): ((body: Uint8Array) => void) | undefined;
}

export interface ReaderLimits {
  /** Octets of a head that are read. */
  readonly headBytes?: number;
  /** Octets of a body that are kept, to find out why a signature broke. */
  readonly bodyBytes?: number;
}

const BODY_BYTES = 1_048_576;
const PIECES = 1_024;
const GATHER_BYTES = 8_192;
/** U+FEFF, which editors put before what they save. */
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];

/** How lines end: in CRLF, or in something else on the disk that is read as CRLF. */
type LineEnds = 'crlf' | 'lf' | 'cr';

/**
 * Memory is bounded by the two limits, whatever comes. If the first line ends in a bare LF, every
 * bare LF is taken for CRLF: mbox and Maildir keep mail so; where there is no LF at all, every CR.
 * What editors and copying put on top, a byte order mark and empty lines, is hashed and passed
 * over: the first field would be lost with it, and a forged line below be the newest. Never fails.
 */
export class SpecimenReader {
  readonly #name: string;
  readonly #sink: BodySink | undefined;
  readonly #headBytes: number;
  readonly #bodyBytes: number;
  readonly #hash: Hash = createHash('sha256');
  #sizeBytes = 0;
  /** Lines of an mbox come one by one: together they cost a fifth. */
  #gathered: Uint8Array | undefined;
  #gatheredBytes = 0;
  /** Octets of a byte order mark that were passed over; undefined: the message has begun. */
  #mark: number | undefined = 0;
  /** Undecided until the first line ended. */
  #ends: LineEnds | undefined;
  #undecided: Uint8Array[] = [];
  #undecidedBytes = 0;
  #lastOctet = 0;
  #inHead = true;
  /** How much of a line end, CRLF, and an empty line was just seen. */
  #lineEmpty = true;
  #headPieces: Uint8Array[] = [];
  #headKept = 0;
  #headCut = false;
  #headOctets: Uint8Array = NO_BYTES;
  #take: ((body: Uint8Array) => void) | undefined;
  #bodyPieces: Uint8Array[] | undefined = [];
  #bodyKept = 0;

  constructor(name: string, sink: BodySink | undefined, limits: ReaderLimits = {}) {
    this.#name = name;
    this.#sink = sink;
    this.#headBytes = limits.headBytes ?? HEAD_BYTES;
    this.#bodyBytes = limits.bodyBytes ?? BODY_BYTES;
  }

  /** The next octets; they are not kept, so the caller may use the memory again. */
  push(bytes: Uint8Array): void {
    if (this.#gatheredBytes + bytes.length > GATHER_BYTES) this.#flush();
    if (bytes.length > GATHER_BYTES) return this.#receive(bytes);
    this.#gathered ??= new Uint8Array(GATHER_BYTES);
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  finish(): Specimen {
    this.#flush();
    // A message that came by SMTP has an LF: nobody's but a file that was converted has none.
    if (this.#ends === undefined) this.#settle(this.#undecided.some(hasCr) ? 'cr' : 'crlf');
    if (this.#inHead) this.#endHead();
    const body = this.#bodyPieces;
    return {
      name: this.#name,
      sha256: this.#hash.digest('hex'),
      sizeBytes: this.#sizeBytes,
      headOctets: this.#headOctets,
      head: readHead(this.#headOctets),
      headCut: this.#headCut,
      unixLines: this.#ends === 'lf' || this.#ends === 'cr',
      body: this.#take === undefined || body === undefined ? undefined : concat(body),
      bodySeen: this.#take !== undefined,
    };
  }

  #flush(): void {
    const bytes = this.#gathered?.subarray(0, this.#gatheredBytes);
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    if (bytes !== undefined && bytes.length > 0) this.#receive(bytes);
  }

  #receive(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
    const octets = this.#mark === undefined ? bytes : this.#begun(bytes);
    if (this.#ends === undefined) this.#decide(octets);
    else this.#pass(octets);
  }

  /** What is left behind a byte order mark and empty lines. */
  #begun(bytes: Uint8Array): Uint8Array {
    let at = 0;
    for (; at < bytes.length && this.#mark !== undefined; at++) {
      const octet = bytes[at];
      if (octet === BYTE_ORDER_MARK[this.#mark]) this.#mark += 1;
      else if (octet === CR || octet === LF) this.#mark = BYTE_ORDER_MARK.length;
      else {
        this.#mark = undefined;
        break;
      }
    }
    return bytes.subarray(at);
  }

  #decide(bytes: Uint8Array): void {
    const lf = bytes.indexOf(LF);
    if (lf === -1) {
      this.#undecided.push(bytes.slice());
      this.#undecidedBytes += bytes.length;
      // A first line of this length is no header's: how its lines end does not matter.
      if (this.#undecidedBytes > this.#headBytes) this.#settle('crlf');
      return;
    }
    const before = lf > 0 ? bytes[lf - 1] : this.#undecided.at(-1)?.at(-1);
    this.#settle(before === CR ? 'crlf' : 'lf');
    this.#pass(bytes);
  }

  #settle(ends: LineEnds): void {
    this.#ends = ends;
    const waiting = this.#undecided;
    this.#undecided = [];
    for (const piece of waiting) this.#pass(piece);
  }

  #pass(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const octets =
      this.#ends === 'lf'
        ? withCrlf(bytes, this.#lastOctet)
        : this.#ends === 'cr'
          ? fromLatin1(latin1(bytes).replaceAll('\r', '\r\n'))
          : bytes;
    this.#lastOctet = bytes.at(-1) ?? 0;
    if (!this.#inHead) return this.#toBody(octets);
    const end = this.#endOfHead(octets);
    this.#keepHead(end === undefined ? octets : octets.subarray(0, end));
    if (end === undefined) return;
    this.#endHead();
    if (end < octets.length) this.#toBody(octets.subarray(end));
  }

  /** After the empty line, if it ends within these octets. */
  #endOfHead(octets: Uint8Array): number | undefined {
    let at = 0;
    while (at < octets.length) {
      const octet = octets[at];
      if (octet === LF && this.#lineEmpty) return at + 1;
      if (octet === LF) {
        this.#lineEmpty = true;
        at++;
      } else if (octet === CR && this.#lineEmpty) at++;
      else {
        this.#lineEmpty = false;
        const lf = asBuffer(octets).indexOf(LF, at);
        at = lf === -1 ? octets.length : lf;
      }
    }
    return undefined;
  }

  #keepHead(octets: Uint8Array): void {
    const room = this.#headBytes - this.#headKept;
    if (octets.length > room) this.#headCut = true;
    if (room <= 0 || octets.length === 0) return;
    const piece = octets.slice(0, room);
    this.#headKept += piece.length;
    this.#headPieces.push(piece);
    if (this.#headPieces.length > PIECES) this.#headPieces = [concat(this.#headPieces)];
  }

  #endHead(): void {
    this.#inHead = false;
    this.#headOctets = this.#headPieces.length === 0 ? NO_BYTES : concat(this.#headPieces);
    this.#headPieces = [];
    this.#take = this.#headCut ? undefined : this.#sink?.begin(this.#headOctets);
  }

  #toBody(octets: Uint8Array): void {
    if (this.#take === undefined) return;
    this.#take(octets);
    if (this.#bodyPieces === undefined) return;
    this.#bodyKept += octets.length;
    if (this.#bodyKept > this.#bodyBytes) this.#bodyPieces = undefined;
    else this.#bodyPieces.push(octets.slice());
    if ((this.#bodyPieces?.length ?? 0) > PIECES)
      this.#bodyPieces = [concat(this.#bodyPieces ?? [])];
  }
}

function hasCr(bytes: Uint8Array): boolean {
  return bytes.includes(CR);
}

/** Each LF without a CR before it gets one. */
function withCrlf(bytes: Uint8Array, before: number): Uint8Array {
  const buffer = asBuffer(bytes);
  let count = 0;
  for (let at = buffer.indexOf(LF); at !== -1; at = buffer.indexOf(LF, at + 1)) {
    if ((at === 0 ? before : bytes[at - 1]) !== CR) count++;
  }
  if (count === 0) return bytes;
  const out = Buffer.allocUnsafe(bytes.length + count);
  let used = 0;
  let from = 0;
  for (let at = buffer.indexOf(LF); at !== -1; at = buffer.indexOf(LF, at + 1)) {
    if ((at === 0 ? before : bytes[at - 1]) === CR) continue;
    used += buffer.copy(out, used, from, at);
    out[used++] = CR;
    from = at;
  }
  buffer.copy(out, used, from);
  return out;
}
