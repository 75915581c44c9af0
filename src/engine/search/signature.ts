/** Signatures: a few hundred octets a message that tell which texts cannot be in it. */

/*
 * A signature has a bit for each run of three UTF-16 units ("trigram") of the texts that SEARCH
 * looks at: a Bloom filter with one hash, 8 bits for each different trigram. A text is in the
 * message only if the bits of all its trigrams are set. One in eight is set by chance, so a word
 * of eight letters is found by chance once in some 260,000 messages; what is found is read.
 */

/** Shorter texts have no trigram: every message may hold them. */
export const TRIGRAM = 3;
/** Different trigrams of one message; with more it has no signature. */
export const TRIGRAMS = 32_768;
/** Trigrams of a text that are looked up: more decide nothing. */
const NEEDLE_TRIGRAMS = 64;

const HASH_BITS = 18;
const LEAST_BYTES = 16;
/** Three characters of ASCII as one number. */
const ASCII_KEYS = 2 ** 21;
/** Keys that are forgotten one by one; of more, all at once. */
const FEW_KEYS = 8_192;

/** Gathers the trigrams of one message after another. */
export class SignatureMaker {
  readonly #seen = new Uint32Array(2 ** (HASH_BITS - 5));
  readonly #hashes = new Uint32Array(TRIGRAMS);
  /** Trigrams of ASCII that were met: most come again and again, and need no hash then. */
  readonly #met = new Int32Array(ASCII_KEYS / 32);
  readonly #keys = new Uint32Array(FEW_KEYS);
  #keyCount = 0;
  #count = 0;
  #isFull = false;

  /** A folded text (message/search-text). */
  add(text: string): void {
    const met = this.#met;
    for (let at = firstNew(text, 2, met); at < text.length; at = firstNew(text, at + 1, met)) {
      const first = text.charCodeAt(at - 2);
      const second = text.charCodeAt(at - 1);
      const third = text.charCodeAt(at);
      if ((first | second | third) < 128) this.#meet(asciiKey(first, second, third));
      this.#note(trigramHash(first, second, third));
      if (this.#isFull) return;
    }
  }

  #meet(key: number): void {
    this.#met[key >>> 5] = (this.#met[key >>> 5] ?? 0) | (1 << (key & 31));
    if (this.#keyCount < FEW_KEYS) this.#keys[this.#keyCount] = key;
    this.#keyCount += 1;
  }

  #note(hash: number): void {
    const word = this.#seen[hash >>> 5] ?? 0;
    const bit = 1 << (hash & 31);
    if ((word & bit) !== 0) return;
    if (this.#count === TRIGRAMS) {
      this.#isFull = true;
      return;
    }
    this.#seen[hash >>> 5] = word | bit;
    this.#hashes[this.#count] = hash;
    this.#count += 1;
  }

  /** The signature, and ready for the next message; undefined: too much to tell anything. */
  finish(): Uint8Array | undefined {
    const bits = new Uint8Array(Math.max(LEAST_BYTES, this.#count));
    const size = bits.length * 8;
    for (let at = 0; at < this.#count; at += 1) {
      const hash = this.#hashes[at] ?? 0;
      this.#seen[hash >>> 5] = 0;
      const place = hash % size;
      bits[place >>> 3] = (bits[place >>> 3] ?? 0) | (1 << (place & 7));
    }
    if (this.#keyCount > FEW_KEYS) this.#met.fill(0);
    else for (let at = 0; at < this.#keyCount; at += 1) this.#met[(this.#keys[at] ?? 0) >>> 5] = 0;
    this.#keyCount = 0;
    const isFull = this.#isFull;
    this.#count = 0;
    this.#isFull = false;
    return isFull ? undefined : bits;
  }
}

/** A folded text as what is looked up in signatures; undefined when it is too short. */
export function needleOf(text: string): Uint32Array | undefined {
  if (text.length < TRIGRAM) return undefined;
  const hashes = new Set<number>();
  for (let at = 2; at < text.length && hashes.size < NEEDLE_TRIGRAMS; at += 1) {
    hashes.add(trigramHash(text.charCodeAt(at - 2), text.charCodeAt(at - 1), text.charCodeAt(at)));
  }
  return Uint32Array.from(hashes);
}

/** Whether a message whose signature lies at `from` to `to` of `bytes` may hold the needle. */
export function mayHold(needle: Uint32Array, bytes: Uint8Array, from: number, to: number): boolean {
  const size = (to - from) * 8;
  for (const hash of needle) {
    const place = hash % size;
    if (((bytes[from + (place >>> 3)] ?? 0xff) & (1 << (place & 7))) === 0) return false;
  }
  return true;
}

function asciiKey(first: number, second: number, third: number): number {
  return ((first << 14) | (second << 7) | third) & (ASCII_KEYS - 1);
}

/**
 * The end of the next trigram that was not met or is not ASCII, from `at` on; the text's length
 * where there is none.
 */
function firstNew(text: string, at: number, met: Int32Array): number {
  const first = text.charCodeAt(at - 2);
  const second = text.charCodeAt(at - 1);
  if ((first | second) >= 128) return at;
  let key = asciiKey(0, first, second);
  for (let index = at; index < text.length; index += 1) {
    const third = text.charCodeAt(index);
    key = ((key << 7) | third) & (ASCII_KEYS - 1);
    if (third >= 128 || ((met[key >>> 5] ?? 0) & (1 << (key & 31))) === 0) return index;
  }
  return text.length;
}

function trigramHash(first: number, second: number, third: number): number {
  const mixed =
    Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b) ^ Math.imul(third, 0xc2b2ae35);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> (32 - HASH_BITS);
}
