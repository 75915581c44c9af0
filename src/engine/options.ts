/** How a store is opened: where it lives, how it writes, and every limit with its default. */

import { INLINE_BYTES } from '#base/limits.ts';
import type { Log } from '#base/world.ts';

export interface StoreOptions {
  /** Where the store lives; made with mode 0700 when missing. */
  readonly directory: string;
  /** True: the writer has a thread of its own. False: it runs in this one (tests, simulation). */
  readonly thread?: boolean;
  readonly log: Log;
  /** Wall clock, milliseconds since 1970. */
  readonly now?: () => number;
  readonly limits?: Partial<StoreLimits>;
  /** How often to look for commits of other processes; 0: only when the directory is asked. */
  readonly foreignCheckMs?: number;
}

export interface StoreLimits {
  /** A body up to this size lies in the database, a larger one in a file. */
  readonly inlineBytes: number;
  /** New mail is refused when the disk has less than this left. */
  readonly minimumFreeBytes: number;
  /** Operations that may wait for the writer; more fail with `store-busy`. */
  readonly queuedOperations: number;
  /** Octets of those operations. */
  readonly queuedBytes: number;
  /** Operations that share one transaction. */
  readonly batchOperations: number;
  /** Messages that one step expunges; more take several, with other writes in between. */
  readonly expungedMessages: number;
  /** Kinds of keywords in one mailbox. */
  readonly keywordKinds: number;
  readonly mailboxesPerAccount: number;
  /** Body files kept open for reading. */
  readonly openFiles: number;
  /** Rows that one sweep removes of each kind. */
  readonly sweptRows: number;
  /** Octets of messages just accepted for elsewhere that are kept for sending them at once. */
  readonly freshBytes: number;
  /** Octets of header fields kept in memory for clients that ask for the same ones again. */
  readonly fieldBytes: number;
  /** How long another process may keep the database locked. */
  readonly busyMs: number;
  /** Databases up to this size are checked page by page when the store is opened. */
  readonly checkedBytes: number;
}

export const STORE_LIMITS: StoreLimits = {
  inlineBytes: INLINE_BYTES,
  minimumFreeBytes: 100 * 1_048_576,
  queuedOperations: 20_000,
  queuedBytes: 256 * 1_048_576,
  batchOperations: 1_000,
  expungedMessages: 1_000,
  keywordKinds: 256,
  mailboxesPerAccount: 2_000,
  openFiles: 32,
  sweptRows: 2_000,
  freshBytes: 4 * 1_048_576,
  fieldBytes: 8 * 1_048_576,
  busyMs: 5_000,
  checkedBytes: 16 * 1_048_576,
};

/** Every limit: what was asked for, and the defaults for the rest. */
export function storeLimits(asked: Partial<StoreLimits> | undefined): StoreLimits {
  return { ...STORE_LIMITS, ...asked };
}

/** How long expunged messages and contents without a reference can still be read. */
export const GRACE_MS = 3_600_000;
/** How long it is remembered which UIDs vanished, and when (RFC 7162 3.2). */
export const TOMBSTONE_MS = 30 * 86_400_000;
