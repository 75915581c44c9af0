/** Requests of ACME as signed JSON (RFC 7515, RFC 8555 6.2): ES256, flattened. */

import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { utf8 } from '#base/bytes.ts';
import type { JsonObject } from '#base/json.ts';

/** The key of an account, P-256. */
export interface AccountKey {
  readonly key: KeyObject;
  readonly jwk: JsonObject;
  /** RFC 7638, over SHA-256. */
  readonly thumbprint: string;
}

/** Reads a PEM private key on P-256; fails as node:crypto does for anything else. */
export function accountKey(pem: string): AccountKey {
  const key = createPrivateKey(pem);
  const { crv, kty, x, y } = createPublicKey(pem).export({ format: 'jwk' });
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) {
    throw new Error('the account key is not on P-256');
  }
  // In the order of their names: that is what the thumbprint is made of (RFC 7638 3).
  const jwk = { crv, kty, x, y };
  const thumbprint = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
  return { key, jwk, thumbprint };
}

/** The body of a request; `payload` undefined is POST-as-GET (RFC 8555 6.3). */
export function signedRequest(
  { key, jwk }: AccountKey,
  request: {
    readonly url: string;
    readonly nonce: string;
    /** The account's URL; undefined: the key itself says who asks. */
    readonly kid: string | undefined;
    readonly payload: JsonObject | undefined;
  },
): Uint8Array {
  const { url, nonce, kid, payload } = request;
  const who = kid === undefined ? { jwk } : { kid };
  const header = base64url(JSON.stringify({ alg: 'ES256', ...who, nonce, url }));
  const body = payload === undefined ? '' : base64url(JSON.stringify(payload));
  const dsaEncoding = 'ieee-p1363';
  const signature = sign('sha256', utf8(`${header}.${body}`), { key, dsaEncoding });
  const whole = { protected: header, payload: body, signature: signature.toString('base64url') };
  return utf8(JSON.stringify(whole));
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
