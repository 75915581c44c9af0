/** How ledger entries are found: by hashes of their keys, sorted, in parts of buckets. */

/** What a key names. */
export type KeyKind = 'queue' | 'session' | 'key';

/** A bucket has so many parts, by the first bits of the hash. */
export const PARTS = 16;
/** Entries of a bucket have numbers below its own number and this. */
export const BUCKET_NUMBERS = 2 ** 20;

const SEEDS: Readonly<Record<KeyKind, number>> = { queue: 1, session: 2, key: 3 };
const HASHES_A_PART = 2 ** 32 / PARTS;

/**
 * 32 bits of a key in lower case. Whoever reads compares the key itself too, so a stranger who
 * makes two keys meet wins nothing; that is why it may be this cheap.
 */
export function keyHash(kind: KeyKind, key: string): number {
  const text = key.toLowerCase();
  let high = 0xdeadbeef ^ SEEDS[kind];
  let low = 0x41c6ce57 ^ SEEDS[kind];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x85ebca77);
    low = Math.imul(low ^ code, 0xc2b2ae3d);
  }
  high = Math.imul(high ^ (high >>> 15), 0x735a2d97) ^ Math.imul(low ^ (low >>> 13), 0xcaf649a9);
  low = Math.imul(low ^ (low >>> 15), 0x735a2d97) ^ Math.imul(high ^ (high >>> 13), 0xcaf649a9);
  return low >>> 0;
}

/** A hash and the number of an entry within its bucket as one number, which sorts by both. */
export function placeOf(hash: number, number: number): number {
  return hash * BUCKET_NUMBERS + number;
}

export function partOf(hash: number): number {
  return Math.floor(hash / HASHES_A_PART);
}

/** Sorted places of a bucket, taken apart: each part that has any, with its octets. */
export function* partsOf(places: Float64Array): Generator<readonly [number, Uint8Array]> {
  let from = 0;
  for (let part = 0; part < PARTS; part += 1) {
    const end = lowerBound(places, (part + 1) * HASHES_A_PART * BUCKET_NUMBERS);
    if (end > from) yield [part, new Uint8Array(places.buffer, from * 8, (end - from) * 8)];
    from = end;
  }
}

/** The numbers within their bucket of the entries that a part has under a hash, descending. */
export function numbersIn(part: Uint8Array, hash: number): number[] {
  const places = new Float64Array(part.slice().buffer);
  const numbers: number[] = [];
  for (let at = lowerBound(places, placeOf(hash, 0)); at < places.length; at += 1) {
    const place = places[at] ?? 0;
    if (place >= placeOf(hash + 1, 0)) break;
    numbers.push(place % BUCKET_NUMBERS);
  }
  return [...new Set(numbers)].toReversed();
}

/** The index of the first place that is not below. */
function lowerBound(places: Float64Array, place: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? Infinity) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
