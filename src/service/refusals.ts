/** What a session was refused, for the ledger: one entry for many, a moment after the first. */

import type { SessionId } from '#base/brand.ts';
import type { Json, JsonObject } from '#base/json.ts';
import type { Timer } from '#base/world.ts';
import type { Site } from './site.ts';

export interface RefusalsOptions {
  readonly site: Pick<Site, 'clock' | 'log' | 'store'>;
  readonly session: SessionId;
  /** Who was refused, as things are when the entry is written. */
  readonly client: () => JsonObject;
  /** What went before, likewise; stands last. */
  readonly dialogue?: () => Json;
}

const REFUSALS = 60;
const KEYS = 200;
/** Sessions are kept open for reuse: who asks for a trace shall not wait for their end. */
const SOON_MS = 500;

/** Collects decisions against one client; what is beyond the limits is not told. */
export class Refusals {
  readonly #options: RefusalsOptions;
  #refusals: JsonObject[] = [];
  #keys = new Set<string>();
  #evidence: JsonObject = {};
  #timer: Timer | undefined;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /**
   * A decision: which rule, why, about whom; `keys` are what the entry is found by. `evidence` is
   * all that is known of the transaction by now: told once, for it would be said of each of sixty
   * recipients again, and strangers decide how long it is.
   */
  add(facts: JsonObject, keys: readonly string[], evidence?: JsonObject): void {
    if (this.#refusals.length < REFUSALS) this.#refusals.push(facts);
    if (evidence !== undefined) this.#evidence = evidence;
    for (const key of keys) if (this.#keys.size < KEYS) this.#keys.add(key);
  }

  /** Writes in a moment, together with what is added until then. */
  writeSoon(): void {
    this.#timer ??= this.#options.site.clock.after(SOON_MS, () => this.write());
  }

  /** Writes what there is; called when a transaction or the session ends. */
  write(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#refusals.length === 0) return;
    const { site, session, client, dialogue } = this.#options;
    const keys = [...this.#keys];
    const facts = {
      ...client(),
      refusals: this.#refusals,
      ...this.#evidence,
      ...(dialogue === undefined ? {} : { dialogue: dialogue() }),
    };
    this.#refusals = [];
    this.#keys = new Set();
    this.#evidence = {};
    const atMs = site.clock.now();
    const entry = { atMs, kind: 'refused', session, queueId: undefined, keys, facts } as const;
    site.store.write('ledger', { entries: [entry] }).catch((failure: Error) => {
      site.log.event('error', 'ledger-write-failed', { why: failure.message });
    });
  }
}
