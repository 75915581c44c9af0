/** Everything that can be written, as data: each operation is one step of a shared transaction. */

import type { AccountId, ContentId, Domain, MailboxId, ModSeq, QueueId, Uid } from '#base/brand.ts';
import type { Content, MessageFacts } from './content.ts';
import type { Credentials } from './directory.ts';
import type { LedgerEntry } from './ledger.ts';
import type { MemoryKind, Remembered } from './memories.ts';
import type { Envelope, QueuedRecipient } from './queue.ts';
import type { SpecialUse, UidRanges } from './mail.ts';

/** A message accepted for one or more recipients: the commit behind every 250 (DESIGN 4). */
export interface Acceptance {
  readonly id: QueueId;
  readonly atMs: number;
  readonly deliveries: readonly Delivery[];
  readonly relay: Relay | undefined;
  readonly ledger: readonly LedgerEntry[];
}

/** A row in a local mailbox. */
export interface Delivery {
  readonly account: AccountId;
  /** Created when missing; INBOX always exists. */
  readonly mailbox: string;
  readonly flags: readonly string[];
  readonly internalDateMs: number;
  readonly content: Content;
  readonly facts: MessageFacts;
}

/** Rows in the queue, sharing one content. */
export interface Relay {
  readonly envelope: Envelope;
  readonly content: Content;
  readonly submitter: string | undefined;
  readonly recipients: readonly NewRecipient[];
}

export type NewRecipient = Pick<
  QueuedRecipient,
  'address' | 'domain' | 'notify' | 'originalRecipient' | 'nextMs' | 'expiresMs'
> & {
  /** Why it is held from the start: it stands where the last answer of an attempt would. */
  readonly held?: string;
};

/** What an attempt (or a command, or expiry) did to one recipient's row. */
export type Settlement =
  | { readonly number: number; readonly kind: 'done' }
  | {
      readonly number: number;
      readonly kind: 'deferred';
      readonly nextMs: number;
      readonly lastAnswer: string;
      readonly delayNotified: boolean;
    };

export interface AppendedMessage {
  readonly flags: readonly string[];
  readonly internalDateMs: number;
  readonly content: Content;
  readonly facts: MessageFacts;
}

type NoSuchMailbox = { readonly kind: 'no-such-mailbox' };
type Done = { readonly kind: 'done' };

