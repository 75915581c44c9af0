/** DKIM and ARC of a message, verified again: with the key at hand, else unknown, never failed. */

import type { KeySource } from '#trust/dkim/key-lookup.ts';
import { type BodyDigests, BodyHashes } from '#trust/dkim/body.ts';
import { SignedHead } from '#trust/dkim/header.ts';
import { type KeyAnswers, askForKeys } from '#trust/dkim/key-lookup.ts';
import type { DkimResult } from '#trust/dkim/result.ts';
import { DkimSignatures } from '#trust/dkim/verify.ts';
import { ArcChain, type ArcReport } from '#trust/arc/verify.ts';
import type { BodySink } from '../input/reader.ts';
import type { Specimen } from '../specimen.ts';
import { madeByKey } from './key-change.ts';
import { type Repair, findRepair } from './repair.ts';

/** What can be said of one signature today. */
export interface SignatureFinding {
  /** Where its field begins in the head, in octets. */
  readonly start: number;
  readonly domain: string | undefined;
  readonly selector: string | undefined;
  readonly algorithm: string | undefined;
  /** `pass` and `fail` are proved; `unknown` says why nothing can be proved. */
  readonly status: 'pass' | 'fail' | 'unknown' | 'unusable';
  readonly reason: string;
  /** Whether the body is the one that was signed; known without the key. */
  readonly bodyMatches: boolean | undefined;
  /** Why it broke: the one change that makes it right again. */
  readonly repair: Repair | undefined;
  readonly signedAtSeconds: number | undefined;
  /** Octets that anybody may have added, by `l=`. */
  readonly unsignedBytes: number | undefined;
  readonly signedFields: readonly string[];
}

export interface ArcFinding {
  readonly status: 'none' | 'pass' | 'fail' | 'unknown';
  readonly reason: string;
  readonly sets: ArcReport['sets'];
}

export interface Signatures {
  readonly dkim: readonly SignatureFinding[];
  readonly notLookedAt: number;
  readonly arc: ArcFinding;
}

/** Made for one message: takes its body while it is read, then judges. */
export class SignatureWork implements BodySink {
  readonly #source: KeySource;
  #hashes: BodyHashes | undefined;
  #dkim: DkimSignatures | undefined;
  #arc: ArcChain | undefined;
  #signed: SignedHead | undefined;
  #answers: Promise<KeyAnswers> | undefined;

  constructor(source: KeySource) {
    this.#source = source;
  }

