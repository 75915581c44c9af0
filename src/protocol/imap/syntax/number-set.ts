/** Sequence sets: `1:3,7,*` (RFC 3501 9), read, put in order, resolved and written. */

import type { UidRanges } from '#store/mail.ts';
import { bad } from '../completion.ts';
import type { Cursor } from './cursor.ts';

/** `*` stands for the largest number in use. */
const STAR = Number.POSITIVE_INFINITY;
const MAX = 4_294_967_295;

export type NumberSet = readonly (readonly [from: number, to: number])[];

/** Numbers are 1 to 2^32-1 or `*`; the ends of a range in either order. */
export function readNumberSet(cursor: Cursor, max: number): NumberSet {
  const set: (readonly [number, number])[] = [];
  do {
    const first = readNumber(cursor);
    const second = cursor.tryTake(':') ? readNumber(cursor) : first;
    set.push(first <= second ? [first, second] : [second, first]);
    if (set.length > max) throw bad('The sequence set has too many elements');
  } while (cursor.tryTake(','));
  return set;
}

/** Whether a search key or an argument that begins like this is a set. */
export function startsNumberSet(character: string): boolean {
  return character === '*' || (character >= '0' && character <= '9');
}

/** Ascending ranges that do not overlap, `*` put in; undefined ends mean there is nothing. */
export function resolveSet(set: NumberSet, largest: number): UidRanges {
  const ranges: [number, number][] = [];
  for (const [from, to] of set) {
    const a = from === STAR ? largest : from;
    const b = to === STAR ? largest : to;
    // `559:*` holds the largest number even when that is below 559.
    ranges.push(a <= b ? [a, b] : [b, a]);
  }
  return mergeRanges(ranges);
}

/** Sorts and joins; neighbours become one range. */
export function mergeRanges(ranges: readonly (readonly [number, number])[]): UidRanges {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** Ascending numbers as ranges. */
export function rangesOf(numbers: Iterable<number>): UidRanges {
  const ranges: [number, number][] = [];
  let last: [number, number] | undefined;
  for (const number of numbers) {
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else {
      last = [number, number];
      ranges.push(last);
    }
  }
  return ranges;
}

/**
 * Numbers in the order given as a set: `4:6,2`. COPYUID pairs two of these number by number
 * (RFC 4315 3), so a run that descends is never written as a range.
 */
export function formatSet(numbers: readonly number[]): string {
  return rangesOf(numbers)
    .map(([from, to]) => (from === to ? `${from}` : `${from}:${to}`))
    .join(',');
}

/** What is left of ascending ranges above a number. */
export function rangesAfter(ranges: UidRanges, number: number): UidRanges {
  return ranges
    .filter(([, to]) => to > number)
    .map(([from, to]): readonly [number, number] => [Math.max(from, number + 1), to]);
}

/** Whether `number` is in ascending `ranges`: a binary search. */
export function inRanges(ranges: UidRanges, number: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined) return false;
    if (number < range[0]) high = middle - 1;
    else if (number > range[1]) low = middle + 1;
    else return true;
  }
  return false;
}

function readNumber(cursor: Cursor): number {
  if (cursor.tryTake('*')) return STAR;
  const digits = cursor.digits();
  const value = digits.length > 10 ? Infinity : Number(digits);
  if (value < 1 || value > MAX || digits.startsWith('0')) {
    throw bad('A sequence set holds numbers from 1 to 4294967295');
  }
  return value;
}
