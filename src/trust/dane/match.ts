/** Whether a server's certificates are those that its TLSA records name (RFC 7671, RFC 7672). */

import { createHash, createPublicKey } from 'node:crypto';
import { sameBytes } from '#base/bytes.ts';
import type { TlsaRecord } from '#base/world.ts';
import { type DaneCertificate, daneCertificate } from './certificate.ts';
import { showTlsa } from './records.ts';

export interface DanePeer {
  /** DER, the server's own certificate first, then what it sent to prove it. */
  readonly certificates: readonly Uint8Array[];
  /** Any of them in the certificate will do, for DANE-TA (RFC 7672 3.2.2). */
  readonly names: readonly string[];
  readonly nowMs: number;
}

export type DaneVerdict =
  /** `by`: the record that matched, for the ledger. */
  | { readonly kind: 'matched'; readonly by: string }
  | { readonly kind: 'failed'; readonly why: string };

/** Longer chains are not followed. */
const CHAIN = 10;

/**
 * Holds the usable records of a host against the certificates it sent; one match is enough.
 * DANE-EE(3) binds the key itself: neither names nor dates matter (RFC 7671 5.1). DANE-TA(2)
 * names an authority in the chain; then signatures, dates and one of the names must be good.
 */
export function matchDane(records: readonly TlsaRecord[], peer: DanePeer): DaneVerdict {
  const chain: DaneCertificate[] = [];
  for (const der of peer.certificates.slice(0, CHAIN)) {
    const certificate = daneCertificate(der);
    if (certificate !== undefined) chain.push(certificate);
  }
  const [leaf] = chain;
  if (leaf === undefined) return { kind: 'failed', why: 'the server showed no certificate' };
  const exact = records.find((record) => record.usage === 3 && matches(record, leaf));
  if (exact !== undefined) return { kind: 'matched', by: showTlsa(exact) };
  const anchors = records.filter(({ usage }) => usage === 2);
  if (anchors.length === 0)
    return { kind: 'failed', why: 'no TLSA record matches the certificate' };
  const anchored = byAuthority(anchors, leaf, chain.slice(1), peer.nowMs);
  if ('why' in anchored) return { kind: 'failed', why: anchored.why };
  if (peer.names.some((name) => names(leaf, name))) {
    return { kind: 'matched', by: showTlsa(anchored.record) };
  }
  return {
    kind: 'failed',
    why: `the certificate is for other names than ${peer.names.join(', ')}`,
  };
}

/** RFC 6698 2.1: the whole or the key, as it is or hashed. */
function matches({ selector, matching, data }: TlsaRecord, certificate: DaneCertificate): boolean {
  const chosen = selector === 0 ? certificate.whole : certificate.publicKey;
  if (matching === 0) return sameBytes(chosen, data);
  const hash = matching === 1 ? 'sha256' : 'sha512';
  return sameBytes(createHash(hash).update(chosen).digest(), data);
}

/** Goes up from the leaf until a record names the issuer. */
function byAuthority(
  records: readonly TlsaRecord[],
  leaf: DaneCertificate,
  sent: readonly DaneCertificate[],
  nowMs: number,
): { readonly record: TlsaRecord } | { readonly why: string } {
  // A certificate or key that stands in the DNS as a whole need not be sent (RFC 7671 5.2.3).
  const whole = records.filter(({ matching }) => matching === 0);
  const published = whole
    .filter(({ selector }) => selector === 0)
    .map(({ data }) => daneCertificate(data));
  const issuers = [...sent, ...published.filter((one) => one !== undefined)];
  const bare = whole.filter(({ selector }) => selector === 1);
  let current = leaf;
  for (let depth = 0; depth < CHAIN; depth += 1) {
    const late = outOfTime(current, nowMs);
    if (late !== undefined) return { why: late };
    const { x509 } = current;
    const key = bare.find(({ data }) => isSignedBy(current, data));
    if (key !== undefined) return { record: key };
    const issuer = issuers.find((one) => one !== current && isIssuer(one, x509));
    if (issuer === undefined) break;
    const record = records.find((one) => matches(one, issuer));
    if (record !== undefined) {
      const over = outOfTime(issuer, nowMs);
      return over === undefined ? { record } : { why: over };
    }
    issuers.splice(issuers.indexOf(issuer), 1);
    current = issuer;
  }
  return { why: 'no authority of the TLSA records vouches for the certificate' };
}

function isIssuer({ x509: issuer }: DaneCertificate, x509: DaneCertificate['x509']): boolean {
  try {
    return issuer.ca && x509.checkIssued(issuer) && x509.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function isSignedBy({ x509 }: DaneCertificate, publicKey: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    return x509.verify(key);
  } catch {
    return false;
  }
}

function outOfTime({ x509 }: DaneCertificate, nowMs: number): string | undefined {
  if (x509.validToDate.getTime() < nowMs) return `a certificate ended on ${x509.validTo}`;
  if (x509.validFromDate.getTime() > nowMs) return `a certificate begins on ${x509.validFrom}`;
  return undefined;
}

/** RFC 7672 3.2.3: a wildcard is a whole label, the first one. */
function names({ x509 }: DaneCertificate, name: string): boolean {
  return x509.checkHost(name, { partialWildcards: false }) !== undefined;
}
