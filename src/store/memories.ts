/** What policy remembers across restarts: a key, when it was first and last seen, how often. */

import type { Awaitable } from '#base/brand.ts';

/**
 * `greylist`: clients that came back. `written`: whom an account has written to. `open`: authors
 * whose DMARC the DNS left open.
 */
export type MemoryKind = 'greylist' | 'written' | 'open';

export interface Remembered {
  readonly key: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly times: number;
}

export interface MemoryReader {
  /** The newest `limit` of a kind, newest first. */
  list(kind: MemoryKind, limit: number): Awaitable<readonly Remembered[]>;
}
