/** Hashes a body while it streams by: each octet once for each canonicalisation, whatever asks. */

import { type Hash, createHash } from 'node:crypto';
import { type BodyCanon, RelaxedBody, SimpleBody } from './body-canon.ts';
import type { Canon } from './header.ts';

/** A body hash that a signature needs; all of them are SHA-256. */
export interface BodyWant {
  readonly canon: Canon;
  /** `l=`: octets of the canonical body that are hashed; undefined: all. */
  readonly lengthBytes: number | undefined;
}

/** What became of the body: plain data, to be handed to another thread as it is. */
export interface BodyDigests {
  /** By `bodyKey`; a length that the body did not reach has no entry. */
  readonly digests: ReadonlyMap<string, Uint8Array>;
  /** Octets of the whole canonical body. */
  readonly totalBytes: { readonly simple: number; readonly relaxed: number };
}

/** The name of a want among the digests. */
export function bodyKey({ canon, lengthBytes }: BodyWant): string {
  return lengthBytes === undefined ? canon : `${canon}:${lengthBytes}`;
}

/**
 * Takes the octets after the head's empty line, in pieces of any size, and keeps none of them.
 * Signatures that differ in `l=` share one pass: the hash is copied when it gets there.
 */
export class BodyHashes {
  readonly #passes: { readonly canon: Canon; readonly pass: Pass; readonly body: BodyCanon }[];

  constructor(wants: readonly BodyWant[]) {
    this.#passes = (['simple', 'relaxed'] as const)
      .map((canon) => ({ canon, wants: wants.filter((want) => want.canon === canon) }))
      .filter((group) => group.wants.length > 0)
      .map(({ canon, wants: same }) => {
        const pass = new Pass(same);
        const take = (bytes: Uint8Array) => pass.take(bytes);
        return {
          canon,
          pass,
          body: canon === 'simple' ? new SimpleBody(take) : new RelaxedBody(take),
        };
      });
  }

  write(bytes: Uint8Array): void {
    for (const { body } of this.#passes) body.write(bytes);
  }

  finish(): BodyDigests {
    const digests = new Map<string, Uint8Array>();
    const totalBytes = { simple: 0, relaxed: 0 };
    for (const { canon, pass, body } of this.#passes) {
      body.finish();
      totalBytes[canon] = pass.finish(digests);
    }
    return { digests, totalBytes };
  }
}

/** The hashes of a body that is in memory. */
export function hashBody(body: Uint8Array, wants: readonly BodyWant[]): BodyDigests {
  const hashes = new BodyHashes(wants);
  hashes.write(body);
  return hashes.finish();
}

/** One SHA-256 over a canonical body, with copies taken at the lengths asked for. */
class Pass {
  readonly #hash: Hash = createHash('sha256');
  readonly #stops: readonly { readonly at: number; readonly key: string }[];
  readonly #whole: string | undefined;
  readonly #early = new Map<string, Uint8Array>();
  #next = 0;
  #total = 0;

  constructor(wants: readonly BodyWant[]) {
    const whole = wants.find(({ lengthBytes }) => lengthBytes === undefined);
    this.#whole = whole && bodyKey(whole);
    const stops = new Map<number, string>();
    for (const want of wants) {
      if (want.lengthBytes !== undefined) stops.set(want.lengthBytes, bodyKey(want));
    }
    this.#stops = [...stops].map(([at, key]) => ({ at, key })).sort((a, b) => a.at - b.at);
  }

  take(bytes: Uint8Array): void {
    let done = 0;
    for (let stop = this.#stops[this.#next]; stop !== undefined; stop = this.#stops[this.#next]) {
      const length = stop.at - this.#total;
      if (length > bytes.length - done) break;
      this.#update(bytes.subarray(done, done + length));
      done += length;
      this.#early.set(stop.key, this.#hash.copy().digest());
      this.#next++;
    }
    // After the last length nothing is left to know but how long the body is.
    if (this.#whole === undefined && this.#next === this.#stops.length) {
      this.#total += bytes.length - done;
    } else this.#update(done === 0 ? bytes : bytes.subarray(done));
  }

  finish(digests: Map<string, Uint8Array>): number {
    const last = this.#stops[this.#next];
    if (last !== undefined && last.at === this.#total) this.take(new Uint8Array(0));
    for (const [key, digest] of this.#early) digests.set(key, digest);
    if (this.#whole !== undefined) digests.set(this.#whole, this.#hash.digest());
    return this.#total;
  }

  #update(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#hash.update(bytes);
    this.#total += bytes.length;
  }
}
