/** The keys of the running server: read when they are first needed, and again when they changed. */

import { statSync } from 'node:fs';
import type { Domain } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import type { Clock, Log } from '#base/world.ts';
import type { SigningKeys } from '#agents/sign/keys.ts';
import { readSigningKey } from '#trust/dkim/keys.ts';
import type { SigningKey } from '#trust/dkim/sign.ts';
import { keyDirectory, keyFileNames, readKey } from './key-files.ts';

/** How often the directory is looked at; so long a new key may wait. */
const LOOK_MS = 1_000;
/** Times of files are coarse: what changed this short a while before a look is looked at again. */
const COARSE_MS = 2_000;

/**
 * Looks at the directory at most once a second, when somebody asks: commands rename files into it,
 * which changes its time. A key that cannot be used is told to the log and does not sign.
 */
export function signingKeys(dataDirectory: string, clock: Clock, log: Log): SigningKeys {
  return new Files(dataDirectory, clock, log);
}

class Files implements SigningKeys {
  readonly #dataDirectory: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #selectors = new Map<Domain, string[]>();
  #read = new Map<Domain, readonly SigningKey[]>();
  #nextLookMs = -Infinity;
  #changedMs: number | undefined;

  constructor(dataDirectory: string, clock: Clock, log: Log) {
    this.#dataDirectory = dataDirectory;
    this.#clock = clock;
    this.#log = log;
  }

  hasAny(): boolean {
    this.#look();
    return this.#selectors.size > 0;
  }

  of(domain: Domain): readonly SigningKey[] {
    this.#look();
    const selectors = this.#selectors.get(domain);
    if (selectors === undefined) return [];
    let keys = this.#read.get(domain);
    if (keys === undefined) {
      keys = selectors
        .flatMap((selector) => this.#signing(domain, selector) ?? [])
        .toSorted((a, b) => ORDER.indexOf(a.algorithm) - ORDER.indexOf(b.algorithm));
      this.#read.set(domain, keys);
    }
    return keys;
  }

  #signing(domain: Domain, selector: string): SigningKey | undefined {
    try {
      const { state, pem } = readKey(this.#dataDirectory, { domain, selector });
      if (state !== 'signing' || pem === undefined) return undefined;
      return readSigningKey(pem.reveal(), domain, selector);
    } catch (thrown) {
      const why = Failure.from(thrown).message;
      this.#log.event('error', 'signing-key-unusable', { domain, selector, why });
      return undefined;
    }
  }

  #look(): void {
    const nowMs = this.#clock.elapsed();
    if (nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + LOOK_MS;
    const changedMs = this.#directoryMs();
    const coarse = changedMs !== undefined && this.#clock.now() - changedMs < COARSE_MS;
    if (changedMs === this.#changedMs && !coarse) return;
    this.#changedMs = changedMs;
    this.#read.clear();
    this.#selectors.clear();
    for (const { domain, selector } of keyFileNames(this.#dataDirectory)) {
      const selectors = this.#selectors.get(domain);
      if (selectors === undefined) this.#selectors.set(domain, [selector]);
      else selectors.push(selector);
    }
  }

  #directoryMs(): number | undefined {
    return statSync(keyDirectory(this.#dataDirectory), { throwIfNoEntry: false })?.mtimeMs;
  }
}

const ORDER: readonly SigningKey['algorithm'][] = ['rsa-sha256', 'ed25519-sha256'];