/** Input and result of each operation, by its name. Refusals are results, failures are thrown. */
export interface Operations {
  accept: {
    input: { readonly acceptance: Acceptance };
    result: {
      readonly deliveries: readonly { readonly mailbox: MailboxId; readonly uid: Uid }[];
      /** What the queue sends on, if anything is. */
      readonly queued?: ContentId;
    };
  };
  /** Ends or postpones rows and takes in the notices about them, all in one step. */
  settle: {
    input: {
      readonly id: QueueId;
      readonly settlements: readonly Settlement[];
      readonly notices: readonly Acceptance[];
      readonly ledger: readonly LedgerEntry[];
    };
    result: Done;
  };
  /** By hand: `retry` makes rows due now, `drop` removes them without a notice. */
  queueCommand: {
    input: {
      readonly id: QueueId;
      readonly action: 'retry' | 'hold' | 'release' | 'drop';
      readonly nowMs: number;
      readonly ledger: readonly LedgerEntry[];
    };
    result: Done | { readonly kind: 'no-such-message' };
  };
  ledger: { input: { readonly entries: readonly LedgerEntry[] }; result: Done };
  /** What policy noticed, at most some thousands; older ones of this kind are forgotten. */
  remember: {
    input: {
      readonly kind: MemoryKind;
      readonly entries: readonly Remembered[];
      readonly forgetBeforeMs: number;
    };
    result: Done;
  };
  /** All messages or none (RFC 3502). */
  append: {
    input: { readonly mailbox: MailboxId; readonly messages: readonly AppendedMessage[] };
    result:
      | {
          readonly kind: 'appended';
          readonly uidValidity: number;
          readonly uids: readonly Uid[];
          readonly highestModSeq: ModSeq;
        }
      | NoSuchMailbox;
  };
  storeFlags: {
    input: {
      readonly mailbox: MailboxId;
      readonly uids: UidRanges;
      readonly mode: 'add' | 'remove' | 'replace';
      readonly flags: readonly string[];
      /** Leave alone what changed later (RFC 7162 3.1.3). */
      readonly unchangedSince?: ModSeq;
    };
    result:
      | {
          readonly kind: 'stored';
          readonly changed: readonly { uid: Uid; flags: readonly string[]; modSeq: ModSeq }[];
          /** Not touched because of `unchangedSince`. */
          readonly modified: readonly Uid[];
        }
      | NoSuchMailbox
      | { readonly kind: 'too-many-keywords' };
  };
  /** `move` expunges the originals in the same step (RFC 6851). */
  copy: {
    input: {
      readonly from: MailboxId;
      readonly uids: UidRanges;
      readonly to: MailboxId;
      readonly move: boolean;
      readonly nowMs: number;
    };
    result:
      | {
          readonly kind: 'copied';
          readonly uidValidity: number;
          readonly pairs: readonly (readonly [source: Uid, copy: Uid])[];
        }
      | NoSuchMailbox;
  };
  expunge: {
    input: {
      readonly mailbox: MailboxId;
      /** undefined: all. */
      readonly uids: UidRanges | undefined;
      readonly onlyDeleted: boolean;
      readonly nowMs: number;
    };
    result:
      | { readonly kind: 'expunged'; readonly uids: readonly Uid[]; readonly highestModSeq: ModSeq }
      | NoSuchMailbox;
  };
  /** Creates missing parents too; INBOX and existing names are refused. */
  createMailbox: {
    input: {
      readonly account: AccountId;
      readonly name: string;
      readonly specialUse: SpecialUse | undefined;
      readonly nowMs: number;
    };
    result:
      | { readonly kind: 'created'; readonly mailbox: MailboxId }
      | { readonly kind: 'exists' }
      | { readonly kind: 'too-many-mailboxes' };
  };
  deleteMailbox: {
    input: { readonly mailbox: MailboxId; readonly nowMs: number };
    result:
      | Done
      | NoSuchMailbox
      | { readonly kind: 'is-inbox' }
      | { readonly kind: 'has-children' };
  };
  /** Children go along; renaming INBOX moves its messages and leaves it empty (RFC 3501 6.3.5). */
  renameMailbox: {
    input: { readonly mailbox: MailboxId; readonly to: string; readonly nowMs: number };
    result: Done | NoSuchMailbox | { readonly kind: 'exists' } | { readonly kind: 'into-itself' };
  };
  subscribe: {
    input: { readonly account: AccountId; readonly name: string; readonly on: boolean };
    result: Done;
  };
  addDomain: {
    input: { readonly name: Domain };
    result: Done | { readonly kind: 'exists' };
  };
  setCatchAll: {
    input: { readonly name: Domain; readonly address: string | undefined };
    result: Done | { readonly kind: 'no-such-domain' };
  };
  /** Refused while accounts, aliases or queued mail still use it. */
  removeDomain: {
    input: { readonly name: Domain };
    result:
      | Done
      | { readonly kind: 'no-such-domain' }
      | { readonly kind: 'in-use'; readonly by: string };
  };
  /** With INBOX and the special-use mailboxes Drafts, Sent, Junk, Trash, Archive, subscribed. */
  addAccount: {
    input: {
      /** An address key in a local domain. */
      readonly address: string;
      readonly credentials: Credentials;
      readonly nowMs: number;
    };
    result:
      | { readonly kind: 'added'; readonly account: AccountId }
      | { readonly kind: 'exists' }
      | { readonly kind: 'no-such-domain' };
  };
  setCredentials: {
    input: {
      readonly account: AccountId;
      readonly credentials: Credentials;
      /** Only while this is the stored password, as it is kept. */
      readonly instead?: string;
    };
    result: Done | { readonly kind: 'no-such-account' } | { readonly kind: 'other-password' };
  };
  setAccountEnabled: {
    input: { readonly account: AccountId; readonly enabled: boolean };
    result: Done | { readonly kind: 'no-such-account' };
  };
  /** Removes its mail too; refused while an alias or a catch-all points to it. */
  removeAccount: {
    input: { readonly account: AccountId };
    result:
      | Done
      | { readonly kind: 'no-such-account' }
      | { readonly kind: 'in-use'; readonly by: string };
  };
  setAlias: {
    input: { readonly address: string; readonly targets: readonly string[] };
    result: Done | { readonly kind: 'exists' } | { readonly kind: 'no-such-domain' };
  };
  removeAlias: {
    input: { readonly address: string };
    result: Done | { readonly kind: 'no-such-alias' };
  };
  /** Housekeeping: frees expunged content, old ledger entries, files that no row names. */
  sweep: {
    input: { readonly nowMs: number; readonly ledgerDays: number };
    result: { readonly kind: 'swept'; readonly contents: number; readonly entries: number };
  };
}

export type OperationName = keyof Operations;

/** One operation as it is handed to the writer. */
export type Operation = {
  [K in OperationName]: { readonly operation: K } & Operations[K]['input'];
}[OperationName];
