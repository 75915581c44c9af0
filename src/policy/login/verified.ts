/** Passwords that were right a moment ago, as keyed digests: reconnects need no new hash. */

import { createHmac } from 'node:crypto';
import type { Clock, Random } from '#base/world.ts';

export interface VerifiedOptions {
  readonly entries: number;
  /** How long a digest is believed. */
  readonly keepMs: number;
}

/**
 * Remembers digests, never passwords. Who and which credentials are part of the digest, so
 * that an entry can never speak for another account (CVE-2025-30189) or an older password.
 */
export class VerifiedPasswords {
  readonly #key: Uint8Array;
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #options: VerifiedOptions;
  /** Digest to the time it ends; oldest first. */
  readonly #until = new Map<string, number>();

  constructor(random: Random, clock: Pick<Clock, 'elapsed'>, options: VerifiedOptions) {
    this.#key = random.bytes(32);
    this.#clock = clock;
    this.#options = options;
  }

  /** `whose` names one account (or one unknown login), `version` its stored password. */
  digest(whose: string, version: string, password: string): string {
    const mac = createHmac('sha256', this.#key);
    for (const part of [whose, version, password]) mac.update(`${part.length}:${part};`);
    return mac.digest('base64');
  }

  has(digest: string): boolean {
    const until = this.#until.get(digest);
    if (until === undefined) return false;
    if (until > this.#clock.elapsed()) return true;
    this.#until.delete(digest);
    return false;
  }

  add(digest: string): void {
    this.#until.delete(digest);
    this.#until.set(digest, this.#clock.elapsed() + this.#options.keepMs);
    for (const oldest of this.#until.keys()) {
      if (this.#until.size <= this.#options.entries) break;
      this.#until.delete(oldest);
    }
  }

  get size(): number {
    return this.#until.size;
  }
}
