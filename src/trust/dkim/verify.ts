/** Verifies DKIM signatures (RFC 6376 6): reads the head, says what it needs, then judges. */

import type { Field } from '#message/fields.ts';
import { type BodyDigests, type BodyWant, bodyKey } from './body.ts';
import { SignedHead } from './header.ts';
import { type KeyAnswers, judgeByKeys, lookupOf } from './key-lookup.ts';
import type { KeyLimits } from './key-record.ts';
import type { Claims, DkimReport, DkimResult, Verdict } from './result.ts';
import { type Signature, type SignatureLimits, readSignature } from './signature.ts';
import type { Coverage, Reading } from './signature.ts';

export interface DkimLimits extends SignatureLimits, KeyLimits {
  /** Signatures that are looked at; the topmost, which the last hosts put there. */
  readonly signatures?: number;
  /** How far clocks may differ, for `t=` and `x=`. */
  readonly skewSeconds?: number;
}

const SIGNATURES = 10;
const SKEW_SECONDS = 300;

interface Item {
  readonly field: Field;
  readonly claims: Claims;
  readonly reading: Reading<Signature>;
}

/**
 * The signatures of one message. `wants` and `keyNames` are known as soon as the head is; `judge`
 * takes what came of them and is a function of its arguments alone: it may run in any thread.
 */
export class DkimSignatures {
  /** What the body has to be hashed for. */
  readonly wants: readonly BodyWant[];
  /** TXT names to ask for, each once. */
  readonly keyNames: readonly string[];
  readonly #head: SignedHead;
  readonly #items: readonly Item[];
  readonly #notLookedAt: number;
  readonly #limits: DkimLimits;

  constructor(head: SignedHead, limits: DkimLimits = {}) {
    const fields = head.named('dkim-signature');
    const looked = fields.slice(0, limits.signatures ?? SIGNATURES);
    this.#head = head;
    this.#limits = limits;
    this.#notLookedAt = fields.length - looked.length;
    this.#items = looked.map((field) => ({ field, ...readSignature(field.raw, limits) }));
    const sound = this.#items.flatMap(({ reading }) =>
      reading.kind === 'read' ? [reading.value] : [],
    );
    this.wants = sound.map(({ body }) => body);
    this.keyNames = [...new Set(sound.map(({ keyName }) => keyName))];
  }

  /** Judges every signature looked at. Never fails. */
  judge(body: BodyDigests, answers: KeyAnswers, nowMs: number): DkimReport {
    const results = this.#items.map((item) => this.#judgeOne(item, body, answers, nowMs));
    return { results, notLookedAt: this.#notLookedAt };
  }

  #judgeOne(item: Item, body: BodyDigests, answers: KeyAnswers, nowMs: number): DkimResult {
    const { field, claims, reading } = item;
    if (reading.kind === 'refused') return { ...NOTHING_MORE, ...claims, ...reading.verdict };
    const signature = reading.value;
    const data = () => signedData(this.#head, field, signature);
    const { key, ...byKey } = judgeByKeys(signature, data, answers, this.#limits);
    const verdict =
      refuseTime(signature, nowMs, this.#limits) ??
      refuseBody(signature, body) ??
      (key?.sameDomain === true && belowSigner(claims)
        ? { status: 'permerror', reason: 'i= lies below d=, the key forbids that' }
        : byKey);
    const { lengthBytes, canon } = signature.body;
    const partial = lengthBytes !== undefined;
    const { signedAtSeconds, expiresAtSeconds, fields: signedFields } = signature;
    return {
      ...claims,
      ...softened(verdict, partial, key?.testing === true),
      keyBits: key?.bits,
      testing: key?.testing === true,
      partial,
      unsignedBytes: partial ? Math.max(0, body.totalBytes[canon] - lengthBytes) : undefined,
      signedAtSeconds,
      expiresAtSeconds,
      signedFields,
      lookup: lookupOf(signature.keyName, answers),
    };
  }
}

/** What the header part of a signature was made over (RFC 6376 3.7). */
export function signedData(
  head: SignedHead,
  field: Field,
  signature: Pick<Signature, 'fields' | 'headCanon' | 'b'>,
): string {
  const { fields, headCanon, b } = signature;
  return head.covered(fields, headCanon, field) + head.emptied(field, b, headCanon);
}

/** `x=` past, `t=` to come. */
export function refuseTime(
  times: { readonly signedAtSeconds: number | undefined } & Pick<Coverage, 'expiresAtSeconds'>,
  nowMs: number,
  limits: DkimLimits = {},
): Verdict | undefined {
  const skew = limits.skewSeconds ?? SKEW_SECONDS;
  const now = Math.floor(nowMs / 1_000);
  const { signedAtSeconds, expiresAtSeconds } = times;
  if (expiresAtSeconds !== undefined && expiresAtSeconds + skew < now) {
    return { status: 'fail', reason: 'the signature is expired' };
  }
  if (signedAtSeconds !== undefined && signedAtSeconds - skew > now) {
    return { status: 'fail', reason: 'the signature is from the future' };
  }
  return undefined;
}

/** Whether the body is the one that was hashed; `l=` beyond its end is never right. */
export function refuseBody(signature: Coverage, body: BodyDigests): Verdict | undefined {
  const digest = body.digests.get(bodyKey(signature.body));
  if (digest === undefined) return { status: 'fail', reason: 'l= is longer than the body' };
  return Buffer.compare(digest, signature.bodyHash) === 0
    ? undefined
    : { status: 'fail', reason: 'the body was changed' };
}

function belowSigner({ identity, domain }: Claims): boolean {
  return identity !== undefined && identity.domain !== domain;
}

/** `l=` lets anybody add to the body: no pass. A domain that tries out did not fail (t=y). */
function softened(verdict: Verdict, partial: boolean, testing: boolean): Verdict {
  if (verdict.status === 'pass' && partial) {
    return { status: 'policy', reason: 'l= leaves the body open' };
  }
  if (verdict.status === 'fail' && testing) return { ...verdict, status: 'neutral' };
  return verdict;
}

const NOTHING_MORE: Omit<DkimResult, keyof Claims | keyof Verdict> = {
  keyBits: undefined,
  testing: false,
  partial: false,
  unsignedBytes: undefined,
  signedAtSeconds: undefined,
  expiresAtSeconds: undefined,
  signedFields: [],
  lookup: undefined,
};
