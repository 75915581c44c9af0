/** Reads key records (RFC 6376 3.6.1, RFC 8463 4.2) and checks signatures with the keys in them. */

import { type KeyObject, createHash, createPublicKey, verify } from 'node:crypto';
import { fromLatin1 } from '#base/bytes.ts';
import { type Reading, refused } from './signature.ts';
import type { Algorithm, Tags } from './signature.ts';
import { decodeBase64, parseTagList, withoutFolds } from './tags.ts';

export interface PublicKey {
  readonly key: KeyObject;
  readonly bits: number;
  /** `t=y`: the domain only tries DKIM out. */
  readonly testing: boolean;
  /** `t=s`: the domain in `i=` must be that of `d=`, none below it. */
  readonly sameDomain: boolean;
}

export interface KeyLimits {
  /** Characters of one TXT record. */
  readonly recordCharacters?: number;
  /** RSA keys below this prove nothing (RFC 8301 3.2). */
  readonly minRsaBits?: number;
  /** Larger ones cost too much to check; RFC 8301 3.2 asks for 4,096. */
  readonly maxRsaBits?: number;
}

const RECORD_CHARACTERS = 16_384;
const MIN_RSA_BITS = 1_024;
const MAX_RSA_BITS = 4_096;
/** Larger exponents make a check as slow as a signature; nobody has them but attackers. */
const MAX_EXPONENT = 0xffff_ffffn;
const ED25519_BYTES = 32;

/** One TXT record as a key for signatures of an algorithm, or why it is none. Never fails. */
export function readKeyRecord(
  record: string,
  algorithm: Algorithm,
  limits: KeyLimits = {},
): Reading<PublicKey> {
  if (record.length > (limits.recordCharacters ?? RECORD_CHARACTERS)) {
    return refused('permerror', 'the key record is too long');
  }
  const list = parseTagList(record);
  if (list.kind === 'bad') return refused('permerror', `key record: ${list.why}`);
  const { tags } = list;
  const unfit = refuseRecord(tags, algorithm);
  if (unfit !== undefined) return unfit;
  const data = decodeBase64(tags.get('p')?.value ?? '');
  if (data === undefined) return refused('permerror', 'key record: p= is no base64');
  if (data.length === 0) return refused('fail', 'the key is revoked');
  const key = algorithm === 'rsa-sha256' ? rsaKey(data) : ed25519Key(data);
  if (key === undefined) return refused('permerror', 'key record: p= holds no such key');
  const bits = key.asymmetricKeyDetails?.modulusLength ?? ED25519_BYTES * 8;
  const weak = algorithm === 'rsa-sha256' ? refuseSize(key, bits, limits) : undefined;
  if (weak !== undefined) return weak;
  const flags = listOf(tags, 't', '');
  const value = { key, bits, testing: flags.includes('y'), sameDomain: flags.includes('s') };
  return { kind: 'read', value };
}

/** Whether a signature over `data` (octets as latin1) is this key's. */
export function checkSignature(
  key: KeyObject,
  algorithm: Algorithm,
  data: string,
  signature: Uint8Array,
): boolean {
  try {
    if (algorithm === 'rsa-sha256') return verify('sha256', fromLatin1(data), key, signature);
    // RFC 8463 3: the hash is signed, by pure Ed25519.
    const hash = createHash('sha256').update(data, 'latin1').digest();
    return verify(null, hash, key, signature);
  } catch {
    // OpenSSL refuses some keys only when they are used.
    return false;
  }
}

/** RFC 6376 6.1.2 (5) to (8), 3.6.1. */
function refuseRecord(tags: Tags, algorithm: Algorithm): Reading<never> | undefined {
  const [first] = tags.keys();
  const version = tags.get('v')?.value;
  if (version !== undefined && (version !== 'DKIM1' || first !== 'v')) {
    return refused('permerror', 'the record is no DKIM key');
  }
  if (!tags.has('p')) return refused('permerror', 'key record: p= is missing');
  const [wanted, hash] = algorithm.split('-');
  if ((tags.get('k')?.value ?? 'rsa') !== wanted) {
    return refused('permerror', 'the key is for another algorithm');
  }
  if (!listOf(tags, 'h', 'sha256').includes(hash ?? '')) {
    return refused('permerror', 'the key is for another hash');
  }
  const services = listOf(tags, 's', '*');
  if (!services.includes('*') && !services.includes('email')) {
    return refused('permerror', 'the key is not for mail');
  }
  return undefined;
}

function refuseSize(key: KeyObject, bits: number, limits: KeyLimits): Reading<never> | undefined {
  if (bits < (limits.minRsaBits ?? MIN_RSA_BITS)) {
    return refused('fail', `an RSA key of ${bits} bits proves nothing`);
  }
  if (bits > (limits.maxRsaBits ?? MAX_RSA_BITS)) {
    return refused('policy', `an RSA key of ${bits} bits is too large`);
  }
  const exponent = key.asymmetricKeyDetails?.publicExponent ?? 0n;
  return exponent > MAX_EXPONENT ? refused('policy', 'the RSA exponent is too large') : undefined;
}

function listOf(tags: Tags, name: string, missing: string): readonly string[] {
  return withoutFolds(tags.get(name)?.value ?? missing).split(':');
}

/** What everybody publishes is SubjectPublicKeyInfo; RFC 6376 3.6.1 asks for RSAPublicKey. */
function rsaKey(data: Uint8Array): KeyObject | undefined {
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      const key = createPublicKey({ key: Buffer.from(data), format: 'der', type });
      if (key.asymmetricKeyType === 'rsa') return key;
    } catch {
      // The other form, then.
    }
  }
  return undefined;
}

function ed25519Key(data: Uint8Array): KeyObject | undefined {
  if (data.length !== ED25519_BYTES) return undefined;
  const x = Buffer.from(data).toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
