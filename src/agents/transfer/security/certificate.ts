/** Checks of a server's certificate: by name (RFC 8461 4.1) and by TLSA records (RFC 7672). */

import { X509Certificate } from 'node:crypto';
import type { Secure } from '#base/secure.ts';
import type { TlsaRecord } from '#base/world.ts';
import { matchDane } from '#trust/dane/match.ts';
import { type PeerCheck, webPki } from './protection.ts';

/** Good by the rules of the web, with this host among its alternative names. */
export function certifiedFor(host: string): PeerCheck {
  return webPki({ names: host, fits: (secure) => hasName(secure, (leaf) => covers(leaf, host)) });
}

/** The same for a domain or any host right below it (Postfix: nexthop, dot-nexthop). */
export function certifiedWithin(domain: string): PeerCheck {
  return webPki({
    names: `${domain} or a host below it`,
    fits: (secure) => hasName(secure, (leaf) => covers(leaf, domain) || isBelow(leaf, domain)),
  });
}

/** As one of the TLSA records says. */
export function certifiedByDane(
  records: readonly TlsaRecord[],
  names: readonly string[],
  nowMs: () => number,
): PeerCheck {
  return ({ facts }) => {
    const certificates = facts.peerCertificates ?? [];
    const verdict = matchDane(records, { certificates, names, nowMs: nowMs() });
    if (verdict.kind === 'matched') return undefined;
    return { kind: 'validation-failure', why: `DANE: ${verdict.why}` };
  };
}

function hasName(secure: Secure, fits: (leaf: X509Certificate) => boolean): boolean {
  const [der] = secure.facts.peerCertificates ?? [];
  if (der === undefined) return false;
  try {
    return fits(new X509Certificate(der));
  } catch {
    return false;
  }
}

/** Alternative names only: what is merely called so proves nothing (RFC 8461 4.1, RFC 6125). */
function covers(leaf: X509Certificate, host: string): boolean {
  return leaf.checkHost(host, { subject: 'never', partialWildcards: false }) !== undefined;
}

function isBelow(leaf: X509Certificate, domain: string): boolean {
  return (leaf.subjectAltName ?? '').split(', ').some((entry) => {
    const name = entry.startsWith('DNS:') ? entry.slice(4).toLowerCase() : '';
    return name.endsWith(`.${domain}`) && (!name.includes('*') || name === `*.${domain}`);
  });
}
