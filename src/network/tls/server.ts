/** The server's side of a TLS handshake over an accepted socket. */

import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { TlsOptions } from '#base/world.ts';
import { handshaken } from './handshake.ts';
import { secured, type Secured } from './facts.ts';
import { certificatesOf, type Certificate } from './identity.ts';

/**
 * Negotiates TLS 1.2 or later as the server. No client certificate is asked for: senders that
 * hold one would offer it and fail. The certificate is the one for the name asked for, else
 * the default one: on port 25 a sender rarely knows our names.
 */
export async function handshakeAsServer(
  clear: Socket,
  options: TlsOptions & { readonly side: 'server' },
): Promise<Secured> {
  const certificates = certificatesOf(options.identity);
  let chosen: Certificate = certificates.fallback;
  const socket = new TLSSocket(clear, {
    isServer: true,
    requestCert: false,
    secureContext: chosen.context,
    SNICallback: (name: string, done: (error: null, context: SecureContext) => void) => {
      chosen = certificates.named(name);
      done(null, chosen.context);
    },
  });
  await handshaken(socket, 'secure', options.handshakeMs);
  const asked: unknown = Reflect.get(socket, 'servername');
  return secured(socket, {
    serverName: typeof asked === 'string' ? asked : undefined,
    peer: { kind: 'not-asked' },
    serverEndPoint: chosen.endPoint,
  });
}
