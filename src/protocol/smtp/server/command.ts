/** A row of the command table: when a verb may come, how it is checked, what it does. */

import type { Reply } from '../reply.ts';
import type { Content } from './content.ts';
import type { SmtpMode } from './options.ts';
import type { SmtpAnswer, SmtpQuestion } from './questions.ts';
import type { Phase, SmtpState } from './session.ts';

export interface Command<Input = unknown> {
  /** Upper case. */
  readonly verb: string;
  /** Modes that know the verb; elsewhere it is unknown. Undefined: all. */
  readonly modes?: readonly SmtpMode[];
  /** Phases in which it makes sense; in others it is answered with 503. */
  readonly phases: readonly Phase[];
  /** May come before TLS where TLS is required (RFC 3207 4). Default false. */
  readonly beforeTls?: boolean;
  /** The client must wait for our reply: octets that came early are no commands. */
  readonly waits?: boolean;
  /** Judges syntax and sequence: answers at once, or asks the outside. */
  check(argument: Argument, state: SmtpState): Outcome<Input>;
  /** Runs after the outside has agreed. */
  proceed?(input: Input, state: SmtpState, answer: SmtpAnswer): Outcome<Input>;
  /** The next line of a dialogue that the command began (AUTH). */
  line?(input: Input, line: Uint8Array, state: SmtpState): Outcome<Input>;
  /** What a refusal becomes, from the table or from outside (BDAT: its octets come anyway). */
  refused?(argument: Argument, refusal: Reply): Outcome<Input>;
}

/** What stands behind the verb. */
export interface Argument {
  /** Without leading and trailing white space. */
  readonly text: string;
  readonly ascii: boolean;
  /** ASCII or well-formed UTF-8; if not, `text` has a character for each octet. */
  readonly wellFormed: boolean;
}

export type Outcome<Input = unknown> =
  | Saying
  /** `proceed` follows with `input`, unless the outside refuses. */
  | { readonly kind: 'ask'; readonly question: SmtpQuestion; readonly input: Input }
  /** Octets of content follow; `refusal`: they are thrown away and this is said at the end. */
  | {
      readonly kind: 'content';
      readonly reply?: Reply;
      readonly content: Content;
      readonly refusal?: Reply;
      readonly mistake?: boolean;
    }
  /** The next line belongs to the command's `line`. */
  | { readonly kind: 'dialogue'; readonly reply: Reply; readonly input: Input }
  | { readonly kind: 'start-tls'; readonly reply: Reply };

export interface Saying {
  readonly kind: 'say';
  readonly reply: Reply;
  /** `parted`: the client itself asked for the end. */
  readonly close?: boolean | 'parted';
  /** The client did something wrong: it counts. */
  readonly mistake?: boolean;
}

export function say(reply: Reply): Saying {
  return { kind: 'say', reply };
}

/** A reply to something the client should not have done. */
export function mistake(reply: Reply): Saying {
  return { kind: 'say', reply, mistake: true };
}

/** The outside's own words, or ours. */
export function words(answer: SmtpAnswer, ours: Reply): Reply {
  return answer.kind === 'proceed' && answer.reply !== undefined ? answer.reply : ours;
}
