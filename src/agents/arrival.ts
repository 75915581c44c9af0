/** The octets of one message while they arrive: the head in memory, the body spooled. */

import type { Awaitable } from '#base/brand.ts';
import { NO_BYTES, type PlainLines, concat, cutOut } from '#base/bytes.ts';
import { HEAD_BYTES, INLINE_BYTES } from '#base/limits.ts';
import { type Structure, StructureScanner, readStructure } from '#message/scanner.ts';
import type { Content, Spool } from '#store/content.ts';

/** A message that is all there, nothing changed yet. */
export interface Arrived {
  readonly content: Content;
  readonly sizeBytes: number;
  /** Of a large message found while it came in. */
  readonly structure: Structure;
}

/** Who reads along: signatures are checked and made over octets that nobody keeps. */
export interface Reader {
  /** The whole head with its empty line, as it came; once, before any of the body. */
  head(octets: Uint8Array): void;
  /** The next octets after it; they are only read. */
  body(octets: Uint8Array): void;
}

const PIECES = 1_024;
const CR = 0x0d;
const LF = 0x0a;

/** Takes content in pieces of any size; memory is bounded by the head limit and the spool's. */
export class Arrival {
  readonly #spool: Spool;
  readonly #reader: Reader | undefined;
  #head: Uint8Array[] = [];
  #headBytes = 0;
  #inHead = true;
  /** How much of CRLF CRLF was just seen; a message may begin with the empty line itself. */
  #matched = 2;
  #sizeBytes = 0;
  #early: Uint8Array[] | undefined = [];
  #scanner: StructureScanner | undefined;

  constructor(spool: Spool, reader?: Reader) {
    this.#spool = spool;
    this.#reader = reader;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether the head is larger than this server keeps (552 5.3.4); further octets are dropped. */
  get headTooLarge(): boolean {
    return this.#headBytes > HEAD_BYTES;
  }

  /** `lines`: what whoever brings them knows already of these octets. */
  write(bytes: Uint8Array, lines?: PlainLines): Awaitable<void> {
    this.#sizeBytes += bytes.length;
    if (this.headTooLarge) return;
    this.#scan(bytes, lines);
    if (!this.#inHead) return this.#store(bytes);
    const end = this.#endOfHead(bytes);
    const head = bytes.subarray(0, end);
    // Of a large message no octet stays in memory that lies in the file: its head has a copy.
    const isLarge = end !== undefined && this.#early === undefined;
    this.#keepHead(isLarge ? new Uint8Array(head) : head);
    if (end === undefined) return;
    if (!this.headTooLarge) this.#reader?.head(this.#wholeHead());
    if (end === bytes.length) return;
    return this.#store(isLarge ? cutOut(bytes, end, bytes.length) : bytes.subarray(end));
  }

  finish(): Awaitable<Arrived> {
    if (this.#inHead && !this.headTooLarge) this.#reader?.head(this.#wholeHead());
    const body = this.#spool.finish();
    if (body instanceof Promise) return body.then((stored) => this.#arrived(stored));
    return this.#arrived(body);
  }

  discard(): void {
    this.#spool.discard();
  }

  #arrived(body: Content['body']): Arrived {
    const head = this.#wholeHead();
    const structure = this.#scanner?.finish() ?? readStructure(this.#early ?? []);
    return { content: { head, body }, sizeBytes: this.#sizeBytes, structure };
  }

  #store(bytes: Uint8Array): Awaitable<void> {
    this.#reader?.body(bytes);
    return this.#spool.write(bytes);
  }

  #wholeHead(): Uint8Array {
    return this.#head.length === 0 ? NO_BYTES : concat(this.#head);
  }

  /** The index after the empty line, if it ends within `bytes`. */
  #endOfHead(bytes: Uint8Array): number | undefined {
    let matched = this.#matched;
    for (let index = 0; index < bytes.length; index += 1) {
      const octet = bytes[index];
      if (octet === LF && (matched === 1 || matched === 3)) matched += 1;
      else if (octet === CR) matched = matched === 2 ? 3 : 1;
      else matched = 0;
      if (matched === 4) {
        this.#inHead = false;
        return index + 1;
      }
    }
    this.#matched = matched;
    return undefined;
  }

  #keepHead(bytes: Uint8Array): void {
    this.#headBytes += bytes.length;
    this.#head.push(bytes);
    // A peer that sends single octets must not make a million little arrays.
    if (this.#head.length > PIECES) this.#head = [concat(this.#head)];
  }

  /** Small messages are read in one piece at their end, large ones while they pass. */
  #scan(bytes: Uint8Array, lines: PlainLines | undefined): void {
    if (this.#early === undefined) {
      this.#scanner?.push(bytes, lines);
      return;
    }
    this.#early.push(bytes);
    if (this.#sizeBytes <= INLINE_BYTES) return;
    this.#scanner = new StructureScanner();
    for (const piece of this.#early) this.#scanner.push(piece);
    this.#early = undefined;
  }
}
