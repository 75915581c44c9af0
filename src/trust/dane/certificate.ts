/** A certificate as DANE compares it: its own octets, those of its key, and what it signed. */

import { X509Certificate } from 'node:crypto';

export interface DaneCertificate {
  /** DER, as it came. */
  readonly whole: Uint8Array;
  /** Its SubjectPublicKeyInfo, the very octets (RFC 6698 2.1.2). */
  readonly publicKey: Uint8Array;
  readonly x509: X509Certificate;
}

/** Reads DER; undefined when it is no certificate. */
export function daneCertificate(der: Uint8Array): DaneCertificate | undefined {
  try {
    const x509 = new X509Certificate(der);
    const publicKey = publicKeyOf(x509.raw);
    return publicKey === undefined ? undefined : { whole: x509.raw, publicKey, x509 };
  } catch {
    return undefined;
  }
}

interface Element {
  readonly tag: number;
  readonly from: number;
  readonly content: number;
  readonly end: number;
}

/** RFC 5280 4.1: version, serial, signature, issuer, validity, subject, then the key. */
function publicKeyOf(der: Uint8Array): Uint8Array | undefined {
  const certificate = elementAt(der, 0);
  const signed = certificate && elementAt(der, certificate.content);
  let element = signed && elementAt(der, signed.content);
  // The version is tagged [0] and may be missing.
  const skipped = element?.tag === 0xa0 ? 6 : 5;
  for (let index = 0; index < skipped && element; index += 1) element = elementAt(der, element.end);
  return element?.tag === 0x30 ? der.subarray(element.from, element.end) : undefined;
}

/** One DER element with a length of at most three octets; undefined when it does not fit. */
function elementAt(der: Uint8Array, from: number): Element | undefined {
  const [tag, first] = [der[from], der[from + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const octets = first < 0x80 ? 0 : first & 0x7f;
  if (octets > 3) return undefined;
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < octets; index += 1)
    length = length * 256 + (der[from + 2 + index] ?? 0);
  const content = from + 2 + octets;
  return content + length > der.length ? undefined : { tag, from, content, end: content + length };
}
