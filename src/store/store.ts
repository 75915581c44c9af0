/** The whole store behind one door for reading and one for writing. */

import type { MailboxId } from '#base/brand.ts';
import type { Spool } from './content.ts';
import type { Directory } from './directory.ts';
import type { Committed } from './durable.ts';
import type { LedgerReader } from './ledger.ts';
import type { MailReader } from './mail.ts';
import type { MemoryReader } from './memories.ts';
import type { OperationName, Operations } from './operations.ts';
import type { DueRecipient, QueueReader } from './queue.ts';

export interface Store {
  readonly mail: MailReader;
  readonly queue: QueueReader;
  readonly directory: Directory;
  readonly ledger: LedgerReader;
  readonly memories: MemoryReader;

  /** A place for a body while it arrives. */
  spool(): Spool;
  /** Whether new mail may come in: false while the disk is nearly full (asked at MAIL and DATA). */
  hasRoom(expectedBytes: number): boolean;
  /**
   * Carries out one operation in the next shared transaction; resolves when that is on disk.
   * Throws a temporary Failure when it could not be: then nothing of it happened.
   */
  write<K extends OperationName>(
    operation: K,
    input: Operations[K]['input'],
  ): Promise<Committed<Operations[K]['result']>>;
  /** Calls `listener` after each commit that changed the mailbox; returns how to stop it. */
  watchMailbox(id: MailboxId, listener: () => void): () => void;
  /**
   * Calls `listener` after each commit, here or in another process, that may have made rows of
   * the queue due, so not when rows only ended. `rows`: it was these, by an `accept` here, and no
   * others; undefined: look for them.
   */
  watchQueue(listener: (rows?: readonly DueRecipient[]) => void): () => void;
  close(): Promise<void>;
}
