/** The message store as readers see it: mailboxes and messages of one account, by snapshot. */

import type { AccountId, Awaitable, ContentId, MailboxId, ModSeq, Uid } from '#base/brand.ts';

/** `\Sent` and its kin (RFC 6154), with the backslash. */
export type SpecialUse =
  | '\\All'
  | '\\Archive'
  | '\\Drafts'
  | '\\Flagged'
  | '\\Junk'
  | '\\Sent'
  | '\\Trash';

export interface Mailbox {
  readonly id: MailboxId;
  readonly account: AccountId;
  /** Unicode, `/` between levels; INBOX is always written so. */
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModSeq: ModSeq;
  readonly specialUse: SpecialUse | undefined;
  /** A stable id that survives RENAME (RFC 8474 MAILBOXID). */
  readonly objectId: string;
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  /** Sum of the sizes of its messages. */
  readonly sizeBytes: number;
}

/** A message in a mailbox, without its octets. */
export interface Message {
  readonly mailbox: MailboxId;
  readonly uid: Uid;
  readonly modSeq: ModSeq;
  /** System flags with backslash (`\Seen`), keywords as first written; never `\Recent`. */
  readonly flags: readonly string[];
  readonly internalDateMs: number;
  /** When it came into this mailbox (RFC 8514). */
  readonly savedMs: number;
  readonly sizeBytes: number;
  /** Octets up to and with the empty line. */
  readonly headBytes: number;
  readonly content: ContentId;
  /** Stable ids (RFC 8474). */
  readonly emailId: string;
  readonly threadId: string;
}

/** Which facts a query should bring along; each column costs, so ask for what is sent. */
export interface MessageDetail extends Message {
  /** As on the wire, each octet a character, like the next. */
  readonly envelope?: string;
  readonly bodyStructure?: string;
  readonly parts?: string;
  readonly search?: SearchFacts;
}

/**
 * A message as lists of messages show it. Of thousands each column is a good part of the cost:
 * only the UID and the parts that were asked for are there, the others are 0 or empty. What goes
 * on the wire as it is comes as text, a character for each octet: that costs less than octets.
 */
export interface MessageSummary {
  readonly uid: Uid;
  /** Something is large, damaged, or of an expunged message: the message is to be asked for. */
  readonly lacking: boolean;
  readonly flags: readonly string[];
  readonly modSeq: ModSeq;
  readonly internalDateMs: number;
  readonly sizeBytes: number;
  readonly envelope: string;
  readonly bodyStructure: string;
  /** Up to and with the empty line; of `fields` those alone, and an empty line. */
  readonly head: Uint8Array;
}

export type SummaryPart =
  | 'flags'
  | 'modSeq'
  | 'internalDate'
  | 'size'
  | 'envelope'
  | 'bodyStructure'
  | 'head';

export interface SummaryOptions {
  readonly limit: number;
  readonly parts: readonly SummaryPart[];
  /** With the part `head`: of heads only the fields with these names, which are in lower case. */
  readonly fields?: ReadonlySet<string> | undefined;
}

export interface SearchFacts {
  readonly sentMs: number | undefined;
  readonly subject: string;
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
}

export type Detail = 'envelope' | 'bodyStructure' | 'parts' | 'search';

/** Closed ranges of UIDs, ascending, not overlapping. */
export type UidRanges = readonly (readonly [from: number, to: number])[];

/** What happened in a mailbox after a modification sequence. */
export interface Changes {
  readonly highestModSeq: ModSeq;
  /** New messages and changed flags, ascending UID. */
  readonly changed: readonly Message[];
  /** Expunged or moved away, ascending UID. */
  readonly vanished: readonly Uid[];
}

/** Reads; each call sees one consistent snapshot. Nothing here takes more than a slice of time. */
export interface MailReader {
  mailboxes(account: AccountId): Awaitable<readonly Mailbox[]>;
  /** INBOX in any case; other names to the letter. */
  mailbox(account: AccountId, name: string): Awaitable<Mailbox | undefined>;
  mailboxById(id: MailboxId): Awaitable<Mailbox | undefined>;
  /** Names the account subscribed to, whether or not they exist (RFC 3501 6.3.9). */
  subscriptions(account: AccountId): Awaitable<readonly string[]>;
  /** All UIDs of a mailbox, ascending, with the mailbox row of the same snapshot. */
  uids(
    id: MailboxId,
  ): Awaitable<{ readonly mailbox: Mailbox; readonly uids: readonly Uid[] } | undefined>;
  /**
   * Messages within `ranges`, ascending, at most `limit`: go on from the last UID. With `details`
   * fewer may come although there are more, where they are large; at least one. Messages
   * expunged less than an hour ago are found too when `expunged` is set, so that an open
   * session can read what it has not been told of.
   */
  messages(
    id: MailboxId,
    ranges: UidRanges,
    options: {
      readonly limit: number;
      readonly details?: readonly Detail[];
      readonly expunged?: boolean;
    },
  ): Awaitable<readonly MessageDetail[]>;
  /**
   * The same in short, `limit` of them unless there are no more. Octets above 8 KiB are left away,
   * above 32 KiB when at most 64 messages are asked for, and all of messages expunged less than
   * an hour ago: such a summary is `lacking`.
   */
  summaries(
    id: MailboxId,
    ranges: UidRanges,
    options: SummaryOptions,
  ): Awaitable<readonly MessageSummary[]>;
  /**
   * Where messages can be that hold `text` (folded: message/search-text) in a head, a text part
   * or a search fact: all those that do are within the ranges, with others that may or may not.
   * Ascending, up to the largest UID there can be.
   */
  mayHold(id: MailboxId, text: string): Awaitable<UidRanges>;
  changes(id: MailboxId, after: ModSeq): Awaitable<Changes>;
  /** Octets `from` to at most `from + lengthBytes`; fewer only at the end of the message. */
  octets(content: ContentId, from: number, lengthBytes: number): Awaitable<Uint8Array>;
  /**
   * All octets of several messages, in one memory: to be asked for small ones only. Undefined for
   * what lies in a file, is damaged or gone: `octets` reads it, or tells why not.
   */
  wholes(contents: readonly ContentId[]): Awaitable<readonly (Uint8Array | undefined)[]>;
}
