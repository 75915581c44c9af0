/** Key pairs for signing: made, read from PEM, and the DNS record that publishes them. */

import { type KeyObject, createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { Domain } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import type { SigningKey } from './sign.ts';
import type { Algorithm } from './signature.ts';

export interface NewKey {
  /** The private key, PKCS #8 PEM: to be stored where only this program reads. */
  readonly pem: string;
  /** What to publish, see `keyRecord`. */
  readonly record: string;
}

const RSA_BITS = 2_048;
const MIN_RSA_BITS = 1_024;
const STRING_OCTETS = 255;
const PKIX_PREFIX_BYTES = 12;
const generate = promisify(generateKeyPair);

/**
 * Makes a key pair; the randomness is the system's, as private keys want it. RSA of 2,048 bits
 * unless told otherwise: ed25519 signatures are still reported as failures by large receivers.
 */
export async function makeKey(
  algorithm: Algorithm = 'rsa-sha256',
  modulusLength = RSA_BITS,
): Promise<NewKey> {
  const { privateKey } =
    algorithm === 'rsa-sha256'
      ? await generate('rsa', { modulusLength, publicExponent: 0x10001 })
      : await generate('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { pem, record: keyRecord(privateKey) };
}

/** A stored PEM as a key to sign with. Fails permanently with `bad-signing-key`. */
export function readSigningKey(pem: string, domain: Domain, selector: string): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (thrown) {
    throw badKey(domain, selector, 'is no private key in PEM', thrown);
  }
  const algorithm = ALGORITHMS.get(key.asymmetricKeyType ?? '');
  if (algorithm === undefined) throw badKey(domain, selector, 'is neither RSA nor Ed25519');
  const bits = key.asymmetricKeyDetails?.modulusLength ?? Infinity;
  if (bits < MIN_RSA_BITS) {
    throw badKey(domain, selector, `has ${bits} bits; receivers ignore less than 1,024`);
  }
  return { domain, selector, algorithm, key };
}

/** The text of the TXT record for a private or public key (RFC 6376 3.6.1, RFC 8463 4.2). */
export function keyRecord(key: KeyObject): string {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  const der = half.export({ type: 'spki', format: 'der' });
  if (key.asymmetricKeyType === 'rsa') return `v=DKIM1; k=rsa; p=${der.toString('base64')}`;
  const raw = der.subarray(PKIX_PREFIX_BYTES);
  return `v=DKIM1; k=ed25519; p=${raw.toString('base64')}`;
}

/** The name under which a key's record is published. */
export function keyName({ selector, domain }: Pick<SigningKey, 'selector' | 'domain'>): string {
  return `${selector}._domainkey.${domain}`;
}

/** A record's text as the strings of one TXT record: at most 255 octets each (RFC 1035 3.3.14). */
export function recordStrings(record: string): readonly string[] {
  const strings: string[] = [];
  for (let at = 0; at < record.length; at += STRING_OCTETS) {
    strings.push(record.slice(at, at + STRING_OCTETS));
  }
  return strings;
}

/** The line for a zone file. */
export function zoneLine(at: Pick<SigningKey, 'selector' | 'domain'>, record: string): string {
  const strings = recordStrings(record).map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`);
  return `${keyName(at)}. IN TXT ( ${strings.join(' ')} )`;
}

function badKey(domain: Domain, selector: string, what: string, cause?: unknown): Failure {
  return Failure.permanent('bad-signing-key', `the key ${selector} of ${domain} ${what}`, cause);
}

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['rsa', 'rsa-sha256'],
  ['ed25519', 'ed25519-sha256'],
]);
