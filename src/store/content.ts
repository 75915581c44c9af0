/** What a message is on disk: a head in memory, a body in memory or spooled, and facts about both. */

import type { Awaitable } from '#base/brand.ts';

/** A whole message; `head` ends with the empty line (or is all there is). */
export interface Content {
  readonly head: Uint8Array;
  readonly body: Uint8Array | SpooledBody;
}

/** A body that already lies on disk, synced, with no row that names it yet. */
export interface SpooledBody {
  readonly kind: 'spooled';
  /** The file's name inside the store. */
  readonly name: string;
  readonly sizeBytes: number;
}

/** A body being written: small ones stay in memory, large ones go to a file as they grow. */
export interface Spool {
  /**
   * Takes octets, which are no longer the caller's: what was written to a file may be gone from
   * memory. Wait for the promise before the next call.
   */
  write(bytes: Uint8Array): Awaitable<void>;
  readonly sizeBytes: number;
  /** Everything is there: in memory, or on disk and synced. Fails temporarily on a full disk. */
  finish(): Awaitable<Uint8Array | SpooledBody>;
  /** Forgets it and removes the file; harmless after `finish` if no row names the file. */
  discard(): void;
}

/** What IMAP and search need of a message, computed once, at delivery. */
export interface MessageFacts {
  /** ENVELOPE as it goes on the wire, from `(` to `)` (RFC 3501 7.4.2). */
  readonly envelope: Uint8Array;
  /** BODYSTRUCTURE with all extension fields, as it goes on the wire. */
  readonly bodyStructure: Uint8Array;
  /** The tree of parts with offsets from the message's first octet: JSON, see message/structure. */
  readonly parts: string;
  /** The Date field, milliseconds since 1970; undefined when missing or unreadable. */
  readonly sentMs: number | undefined;
  /** Message-ID without angle brackets. */
  readonly messageId: string | undefined;
  /** In-Reply-To and References, without angle brackets, oldest first, at most 50. */
  readonly references: readonly string[];
  /** Decoded, white space folded, for SEARCH: unlimited charsets, compared without case. */
  readonly subject: string;
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
}
