/** What a finished handshake proved, read from the socket once: the only maker of `Secure`. */

import { X509Certificate, createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { Secure, type TlsFacts } from '#base/secure.ts';

export interface Secured {
  readonly socket: TLSSocket;
  readonly secure: Secure;
}

/** RFC 9266 2. */
const EXPORTER = { label: 'EXPORTER-Channel-Binding', octets: 32 };
const SHA2_OR_3 = /sha-?(3-)?(224|256|384|512)(?!\d)/i;

/**
 * The proof for a socket whose handshake is done. `serverEndPoint` is the hash of the server's
 * certificate, whichever side we are.
 */
export function secured(
  socket: TLSSocket,
  facts: Pick<TlsFacts, 'serverName' | 'peer' | 'peerCertificates'> & {
    readonly serverEndPoint: Uint8Array | undefined;
  },
): Secured {
  const protocol = socket.getProtocol() ?? 'unknown';
  const secure = Secure.established({
    protocol,
    cipher: socket.getCipher().name,
    serverName: facts.serverName,
    peer: facts.peer,
    ...(facts.peerCertificates === undefined ? {} : { peerCertificates: facts.peerCertificates }),
    channelBinding: {
      exporter: exporter(socket, protocol),
      serverEndPoint: facts.serverEndPoint,
    },
  });
  return { socket, secure };
}

/**
 * `tls-server-end-point`: the certificate hashed with its signature's hash, SHA-256 in place of
 * MD5 and SHA-1; undefined where the signature has no single hash, as Ed25519 (RFC 5929 4.1).
 */
export function serverEndPoint(certificate: X509Certificate): Uint8Array | undefined {
  const hash = signatureHash(certificate.signatureAlgorithm ?? '');
  return hash === undefined ? undefined : createHash(hash).update(certificate.raw).digest();
}

function signatureHash(algorithm: string): string | undefined {
  if (/md5|sha-?1(?!\d)/i.test(algorithm)) return 'sha256';
  const named = SHA2_OR_3.exec(algorithm);
  if (named === null) return undefined;
  return `sha${named[1] === undefined ? '' : '3-'}${named[2]}`;
}

/**
 * Only of TLS 1.3: below it the exporter binds nothing without the extended master secret
 * (RFC 9266 4.2), and whether that was used the runtime does not tell.
 */
function exporter(socket: TLSSocket, protocol: string): Uint8Array | undefined {
  if (protocol !== 'TLSv1.3') return undefined;
  return socket.exportKeyingMaterial(EXPORTER.octets, EXPORTER.label, Buffer.alloc(0));
}
