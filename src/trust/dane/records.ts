/** TLSA records for SMTP: where they stand, and which of them can be used (RFC 7672 3.1). */

import { asBuffer } from '#base/bytes.ts';
import type { TlsaRecord } from '#base/world.ts';

/** DANE-TA(2) and DANE-EE(3) are what SMTP uses; the others count as unusable (RFC 7672 3.1.3). */
const USAGES = new Set([2, 3]);
const DIGEST_OCTETS: Readonly<Record<number, number>> = { 1: 32, 2: 64 };
/** Octets of a certificate or key in the DNS. */
const WHOLE_OCTETS = 16_384;
const RECORDS = 100;

/** The name to ask for (RFC 7671 3): of the TLSA base domain and the port. */
export function tlsaName(host: string, port: number): string {
  return `_${port}._tcp.${host}`;
}

/** Those that can be held against a certificate; what else is there means TLS and no more. */
export function usableRecords(records: readonly TlsaRecord[]): readonly TlsaRecord[] {
  return records.slice(0, RECORDS).filter(isUsable);
}

/** `3 1 1 5ab3...`, cut: for people. */
export function showTlsa({ usage, selector, matching, data }: TlsaRecord): string {
  const hex = asBuffer(data).toString('hex');
  return `${usage} ${selector} ${matching} ${hex.length > 16 ? `${hex.slice(0, 16)}...` : hex}`;
}

function isUsable({ usage, selector, matching, data }: TlsaRecord): boolean {
  if (!USAGES.has(usage) || selector < 0 || selector > 1) return false;
  if (matching === 0) return data.length > 0 && data.length <= WHOLE_OCTETS;
  return data.length > 0 && data.length === DIGEST_OCTETS[matching];
}
