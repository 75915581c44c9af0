/** Greylisting (RFC 6647): who is not known yet shall come again; programs that only send do not. */

import type { Clock } from '#base/world.ts';
import type { Memory } from './memory.ts';
import { memoryKey } from './memory.ts';

export interface GreylistOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly memory: Memory;
  /** The first retry that counts comes no sooner. */
  readonly delayMs: number;
  /** A retry that comes later than this is a first attempt again. */
  readonly retryMs: number;
  /** Triplets of one network that came back, after which it is asked no more; 0: never. */
  readonly networkPasses: number;
}

/** Who comes: the client's network, not its address, since big senders retry from another one. */
export interface Triplet {
  readonly network: string;
  /** Empty for the null reverse-path. */
  readonly sender: string;
  readonly recipient: string;
}

/**
 * A triplet is seen once when it is new; the retry that comes in time is the second, and from
 * then on it passes for as long as it is remembered.
 */
export class Greylist {
  readonly #options: GreylistOptions;

  constructor(options: GreylistOptions) {
    this.#options = options;
  }

  /** Milliseconds until this triplet may come again; 0: it passes. */
  waitMs({ network, sender, recipient }: Triplet): number {
    const { clock, memory, delayMs, retryMs, networkPasses } = this.#options;
    const ofNetwork = memoryKey('network', network);
    if (networkPasses > 0 && (memory.find(ofNetwork)?.times ?? 0) >= networkPasses) {
      memory.see(ofNetwork);
      return 0;
    }
    const key = memoryKey('triplet', network, sender, recipient);
    const known = memory.find(key);
    const ageMs = clock.now() - (known?.firstMs ?? 0);
    if (known === undefined || (known.times === 1 && ageMs > retryMs) || ageMs < 0) {
      memory.see(key, true);
      return delayMs;
    }
    if (known.times === 1 && ageMs < delayMs) return delayMs - ageMs;
    if (known.times === 1) memory.see(ofNetwork);
    memory.see(key);
    return 0;
  }
}
