/** A restriction: what it is told, what it may say. Postfix' vocabulary, one file for each. */

import type { Address, ReversePath } from '#base/address.ts';
import type { Awaitable } from '#base/brand.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { AddressOptions } from '../addresses/options.ts';
import type { AddressBook } from '../addresses/resolve.ts';
import type { Tools } from './tools.ts';
import type { Questions } from '#trust/questions.ts';
import type { ClientFacts } from '../gate.ts';
import type { Inquiry } from '../inquiry.ts';

export interface CheckFacts {
  readonly client: ClientFacts;
  /** Whether the client's address lies in mynetworks. */
  readonly inMynetworks: boolean;
  readonly sender: ReversePath;
  /** undefined: before RCPT, and of several recipients at the end of content. */
  readonly recipient: Address | undefined;
  /** Those that were accepted; empty before the end of content. */
  readonly recipients: readonly Address[];
  readonly directory: AddressBook;
  readonly addresses: Partial<AddressOptions>;
  /** Asks the DNS, within the budget of this command; every answer goes into the ledger. */
  readonly questions: Questions;
  /** What is known of the transaction so far: authentication, and a place for remarks. */
  readonly inquiry: Inquiry;
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
    }
  /** Into Junk; what comes later in the list may still refuse the message. */
  | { readonly kind: 'quarantine'; readonly rule: string; readonly why: string };

export interface Check {
  /** As it stands in the configuration. */
  readonly name: string;
  /** What must be known before there is something to judge. */
  readonly needs: 'sender' | 'recipient' | 'message';
  /** At once unless it has to ask somebody: promises on the hot path cost every message. */
  judge(facts: CheckFacts): Awaitable<Verdict>;
}

/** A restriction that is made for each place in the lists: by what follows its name, or of tools. */
export interface CheckMaker {
  readonly name: string;
  readonly needs: Check['needs'];
  /** What follows the name: `a table`, `a zone`; undefined: nothing. */
  readonly takes: string | undefined;
  /** The check, or what is wrong with the argument, as words that follow "which". */
  make(argument: string, tools: Tools): Check | string;
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
