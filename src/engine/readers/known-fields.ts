/** Fields of headers that were picked before: memory answers, not the disk. */

import type { MailboxId, Uid } from '#base/brand.ts';
import { NO_BYTES, utf8 } from '#base/bytes.ts';

/** What was picked of the messages whose UIDs have the same number of their block. */
export interface FieldBlock {
  /** Of all messages, joined. */
  readonly bytes: Uint8Array;
  /** Beginning and end for each place in the block; nothing is known where they are equal. */
  readonly places: Int32Array;
}

/** A message, its head, and where in it the fields lie. */
export interface Picked {
  readonly uid: Uid;
  readonly head: Uint8Array;
  readonly spans: readonly number[];
}

/** UIDs that share a block: what is looked for and forgotten at once. */
const BLOCK_UIDS = 256;
const PLACES_BYTES = BLOCK_UIDS * 2 * Int32Array.BYTES_PER_ELEMENT;
/** What a block costs beside its octets, more or less. */
const BLOCK_BYTES = PLACES_BYTES + 512;
/** A longer list of names is read anew each time. */
const LIST_LENGTH = 1_024;
const EMPTY_LINE = utf8('\r\n');

export const NO_FIELDS: FieldBlock = { bytes: NO_BYTES, places: new Int32Array(0) };

/** The number of the block where a message is. */
export function blockNumber(uid: number): number {
  return Math.trunc(uid / BLOCK_UIDS);
}

/** Whether the block that has `from` knows of a message from there to `to`. */
export function knowsAny({ places }: FieldBlock, from: number, to: number): boolean {
  const first = from % BLOCK_UIDS;
  const end = Math.min(BLOCK_UIDS, first + to - from + 1);
  // The end of what is known is never 0.
  return places.subarray(first * 2, end * 2).some((place) => place > 0);
}

/** What a block has of a message; undefined: nothing is known. */
export function fieldsIn({ bytes, places }: FieldBlock, uid: Uid): Uint8Array | undefined {
  const place = (uid % BLOCK_UIDS) * 2;
  const [from = 0, to = 0] = [places[place], places[place + 1]];
  return from === to ? undefined : bytes.subarray(from, to);
}

/** A block with more messages in it: what was picked of each, and an empty line. */
export function withFields(block: FieldBlock, picked: readonly Picked[]): FieldBlock {
  if (picked.length === 0) return block;
  const places = new Int32Array(BLOCK_UIDS * 2);
  places.set(block.places);
  let end = block.bytes.length;
  for (const { uid, spans } of picked) {
    const place = (uid % BLOCK_UIDS) * 2;
    places[place] = end;
    for (let at = 0; at < spans.length; at += 2) end += (spans[at + 1] ?? 0) - (spans[at] ?? 0);
    end += EMPTY_LINE.length;
    places[place + 1] = end;
  }
  const bytes = new Uint8Array(end);
  bytes.set(block.bytes);
  let to = block.bytes.length;
  for (const { head, spans } of picked) {
    for (let at = 0; at < spans.length; at += 2) {
      const piece = head.subarray(spans[at], spans[at + 1]);
      bytes.set(piece, to);
      to += piece.length;
    }
    bytes.set(EMPTY_LINE, to);
    to += EMPTY_LINE.length;
  }
  return { bytes, places };
}

/**
 * Blocks by mailbox and names, those that were used longest ago forgotten first. A UID stands for
 * the same octets for ever, and neither UIDs nor mailboxes' ids are used twice: nothing in here
 * becomes wrong. Who may see a mailbox is asked before.
 */
export class KnownFields {
  readonly #limitBytes: number;
  readonly #blocks = new Map<string, FieldBlock>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What the blocks of a mailbox for some names are kept under; undefined: not at all. */
  static listOf(mailbox: MailboxId, names: ReadonlySet<string>): string | undefined {
    const list = JSON.stringify([...names].toSorted());
    return list.length > LIST_LENGTH ? undefined : `${mailbox} ${list}`;
  }

  get(list: string | undefined, number: number): FieldBlock | undefined {
    const key = `${list} ${number}`;
    const block = this.#blocks.get(key);
    if (block === undefined) return undefined;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    return block;
  }

  put(list: string | undefined, number: number, block: FieldBlock): void {
    if (list === undefined) return;
    const key = `${list} ${number}`;
    this.#forget(key);
    this.#blocks.set(key, block);
    this.#bytes += cost(key, block);
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= this.#limitBytes) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const block = this.#blocks.get(key);
    if (block === undefined) return;
    this.#bytes -= cost(key, block);
    this.#blocks.delete(key);
  }
}

function cost(key: string, { bytes }: FieldBlock): number {
  return bytes.length + 2 * key.length + BLOCK_BYTES;
}
