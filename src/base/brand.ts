/** Branded strings and numbers: the same octets at run time, different types for the compiler. */

declare const brand: unique symbol;

/** A `T` that only code which checked it may call a `Name`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A domain in the form we compare: A-labels, lower case, no trailing dot; or an address literal. */
export type Domain = Brand<string, 'Domain'>;
/** An IMAP unique identifier, 1 to 2^32-1 (RFC 3501 2.3.1.1). */
export type Uid = Brand<number, 'Uid'>;
/** A modification sequence, below 2^53 here (RFC 7162 3.1). */
export type ModSeq = Brand<number, 'ModSeq'>;
/** The name of one accepted message, as it stands in Received and in the 250. */
export type QueueId = Brand<string, 'QueueId'>;
/** The name of one session, in logs and in the ledger. */
export type SessionId = Brand<string, 'SessionId'>;
export type AccountId = Brand<number, 'AccountId'>;
export type MailboxId = Brand<number, 'MailboxId'>;
export type ContentId = Brand<number, 'ContentId'>;

/** A value that is there now or later: hot paths stay synchronous, slow ones may wait. */
export type Awaitable<T> = T | Promise<T>;
