/** Chance from a seed: the same number gives the same life of the world. */

import type { Random } from '#base/world.ts';

/** A stream of numbers (xoshiro128**), with what a simulation draws from it. */
export class Chance implements Random {
  readonly #state = new Uint32Array(4);

  /** `name` keeps streams apart: one host drawing more does not change what others draw. */
  constructor(seed: number, name: string) {
    let hash = 2_166_136_261 ^ seed;
    for (let index = 0; index < 4; index += 1) {
      for (const letter of `${index}/${seed}/${name}`) {
        hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16_777_619);
        hash ^= hash >>> 13;
      }
      this.#state[index] = hash | 1;
    }
    for (let index = 0; index < 16; index += 1) this.#next();
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index += 1) bytes[index] = this.#next() >>> 24;
    return bytes;
  }

  /** From `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + (this.#next() % (high - low + 1));
  }

  /** Small numbers more often than large ones, up to `high`. */
  skewed(high: number): number {
    return Math.floor(2 ** ((this.#next() / 2 ** 32) * Math.log2(high + 1))) - 1;
  }

  /** True in `share` of all cases. */
  odds(share: number): boolean {
    return this.#next() / 2 ** 32 < share;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.#next() % items.length] as T;
  }

  /** `count` different ones. */
  some<T>(items: readonly T[], count: number): T[] {
    const left = [...items];
    const out: T[] = [];
    while (out.length < count && left.length > 0) {
      out.push(...left.splice(this.#next() % left.length, 1));
    }
    return out;
  }

  #next(): number {
    const s = this.#state as unknown as [number, number, number, number];
    const scrambled = Math.imul(s[1], 5) >>> 0;
    const result = Math.imul(((scrambled << 7) | (scrambled >>> 25)) >>> 0, 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }
}
