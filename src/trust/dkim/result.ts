/** What DKIM says about a message: one result for each signature, plain data for every reader. */

import type { Domain } from '#base/brand.ts';

/** RFC 8601 2.7.1, without `none`: that is an empty list. */
export type DkimStatus = 'pass' | 'fail' | 'policy' | 'neutral' | 'permerror' | 'temperror';

/** A verdict and the sentence for it; the sentence holds nothing that the sender wrote. */
export interface Verdict {
  readonly status: DkimStatus;
  readonly reason: string;
}

/** What a signature says of itself, as far as it could be read; nothing of it is proved. */
export interface Claims {
  /** `d=`, A-labels in lower case: safe to write down. */
  readonly domain: Domain | undefined;
  /** `s=`, A-labels in lower case. */
  readonly selector: string | undefined;
  /** `i=`: the local part is free text of the sender, octets as latin1. */
  readonly identity: { readonly local: string; readonly domain: Domain } | undefined;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256' | undefined;
  /** The first 16 characters of `b=`: names one of several signatures (RFC 6008), shows replays. */
  readonly mark: string;
}

/** How the key was asked for, for the ledger. */
export interface KeyLookup {
  readonly name: string;
  readonly answer: 'found' | 'nxdomain' | 'nodata' | 'failed';
  readonly records: number;
  readonly ttlSeconds: number | undefined;
  /** The AD bit. */
  readonly authentic: boolean;
  /** Why there was no answer. */
  readonly why: string | undefined;
}

export interface DkimResult extends Verdict, Claims {
  readonly keyBits: number | undefined;
  /** The key says `t=y`: the domain only tries DKIM out. */
  readonly testing: boolean;
  /** `l=` is there. Such a signature covers no message: it is never `pass`, but `policy`. */
  readonly partial: boolean;
  /** With `l=`: octets of the canonical body that anybody may have added. */
  readonly unsignedBytes: number | undefined;
  readonly signedAtSeconds: number | undefined;
  readonly expiresAtSeconds: number | undefined;
  /** The names of `h=` in lower case, as often as they come there. */
  readonly signedFields: readonly string[];
  readonly lookup: KeyLookup | undefined;
}

export interface DkimReport {
  /** In the order of the header, top to bottom; empty: the message is not signed. */
  readonly results: readonly DkimResult[];
  /** Further signatures, which nobody looked at. */
  readonly notLookedAt: number;
}
