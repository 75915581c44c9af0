/** The client's side of a TLS handshake, with what the certificate was found to be. */

import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { Failure } from '#base/failure.ts';
import type { TlsFacts } from '#base/secure.ts';
import type { TlsOptions } from '#base/world.ts';
import { isAddress } from '../endpoint.ts';
import { handshaken } from './handshake.ts';
import { secured, serverEndPoint, type Secured } from './facts.ts';

/** Longer chains are cut. */
const CHAIN = 10;

/**
 * Negotiates TLS 1.2 or later as the client. The certificate is always verified; with `require`
 * a failed verification fails the handshake (`tls-unverified`), with `opportunistic` it is a
 * fact for the ledger: encrypted to somebody unknown is still better than in clear (RFC 7435).
 */
export async function handshakeAsClient(
  clear: Socket,
  options: TlsOptions & { readonly side: 'client' },
): Promise<Secured> {
  const byAddress = isAddress(options.serverName);
  const socket = connect({
    socket: clear,
    // SNI carries no addresses (RFC 6066 3); `host` is what the certificate is compared with.
    ...(byAddress ? { host: options.serverName } : { servername: options.serverName }),
    ...(options.authorities === undefined ? {} : { ca: options.authorities }),
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  });
  await handshaken(socket, 'secureConnect', options.handshakeMs);
  const certificate = peerCertificate(socket);
  const peer = verdict(socket, certificate);
  if (options.verify === 'require' && peer.kind !== 'verified') {
    socket.destroy();
    const reason = peer.kind === 'unverified' ? peer.reason : 'not asked';
    throw Failure.temporary('tls-unverified', `the certificate was not verified: ${reason}`);
  }
  return secured(socket, {
    serverName: options.serverName,
    peer,
    peerCertificates: peerChain(socket),
    serverEndPoint: certificate === undefined ? undefined : serverEndPoint(certificate),
  });
}

function verdict(socket: TLSSocket, certificate: X509Certificate | undefined): TlsFacts['peer'] {
  if (certificate === undefined) return { kind: 'unverified', reason: 'no certificate' };
  if (socket.authorized) return { kind: 'verified', subject: certificate.subject };
  // Typed as an Error, in truth mostly its code: `CERT_HAS_EXPIRED`.
  const why: unknown = socket.authorizationError;
  return { kind: 'unverified', reason: why instanceof Error ? why.message : String(why) };
}

/** The server's certificate and those that lead up from it, as the library links them. */
function peerChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let next = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && chain.length < CHAIN) {
    chain.push(next.raw);
    // An authority names itself as its issuer.
    if (next.issuerCertificate === next) break;
    next = next.issuerCertificate;
  }
  return chain;
}

function peerCertificate(socket: TLSSocket): X509Certificate | undefined {
  try {
    return socket.getPeerX509Certificate();
  } catch {
    return undefined;
  }
}
