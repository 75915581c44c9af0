/** A restriction: what it is told, what it may say. Postfix' vocabulary, one file for each. */

import type { Address, ReversePath } from '#base/address.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { AddressOptions } from '../addresses/options.ts';
import type { AddressBook } from '../addresses/resolve.ts';
import type { ClientFacts } from '../gate.ts';

export interface CheckFacts {
  readonly client: ClientFacts;
  /** Whether the client's address lies in mynetworks. */
  readonly inMynetworks: boolean;
  readonly sender: ReversePath;
  /** undefined: before RCPT. */
  readonly recipient: Address | undefined;
  readonly directory: AddressBook;
  readonly addresses: Partial<AddressOptions>;
}

/** `reply` goes to the client and is brief; `why` goes into the ledger and is complete. */
export type Verdict =
  | { readonly kind: 'dunno' }
  | { readonly kind: 'permit'; readonly rule: string; readonly why: string }
  | {
      readonly kind: 'reject' | 'defer';
      readonly rule: string;
      readonly reply: Reply;
      readonly why: string;
    };

export interface Check {
  /** As it stands in the configuration. */
  readonly name: string;
  /** Whether it has something to judge only once a recipient is known. */
  readonly needsRecipient: boolean;
  judge(facts: CheckFacts): Verdict;
}

/** Nothing to say: the next restriction decides. */
export const DUNNO: Verdict = { kind: 'dunno' };

export function permitted(rule: string, why: string): Verdict {
  return { kind: 'permit', rule, why };
}

/** A refusal for good (5xx) or for now (4xx), as the code says. */
export function refused(
  rule: string,
  code: number,
  enhanced: string,
  text: string,
  why: string,
): Verdict {
  const kind = code < 500 ? 'defer' : 'reject';
  return { kind, rule, reply: reply(code, enhanced, text), why };
}

/** Whether a name has more than one label (or is an address literal): fit for other networks. */
export function isFullyQualified(domain: string): boolean {
  return domain.startsWith('[') || domain.includes('.');
}