  begin(headOctets: Uint8Array): (body: Uint8Array) => void {
    this.#signed = new SignedHead(headOctets);
    const dkim = (this.#dkim = new DkimSignatures(this.#signed));
    const arc = (this.#arc = new ArcChain(this.#signed));
    const hashes = (this.#hashes = new BodyHashes([...dkim.wants, ...arc.wants]));
    this.#answers = askForKeys([...dkim.keyNames, ...arc.keyNames], this.#source);
    return (body) => hashes.write(body);
  }

  /**
   * `atMs`: when the message was received, for `x=` and `t=`; `keysAtMs`: of when the keys are.
   * Never fails.
   */
  async finish(specimen: Specimen, atMs: number, keysAtMs = atMs): Promise<Signatures> {
    const [dkim, arc, hashes] = [this.#dkim, this.#arc, this.#hashes];
    if (dkim === undefined || arc === undefined || hashes === undefined) return unread(specimen);
    const digests = hashes.finish();
    const answers = (await this.#answers) ?? new Map();
    const report = dkim.judge(digests, answers, atMs);
    const findings = report.results.map((result, at) =>
      this.#finding(specimen, result, at, { digests, answers, atMs, keysAtMs }),
    );
    const chain = arc.judge(digests, answers, atMs);
    return { dkim: findings, notLookedAt: report.notLookedAt, arc: arcFinding(chain) };
  }

  #finding(specimen: Specimen, result: DkimResult, at: number, known: Known): SignatureFinding {
    const { domain, selector, algorithm, signedAtSeconds, unsignedBytes, signedFields } = result;
    const { status, reason } = isOtherKey(specimen, result, at, known)
      ? { status: 'unknown' as const, reason: OTHER_KEY }
      : statusOf(result);
    const looked = result.lookup !== undefined;
    const bodyMatches = looked ? result.reason !== BODY_CHANGED : undefined;
    const broken = status === 'fail' || (status === 'unknown' && bodyMatches === false);
    const repair = broken && at < REPAIRS ? findRepair(specimen, at, known) : undefined;
    const base = { domain, selector, algorithm, signedAtSeconds, unsignedBytes, signedFields };
    const start = this.#signed?.named('dkim-signature')[at]?.start ?? 0;
    return { start, ...base, status, reason, bodyMatches, repair };
  }
}

interface Known {
  readonly digests: BodyDigests;
  readonly answers: KeyAnswers;
  readonly atMs: number;
  readonly keysAtMs: number;
}

/** The sentence of trust/dkim for a signature that is over something else, or by somebody else. */
const DOES_NOT_FIT = 'the signature does not fit the header';
const OTHER_KEY =
  'key not available (the one published now is another, or the signature is nobody’s)';
/** Domains replace their keys, and sign with the old one for some days. */
const KEPT_MS = 7 * 86_400_000;

/** A key of today proves nothing against a message of last year that another key may have signed. */
function isOtherKey(
  specimen: Specimen,
  { reason }: DkimResult,
  at: number,
  { answers, atMs, keysAtMs }: Known,
): boolean {
  if (reason !== DOES_NOT_FIT || keysAtMs - atMs < KEPT_MS) return false;
  return madeByKey(specimen, at, answers) !== true;
}

/** Signatures of one message for whose breaking a reason is looked for. */
const REPAIRS = 3;

/** The sentence of trust/dkim for a body hash that differs. */
const BODY_CHANGED = 'the body was changed';

/**
 * No key, no verdict: an answer that is missing, a key that is no longer published, a revoked one
 * say nothing about the day when the message came.
 */
function statusOf(result: DkimResult): Pick<SignatureFinding, 'status' | 'reason'> {
  const { status, reason, lookup } = result;
  if (lookup === undefined) return { status: 'unusable', reason };
  const bodyToo = reason === BODY_CHANGED ? '; the body is not the one that was signed' : '';
  if (lookup.answer === 'failed') {
    return {
      status: 'unknown',
      reason: `key not available (${lookup.why ?? 'no answer'})${bodyToo}`,
    };
  }
  if (lookup.answer !== 'found') {
    return { status: 'unknown', reason: `key not available (none is published now)${bodyToo}` };
  }
  if (status === 'pass') return { status, reason };
  if (reason === 'the key is revoked') {
    return { status: 'unknown', reason: 'key not available (it was revoked since)' };
  }
  if (status === 'fail' || status === 'neutral') return { status: 'fail', reason };
  return { status: status === 'temperror' ? 'unknown' : 'unusable', reason };
}

function arcFinding(chain: ArcReport): ArcFinding {
  const { status, reason, sets, lookups } = chain;
  const missing = lookups.some(({ answer }) => answer !== 'found');
  const lacking = missing ? /no answer|no key|key is revoked/ : /key is revoked/;
  if (status === 'fail' && lacking.test(reason)) {
    return { status: 'unknown', reason: `key not available: ${reason}`, sets };
  }
  return { status, reason, sets };
}

/** The body was not read: there is nothing to check signatures with. */
function unread(specimen: Specimen): Signatures {
  const head = new SignedHead(specimen.headOctets, specimen.head);
  const fields = head.named('dkim-signature');
  const reason = specimen.headCut ? 'the header is too long' : 'the body was not read';
  const claims =
    fields.length === 0 ? [] : new DkimSignatures(head).judge(NO_BODY, new Map(), 0).results;
  const sealed = head.named('arc-seal').length > 0;
  return {
    dkim: claims.map(({ domain, selector, algorithm, signedAtSeconds, signedFields }, at) => {
      const base = { domain, selector, algorithm, signedAtSeconds, signedFields };
      const none = { bodyMatches: undefined, repair: undefined, unsignedBytes: undefined };
      return {
        start: fields[at]?.start ?? 0,
        ...base,
        ...none,
        status: 'unknown' as const,
        reason,
      };
    }),
    notLookedAt: fields.length - claims.length,
    arc: { status: sealed ? 'unknown' : 'none', reason: sealed ? reason : 'no chain', sets: [] },
  };
}

const NO_BODY: BodyDigests = { digests: new Map(), totalBytes: { simple: 0, relaxed: 0 } };
