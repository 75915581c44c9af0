/** Whether a certificate is believed: its chain, its authority, and the name it is for. */

import type { X509Certificate } from 'node:crypto';
import { parseIp } from '#base/ip.ts';
import type { Check } from '../../check.ts';
import { absent, found, inapplicable, likely, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext } from '../../probe.ts';
import { announcedNames } from '../../run/announced.ts';
import { isOwnNetwork } from '../../safety/permit.ts';
import { isSelfSigned, namesOf, type Shown } from '../../tls/certificates.ts';
import { NEW_CERTIFICATE } from './cures.ts';
import { tlsCheck } from './place.ts';

const SELF_SIGNED = tlsCheck(
  'certificate-self-signed',
  'high',
  'The certificate is signed by itself',
  {
    means:
      'Nobody vouches for it: a false server with a certificate of the same kind looks the same, ' +
      'and users learn to accept any.',
    doesNotMean: 'On port 25 it is usual; with DANE it can even be the safest choice.',
    rfc: ['RFC 9525 6.1', 'RFC 7672 3.1.1'],
  },
  NEW_CERTIFICATE,
);
const UNTRUSTED = tlsCheck(
  'certificate-untrusted',
  'high',
  'The certificate leads to no authority that is known here',
  {
    means: 'Programs that verify refuse to connect, unless the authority was installed in them.',
    doesNotMean:
      'An authority of the house may be installed everywhere it matters: on private networks this ' +
      'is usual.',
    rfc: ['RFC 5280 6.1', 'RFC 8314 5.3'],
  },
  NEW_CERTIFICATE,
);
const INCOMPLETE = tlsCheck(
  'certificate-chain-incomplete',
  'medium',
  'The chain is not sent: an intermediate certificate is missing',
  {
    means: 'Programs that have not met the intermediate elsewhere refuse to connect.',
    doesNotMean: 'Browsers that fetch or remember it show no error, which hides it.',
    rfc: ['RFC 5246 7.4.2', 'RFC 8446 4.4.2'],
  },
  NEW_CERTIFICATE,
);
const ORDER = tlsCheck(
  'certificate-chain-order',
  'low',
  'The chain is in the wrong order, or holds strangers',
  {
    means: 'Older programs that follow the order fail.',
    doesNotMean: 'Programs of today sort it themselves.',
    rfc: ['RFC 5246 7.4.2'],
  },
  NEW_CERTIFICATE,
);
const MISMATCH = tlsCheck(
  'certificate-name',
  'high',
  'The certificate is for another name',
  {
    means: 'Programs that verify refuse to connect; those that do not would take any certificate.',
    doesNotMean:
      'For mail between servers the name is that of the MX host, not of the domain, and few verify it.',
    rfc: ['RFC 9525 6', 'RFC 7672 3.2.2', 'RFC 8461 4.2'],
  },
  NEW_CERTIFICATE,
);

export const CERTIFICATE_TRUST: readonly Check[] = [
  SELF_SIGNED,
  UNTRUSTED,
  INCOMPLETE,
  ORDER,
  MISMATCH,
];

/** One outcome for each check of this page. */
export function trustOutcomes(
  context: ServiceContext,
  shown: Shown,
  leaf: X509Certificate,
): readonly Outcome[] {
  const alone = isSelfSigned(leaf);
  const seen = `issued by ${oneLine(leaf.issuer)}`;
  return [
    (alone ? found : absent)(SELF_SIGNED, seen),
    alone ? inapplicable(UNTRUSTED, 'it is signed by itself') : untrusted(context, shown, seen),
    alone ? inapplicable(INCOMPLETE, 'it is signed by itself') : incomplete(context, shown, seen),
    order(shown),
    mismatch(context, leaf),
  ];
}

/** What the system's authorities say; its dates and names are other checks. */
function untrusted({ service }: ServiceContext, { trust, why }: Shown, seen: string): Outcome {
  if (trust === undefined) return unclear(UNTRUSTED, `no handshake of today: ${why}`);
  if (trust.verified) return absent(UNTRUSTED, seen);
  if (!UNKNOWN.has(trust.reason))
    return inapplicable(UNTRUSTED, `other things are wrong: ${trust.reason}`);
  // A house may have an authority of its own, and strangers do not come here.
  const own = isOwnNetwork(service.endpoint.address);
  const severity = own ? 'low' : 'high';
  return found(UNTRUSTED, `${seen}: ${trust.reason}`, { severity });
}

const UNKNOWN = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);

function incomplete({ service }: ServiceContext, shown: Shown, seen: string): Outcome {
  const { chain, trust, exact } = shown;
  if (trust?.verified === true) return absent(INCOMPLETE, 'it leads to a known authority');
  if (!exact) return inapplicable(INCOMPLETE, 'the chain as sent was not to be read (TLS 1.3)');
  if (chain.length > 1) return absent(INCOMPLETE, `${chain.length} certificates were sent`);
  const severity = isOwnNetwork(service.endpoint.address) ? 'low' : 'medium';
  return likely(
    INCOMPLETE,
    `one certificate alone was sent, ${seen}: its issuer is missing, or is an authority of the house`,
    { severity },
  );
}

function order({ chain, exact }: Shown): Outcome {
  if (!exact) return inapplicable(ORDER, 'the chain as sent was not to be read (TLS 1.3)');
  for (const [depth, certificate] of chain.slice(0, -1).entries()) {
    const issuer = chain[depth + 1];
    if (issuer !== undefined && !certificate.checkIssued(issuer)) {
      const next = oneLine(issuer.subject);
      return found(ORDER, `certificate ${depth} is followed by ${next}, which did not issue it`);
    }
  }
  return absent(ORDER, `${chain.length} certificates, each followed by its issuer`);
}

/** By name where one was asked for; at an address by its addresses, or by what the server calls itself. */
function mismatch({ service, services }: ServiceContext, leaf: X509Certificate): Outcome {
  const { host } = service;
  const names = namesOf(leaf);
  const listed =
    names.length === 0 ? oneLine(leaf.subject) : names.slice(0, 5).map(oneLine).join(', ');
  if (parseIp(host) === undefined) {
    const fits = leaf.checkHost(host, { subject: 'never' }) !== undefined;
    return (fits ? absent : found)(MISMATCH, `asked for ${host}, it is for ${listed}`);
  }
  if (leaf.checkIP(host) !== undefined) return absent(MISMATCH, `it names ${host}`);
  const own = announcedNames([service, ...services]);
  if (own.length === 0) {
    return inapplicable(MISMATCH, 'the target is an address, and the server says no name');
  }
  const fits = own.some((name) => leaf.checkHost(name, { subject: 'never' }) !== undefined);
  return fits
    ? absent(MISMATCH, `it is for ${listed}`)
    : likely(
        MISMATCH,
        `the server calls itself ${own.join(', ')}, the certificate is for ${listed}`,
      );
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 120);
}
