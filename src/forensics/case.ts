/** One message with everything that was found out about it: what signs and conclusions look at. */

import type { Authentication } from './authentication/checks.ts';
import type { Displayed } from './input/displayed.ts';
import type { ClockModel, Delay } from './route/clock.ts';
import type { Anchors, Route } from './route/route.ts';
import type { Specimen } from './specimen.ts';

export interface Case {
  readonly specimen: Specimen;
  readonly from: Displayed;
  readonly replyTo: Displayed;
  /** Where answers go: every address of every Reply-To, in every reading. */
  readonly answersTo: readonly string[];
  readonly route: Route;
  readonly clocks: ClockModel;
  readonly delays: readonly Delay[];
  readonly authentication: Authentication;
  readonly anchors: Anchors;
  /** Domains that the reader knows: their own, their bank's; look-alikes are held against them. */
  readonly known: readonly string[];
}

/** How much a sign is worth, by what was observed in phishing and in ordinary mail. */
export type Strength =
  /** Proof-like: honest mail does not have it. */
  | 'strong'
  /** Seen more in bad mail than in good. */
  | 'weak'
  /** As common in good mail: it tells something, not whether the mail is bad. */
  | 'context'
  /** Others print it as a warning; it is more common in good mail than in bad. */
  | 'dropped';

/** Percent of messages that had it, in four collections; see docs/forensics.md. */
export interface BaseRates {
  readonly phish: number;
  readonly easyHam: number;
  readonly hardHam: number;
  readonly spam: number;
}

export interface Sign {
  readonly id: string;
  readonly title: string;
  readonly strength: Strength;
  /** Undefined: nobody has counted it. */
  readonly rates?: BaseRates;
  /** It shows that the message contradicts itself, not only that it is odd. */
  readonly contradiction?: boolean;
  /** How honest mail may come to have it. */
  readonly innocent?: string;
  /** What was seen, each with the words that it was seen in; none: the sign is not there. */
  look(one: Case): readonly Seen[];
}

export interface Seen {
  readonly text: string;
  /** The places that speak, as they stand in the message: octets as latin1, or Unicode. */
  readonly quotes: readonly string[];
  /** Where this one is worth more or less than the sign in general. */
  readonly strength?: Strength;
}
