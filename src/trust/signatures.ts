/** The arithmetic of signatures as tasks: data in, data out, so that another thread may do it. */

import type { Awaitable } from '#base/brand.ts';
import type { FieldText } from '#message/field-text.ts';
import { sealMessage } from './arc/seal.ts';
import { type SignatureEvidence, type SignatureReport, judgeEvidence } from './arc/verification.ts';
import type { ArcReport } from './arc/verify.ts';
import type { BodyDigests } from './dkim/body.ts';
import { SignedHead } from './dkim/header.ts';
import { type SigningKey, signMessage } from './dkim/sign.ts';

/** A message as it leaves; the body was hashed for `SIGNING_WANT`. */
export interface SignTask {
  readonly head: Uint8Array;
  readonly body: BodyDigests;
  /** One signature each. */
  readonly keys: readonly SigningKey[];
  readonly atMs: number;
}

export interface SealTask {
  readonly head: Uint8Array;
  readonly body: BodyDigests;
  readonly key: SigningKey;
  readonly atMs: number;
  /** What was found when the message came in. */
  readonly report: ArcReport;
  /** Our Authentication-Results of it, authserv-id first. */
  readonly results: string;
}

/** Who does it: this thread (`signaturesHere`), or another one, which may fail as a whole. */
export interface Signatures {
  judge(evidence: SignatureEvidence): Awaitable<SignatureReport>;
  /** DKIM-Signature fields to put in front of the head, in the order of the keys. */
  sign(task: SignTask): Awaitable<readonly FieldText[]>;
  /** One ARC set to put in front; undefined where nobody may seal, see `sealMessage`. */
  seal(task: SealTask): Awaitable<readonly FieldText[] | undefined>;
}

/** All of it in this thread, at once; an RSA signature takes most of a millisecond. */
export const signaturesHere = {
  judge: (evidence: SignatureEvidence): SignatureReport => judgeEvidence(evidence),
  sign: ({ head, body, keys, atMs }: SignTask): readonly FieldText[] => {
    const signed = new SignedHead(head);
    return keys.map((key) => signMessage(signed, body, key, { atMs }));
  },
  seal: ({ head, body, key, atMs, report, results }: SealTask): readonly FieldText[] | undefined =>
    sealMessage(new SignedHead(head), body, report, results, key, { atMs }),
} satisfies Signatures;
