/** A selected mailbox as this client knows it: message numbers, and what it was not told yet. */

import type { MailboxId, ModSeq, Uid } from '#base/brand.ts';
import type { Mailbox, UidRanges } from '#store/mail.ts';
import { bad } from './completion.ts';
import { inRanges, resolveSet, type NumberSet } from './syntax/number-set.ts';

export class View {
  readonly id: MailboxId;
  readonly readOnly: boolean;
  /** Keywords that FLAGS named. */
  readonly keywords = new Set<string>();
  /** Changes up to here are in `uids`, told or waiting. */
  modSeq: ModSeq;
  /** What this session did itself: the client knows the flags up to this. */
  readonly told = new Map<number, ModSeq>();
  #uids: number[];
  /** Expunged elsewhere, still numbered here (RFC 3501 7.4.1). */
  readonly #gone = new Set<number>();

  constructor(mailbox: Mailbox, uids: readonly Uid[], readOnly: boolean) {
    this.id = mailbox.id;
    this.readOnly = readOnly;
    this.modSeq = mailbox.highestModSeq;
    this.#uids = [...uids];
  }

  get exists(): number {
    return this.#uids.length;
  }

  get uids(): readonly number[] {
    return this.#uids;
  }

  get largestUid(): number {
    return this.#uids.at(-1) ?? 0;
  }

  isGone(uid: number): boolean {
    return this.#gone.has(uid);
  }

  /**
   * The message number of a UID, 0 when the client does not know it. Looked for first behind the
   * message number `after`.
   */
  numberOf(uid: number, after = 0): number {
    if (this.#uids[after] === uid) return after + 1;
    const at = this.#lowerBound(uid);
    return this.#uids[at] === uid ? at + 1 : 0;
  }

  /** New UIDs, ascending, above all others. */
  add(uids: readonly number[]): void {
    for (const uid of uids) this.#uids.push(uid);
  }

  /** Messages that were expunged; those the client does not know are nothing to it. */
  expunged(uids: readonly number[]): void {
    for (const uid of uids) if (this.numberOf(uid) > 0) this.#gone.add(uid);
  }

  /** Takes the expunged ones out and returns their numbers, descending, ready to be told. */
  tellGone(): readonly number[] {
    if (this.#gone.size === 0) return [];
    const numbers: number[] = [];
    const kept: number[] = [];
    for (const [index, uid] of this.#uids.entries()) {
      if (!this.#gone.has(uid)) kept.push(uid);
      else {
        numbers.push(index + 1);
        this.told.delete(uid);
      }
    }
    this.#uids = kept;
    this.#gone.clear();
    return numbers.toReversed();
  }

  /**
   * A set of message numbers as ranges of UIDs. A range that begins beyond the last message is
   * BAD; one that only ends there is cut. `*` in an empty mailbox is nothing.
   */
  rangesOfNumbers(set: NumberSet): UidRanges {
    const ranges: (readonly [number, number])[] = [];
    for (const [from, to] of resolveSet(set, this.exists)) {
      if (from > this.exists) throw bad('There is no message with that number');
      const first = this.#uids[Math.max(from, 1) - 1];
      const last = this.#uids[Math.min(to, this.exists) - 1];
      if (first !== undefined && last !== undefined) ranges.push([first, last]);
    }
    return ranges;
  }

  /** A set of UIDs, cut down to those that the client knows; unknown ones are ignored. */
  rangesOfUids(set: NumberSet): UidRanges {
    const ranges: (readonly [number, number])[] = [];
    for (const [from, to] of resolveSet(set, this.largestUid)) {
      const low = this.#lowerBound(from);
      const high = this.#lowerBound(to + 1) - 1;
      const first = this.#uids[low];
      const last = this.#uids[high];
      if (low <= high && first !== undefined && last !== undefined) ranges.push([first, last]);
    }
    return ranges;
  }

  /** The UIDs in ascending ranges. */
  within(ranges: UidRanges): readonly number[] {
    return ranges.flatMap(([from, to]) =>
      this.#uids.slice(this.#lowerBound(from), this.#lowerBound(to + 1)),
    );
  }

  /** How many messages lie in ranges. */
  count(ranges: UidRanges): number {
    let count = 0;
    for (const [from, to] of ranges) count += this.#lowerBound(to + 1) - this.#lowerBound(from);
    return count;
  }

  /** Whether ranges hold a message that was expunged elsewhere. */
  holdsGone(ranges: UidRanges): boolean {
    for (const uid of this.#gone) {
      if (inRanges(ranges, uid)) return true;
    }
    return false;
  }

  /** The index of the first UID that is not below. */
  #lowerBound(uid: number): number {
    let low = 0;
    let high = this.#uids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#uids[middle] ?? Infinity) < uid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
