/** Base64 as SASL lines carry it (RFC 4648 4): the canonical form only, nothing skipped. */

import { asBuffer, latin1 } from '#base/bytes.ts';

/** Octets to base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64');
}

/** Base64 to octets, or undefined: white space, other letters, bad padding, stray low bits. */
export function decodeBase64(text: Uint8Array | string): Uint8Array | undefined {
  const letters = typeof text === 'string' ? text : latin1(text);
  if (letters.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(letters, 'base64');
  return bytes.toString('base64') === letters ? bytes : undefined;
}
