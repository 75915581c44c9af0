/** What one Received line says, each thing with how sure its reading is; all of it may be a lie. */

import type { MailDate } from '#message/date.ts';

/**
 * `high`: the form is one that we know. `medium`: read by its place. `low`: it could be something
 * else. This is about our reading, never about whether it is true.
 */
export type Confidence = 'high' | 'medium' | 'low';

export interface Read {
  readonly text: string;
  readonly confidence: Confidence;
}

/** Strings hold octets as latin1, as written; addresses of hosts in their usual form. */
export interface ReceivedLine {
  /** The name that the client gave itself. */
  readonly helo: Read | undefined;
  /** The client's name by the DNS, as the writer of the line found it. */
  readonly rdns: Read | undefined;
  /** The client's address: it stands in the line as it is, nothing is made up. */
  readonly ip: Read | undefined;
  /** RFC 1413: what the client's machine said of the user. */
  readonly ident: Read | undefined;
  readonly by: Read | undefined;
  readonly byIp: Read | undefined;
  /** The program that wrote the line, by its own words or habits. */
  readonly product: Product | undefined;
  /** The words after `with`: a registered name (RFC 3848), or what people write there. */
  readonly with: Read | undefined;
  readonly via: Read | undefined;
  readonly tls: Read | undefined;
  readonly cipher: Read | undefined;
  /** The line says how the mail travelled: under TLS, in clear; undefined where it does not. */
  readonly secured: boolean | undefined;
  /** The client had logged in: as whom, or an empty text where that is not told. */
  readonly login: Read | undefined;
  readonly id: Read | undefined;
  readonly for: Read | undefined;
  readonly envelopeFrom: Read | undefined;
  readonly date: (MailDate & { readonly confidence: Confidence }) | undefined;
  /** What stands in the date's place. */
  readonly dateText: string | undefined;
  /** A name of the zone in a comment, `EST` of `-0500 (EST)`. */
  readonly zoneName: string | undefined;
  /** `full`: who wrote it and when. `partial`: one of them. `none`: neither could be made out. */
  readonly structure: 'full' | 'partial' | 'none';
  readonly oddities: readonly Oddity[];
}

export interface Product {
  readonly name: string;
  readonly version: string | undefined;
}

/** What no writer of such lines does. */
export type Oddity =
  | 'clause twice'
  | 'no date'
  | 'unreadable date'
  | 'date with AM or PM'
  | 'with in lower case'
  | 'both hosts are bare addresses'
  | 'an address that is none'
  | 'rdns may be forged'
  | 'cut';
