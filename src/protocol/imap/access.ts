/** What a logged-in session may reach: the mail of its own account and nothing else. */

import type { Awaitable, MailboxId, ModSeq, Uid } from '#base/brand.ts';
import type { Committed } from '#store/durable.ts';
import type {
  Changes,
  Detail,
  Mailbox,
  Message,
  MessageDetail,
  MessageSummary,
  SummaryOptions,
  UidRanges,
} from '#store/mail.ts';
import type { Operations } from '#store/operations.ts';

/** The operations that a session may write; account and time are the host's to fill in. */
export type MailOperation =
  | 'storeFlags'
  | 'copy'
  | 'expunge'
  | 'createMailbox'
  | 'deleteMailbox'
  | 'renameMailbox'
  | 'subscribe';

export type MailInput<K extends MailOperation> = Omit<
  Operations[K]['input'],
  'account' | 'nowMs' | 'operation'
>;

/**
 * The store, bound to one account: ids of other accounts behave as if they did not exist.
 * Writes resolve when they are on disk; they and the reads fail with a Failure.
 */
export interface Access {
  mailboxes(): Awaitable<readonly Mailbox[]>;
  mailbox(name: string): Awaitable<Mailbox | undefined>;
  mailboxById(id: MailboxId): Awaitable<Mailbox | undefined>;
  subscriptions(): Awaitable<readonly string[]>;
  uids(
    id: MailboxId,
  ): Awaitable<{ readonly mailbox: Mailbox; readonly uids: readonly Uid[] } | undefined>;
  messages(
    id: MailboxId,
    ranges: UidRanges,
    options: {
      readonly limit: number;
      readonly details?: readonly Detail[];
      readonly expunged?: boolean;
    },
  ): Awaitable<readonly MessageDetail[]>;
  /** In short, and of expunged messages too as long as they can be read. */
  summaries(
    id: MailboxId,
    ranges: UidRanges,
    options: SummaryOptions,
  ): Awaitable<readonly MessageSummary[]>;
  /** Where messages can be that hold a folded text: see the store's reader. */
  mayHold(id: MailboxId, text: string): Awaitable<UidRanges>;
  changes(id: MailboxId, after: ModSeq): Awaitable<Changes>;
  octets(message: Message, from: number, lengthBytes: number): Awaitable<Uint8Array>;
  /** All octets of several small messages: see the store's reader; none of those of others. */
  wholes(messages: readonly Message[]): Awaitable<readonly (Uint8Array | undefined)[]>;
  write<K extends MailOperation>(
    operation: K,
    input: MailInput<K>,
  ): Promise<Committed<Operations[K]['result']>>;
  /** A place for a message that arrives by APPEND; fails temporarily when the disk is full. */
  upload(sizeBytes: number): Upload;
  /** Hears of commits in this mailbox only (by the machine's `changed`); undefined: of none. */
  watch(id: MailboxId | undefined): void;
}

/** A message on its way in. */
export interface Upload {
  /** Takes octets with CRLF line ends; wait for the promise before the next call. */
  write(bytes: Uint8Array): Awaitable<void>;
  /** Writes the row; `undefined` as date means now. Resolves when it is on disk. */
  append(
    mailbox: MailboxId,
    flags: readonly string[],
    internalDateMs: number | undefined,
  ): Promise<AppendOutcome>;
  /** Forgets what has come; harmless after `append`. */
  discard(): void;
}

export type AppendOutcome =
  | { readonly kind: 'written'; readonly written: Committed<Operations['append']['result']> }
  /** Not a message that can be kept; `why` is for the client. */
  | { readonly kind: 'refused'; readonly why: string };
