/** What a message is made of, as the reader found it: parts with offsets, and the envelope fields. */

/** A mailbox or a group mark in an address field, decoded (RFC 5322 3.4). */
export interface FieldAddress {
  /** Display name, decoded; undefined when there is none. */
  readonly name: string | undefined;
  /** Local part as IMAP shows it: quotes taken away. For a group's start: the group's name. */
  readonly local: string;
  /** undefined marks the start of a group; the end has `local` empty too (RFC 3501 7.4.2). */
  readonly domain: string | undefined;
}

/** The fields that ENVELOPE shows; text decoded to Unicode, octets that were no text as U+FFFD. */
export interface EnvelopeFields {
  /** The Date field's raw text, unfolded. */
  readonly date: string | undefined;
  /** As written, encoded words not decoded, unfolded, raw octets as latin1. */
  readonly subject: string | undefined;
  readonly from: readonly FieldAddress[];
  /** Missing Sender and Reply-To are the same as From. */
  readonly sender: readonly FieldAddress[];
  readonly replyTo: readonly FieldAddress[];
  readonly to: readonly FieldAddress[];
  readonly cc: readonly FieldAddress[];
  readonly bcc: readonly FieldAddress[];
  /** With angle brackets, as written. */
  readonly inReplyTo: string | undefined;
  readonly messageId: string | undefined;
}

/** One body part (RFC 2045, 2046); offsets count from the first octet of the whole message. */
export interface Part {
  readonly headStart: number;
  /** With the empty line. */
  readonly headBytes: number;
  readonly bodyStart: number;
  readonly bodyBytes: number;
  /** Line ends in the body (BODYSTRUCTURE counts them for text and message/rfc822). */
  readonly bodyLines: number;
  /** Lower case; defaults of RFC 2045 5.2 put in, message/rfc822 in a digest. */
  readonly type: string;
  readonly subtype: string;
  /** In order, names lower case, values decoded (RFC 2231). */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Content-ID with brackets. */
  readonly id: string | undefined;
  readonly description: string | undefined;
  /** Lower case, `7bit` when missing. */
  readonly encoding: string;
  readonly md5: string | undefined;
  readonly disposition:
    | {
        readonly value: string;
        readonly parameters: readonly (readonly [name: string, value: string])[];
      }
    | undefined;
  readonly languages: readonly string[];
  readonly location: string | undefined;
  /** The parts of a multipart; the one message of a message/rfc822. */
  readonly children: readonly Part[];
  /**
   * Of the message inside a message/rfc822, and of the whole message at the root; where the root
   * itself is a message/rfc822, its child has the inner one.
   */
  readonly envelope: EnvelopeFields | undefined;
}
