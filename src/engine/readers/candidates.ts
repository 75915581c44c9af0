/** Which messages of a mailbox can hold a text at all, by their signatures. */

import type { Awaitable, MailboxId } from '#base/brand.ts';
import { letGo } from '#base/bytes.ts';
import type { UidRanges } from '#store/mail.ts';
import { searchBlock } from '../search/block.ts';
import { needleOf } from '../search/signature.ts';
import { pause } from './reading.ts';
import type { Reading } from './reading.ts';

const BLOCKS = `SELECT first_uid, last_uid, checked, bytes FROM search_blocks
  WHERE mailbox = ? AND last_uid > ? ORDER BY last_uid LIMIT ? + 0`;
/** Blocks that are looked through before others have their turn: about a millisecond. */
const SLICE_BLOCKS = 16;
const LARGEST_UID = 0xffff_ffff;

type Row = readonly [firstUid: number, lastUid: number, checked: number, bytes: Uint8Array];

/**
 * Every message that holds the (folded) text is within the ranges, and all that no block tells
 * of: what was not indexed yet, and what lies in a damaged block.
 */
export function candidates(reading: Reading, id: MailboxId, text: string): Awaitable<UidRanges> {
  const needle = needleOf(text);
  if (needle === undefined) return [[1, LARGEST_UID]];
  const found = new Candidates(needle);
  return found.take(readBlocks(reading, id, 0))
    ? furtherCandidates(reading, id, found)
    : found.ranges();
}

async function furtherCandidates(
  reading: Reading,
  id: MailboxId,
  found: Candidates,
): Promise<UidRanges> {
  do await pause();
  while (found.take(readBlocks(reading, id, found.lastUid)));
  return found.ranges();
}

function readBlocks(reading: Reading, id: MailboxId, after: number): Row[] {
  return reading.one((sql) => sql.rows<Row>(BLOCKS, id, after, SLICE_BLOCKS));
}

/** What is left when the excluded UIDs are taken out. */
class Candidates {
  readonly #needle: Uint32Array;
  readonly #ranges: [number, number][] = [];
  /** The first UID that nothing was said about. */
  #from = 1;
  lastUid = 0;

  constructor(needle: Uint32Array) {
    this.#needle = needle;
  }

  /** Looks through blocks; whether there may be more of them. */
  take(rows: readonly Row[]): boolean {
    for (const [, lastUid, checked, bytes] of rows) {
      searchBlock({ bytes, checked }, this.#needle, (uid) => this.#exclude(uid));
      this.lastUid = lastUid;
      // Megabytes for one search: V8 would look through its whole heap for them.
      letGo(bytes);
    }
    return rows.length === SLICE_BLOCKS;
  }

  ranges(): UidRanges {
    if (this.#from > LARGEST_UID) return this.#ranges;
    return [...this.#ranges, [this.#from, LARGEST_UID]];
  }

  #exclude(uid: number): void {
    if (uid < this.#from) return;
    if (uid > this.#from) this.#ranges.push([this.#from, uid - 1]);
    this.#from = uid + 1;
  }
}
