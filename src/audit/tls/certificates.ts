/** The certificates of a service: as they were sent, and what a verifying client made of them. */

import { X509Certificate } from 'node:crypto';
import { sameBytes } from '#base/bytes.ts';
import { type AskContext, askHello, openForTls } from './ask.ts';
import { EVERYTHING } from './client-hello.ts';

export interface Shown {
  /** The server's own first. Sent order where `exact`, else as the library linked them. */
  readonly chain: readonly X509Certificate[];
  readonly exact: boolean;
  /** What the system's authorities say; undefined: no handshake of today (`why`). */
  readonly trust: Trust | undefined;
  readonly why: string;
}

export interface Trust {
  readonly verified: boolean;
  /** The library's word, like `CERT_HAS_EXPIRED`; empty when verified. */
  readonly reason: string;
}

/**
 * Two looks: a finished handshake for the verdict, a hello of TLS 1.2 for the exact chain. An
 * empty chain: the server shows none that can be read.
 */
export async function showCertificates(context: AskContext): Promise<Shown> {
  const wire = await openForTls(context);
  const secured = await wire.startTls(context.service.host, context.options.replyMs);
  wire.close();
  const facts = secured.kind === 'secure' ? secured.secure.facts : undefined;
  const { peer } = facts ?? {};
  const trust =
    peer === undefined || peer.kind === 'not-asked'
      ? undefined
      : { verified: peer.kind === 'verified', reason: peer.kind === 'verified' ? '' : peer.reason };
  const why = secured.kind === 'secure' ? '' : secured.why;
  const linked = read(facts?.peerCertificates ?? []);
  const sent = await sentChain(context);
  // Two kinds of key, two certificates: only the same one may be completed from the other look.
  const [own] = sent;
  const [other] = linked;
  const same = other === undefined || (own !== undefined && sameBytes(own.raw, other.raw));
  return own !== undefined && same
    ? { chain: sent, exact: true, trust, why }
    : { chain: linked, exact: false, trust, why };
}

/** The chain as a hello of TLS 1.2 gets it; empty where only TLS 1.3 is spoken. */
export async function sentChain(
  context: AskContext,
  serverName?: string,
): Promise<readonly X509Certificate[]> {
  const answer = await askHello(context, { version: 'TLSv1.2', suites: EVERYTHING, serverName });
  return answer.kind === 'hello' ? read(answer.certificates) : [];
}

/** Whether a certificate is its own issuer, by name and by signature. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}

/** Names of the subject's alternative names, without their kind. */
export function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return subjectAltName
    .slice(0, 20_000)
    .split(', ')
    .map((one) => one.replace(/^(?:DNS|IP Address|email|URI):/, ''))
    .filter((one) => one !== '');
}

function read(certificates: readonly Uint8Array[]): readonly X509Certificate[] {
  const all: X509Certificate[] = [];
  for (const der of certificates) {
    try {
      all.push(new X509Certificate(der));
    } catch {
      break;
    }
  }
  return all;
}
