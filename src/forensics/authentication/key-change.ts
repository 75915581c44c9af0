/** Whether the key that is published now is the one that made a signature: keys are replaced. */

import { type KeyObject, constants, publicDecrypt } from 'node:crypto';
import { SignedHead } from '#trust/dkim/header.ts';
import type { KeyAnswers } from '#trust/dkim/key-lookup.ts';
import { readKeyRecord } from '#trust/dkim/key-record.ts';
import { readSignature } from '#trust/dkim/signature.ts';
import type { Specimen } from '../specimen.ts';

/** Records under one name that are tried. */
const RECORDS = 10;

/**
 * Of the `at`th signature, which does not fit. True: an RSA key opens it to a well-formed block, so
 * this key made it, over another header. False: none does, so that it was another key, or nobody's.
 * Undefined: ed25519 does not tell.
 */
export function madeByKey(
  specimen: Specimen,
  at: number,
  answers: KeyAnswers,
): boolean | undefined {
  const head = new SignedHead(specimen.headOctets, specimen.head);
  const field = head.named('dkim-signature')[at];
  const reading = field === undefined ? undefined : readSignature(field.raw).reading;
  if (reading?.kind !== 'read') return undefined;
  const { algorithm, keyName, signature } = reading.value;
  const answer = answers.get(keyName);
  if (algorithm !== 'rsa-sha256' || answer?.kind !== 'found') return undefined;
  return answer.records.slice(0, RECORDS).some((record) => {
    const key = readKeyRecord(record, algorithm);
    return key.kind === 'read' && opens(key.value.key, signature);
  });
}

/** What was signed stands in a block whose padding no other key gives. */
function opens(key: KeyObject, signature: Uint8Array): boolean {
  try {
    return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature).length > 0;
  } catch {
    return false;
  }
}
