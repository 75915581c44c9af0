/** The TLSA records of one host: asked for only where DNSSEC vouches for the way there. */

import type { Resolver, TlsaRecord } from '#base/world.ts';
import { tlsaName, usableRecords } from '#trust/dane/records.ts';
import type { Record } from '../record.ts';
import type { Target } from '../route.ts';

export type DaneState =
  /** No record, proven or not to be proven: as if DANE did not exist (RFC 7672 2.1). */
  | { readonly kind: 'absent' }
  /** No answer or a bogus one: the host must not be used (RFC 7672 2.1.1). */
  | { readonly kind: 'unknown'; readonly why: string }
  /** There are records, but none to compare with: TLS without a name (RFC 7672 2.2). */
  | { readonly kind: 'unusable'; readonly base: string }
  | { readonly kind: 'records'; readonly base: string; readonly records: readonly TlsaRecord[] };

/**
 * Looks them up below the name that the host is an alias of, then below its own (RFC 7671 7).
 * Only what is authentic counts: the MX, the addresses and the TLSA records themselves.
 */
export async function daneOf(
  target: Target,
  resolver: Resolver,
  record: Record,
): Promise<DaneState> {
  const { dnssec, host, port } = target;
  if (dnssec === undefined || !dnssec.mx || !dnssec.addresses) return { kind: 'absent' };
  const bases = dnssec.canonical === undefined ? [host] : [dnssec.canonical, host];
  for (const base of bases) {
    const name = tlsaName(base, port);
    const lookup = await resolver.tlsa(name);
    record.tlsa(`TLSA ${name}`, lookup);
    if (lookup.kind === 'failed') return { kind: 'unknown', why: lookup.reason };
    if (lookup.kind === 'none' || !lookup.authentic) continue;
    const records = usableRecords(lookup.records);
    return records.length === 0 ? { kind: 'unusable', base } : { kind: 'records', base, records };
  }
  return { kind: 'absent' };
}
