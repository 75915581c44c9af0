/** A small web server: a few fixed answers, over TLS with live certificates or in clear. */

import { createServer as createClear, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { Server } from 'node:net';
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsIdentity } from '#base/world.ts';
import { listenFailure } from '../failures.ts';
import { certificatesOf } from '../tls/identity.ts';

export interface HttpQuestion {
  readonly method: 'GET' | 'HEAD';
  /** From Host, in lower case, without the port. */
  readonly host: string;
  /** Without what follows a question mark. */
  readonly path: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  /** Without it everything is in clear. */
  readonly tls?: {
    readonly identity: TlsIdentity;
    /** The certificate that proves a name to an ACME authority just now (RFC 8737 3), as PEM. */
    readonly proof: (name: string) => { certificate: string; key: string } | undefined;
  };
  readonly answer: (question: HttpQuestion) => HttpAnswer | undefined;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

const CONNECTIONS = 200;
const ACME_TLS = 'acme-tls/1';

/** Listens; fails as `Network.listen`. What nobody answers is 404. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port, tls } = options;
  const reply = (request: IncomingMessage, response: ServerResponse): void => {
    respond(options, request, response);
  };
  const limits = { maxHeaderSize: 8_192, requestTimeout: 10_000, headersTimeout: 5_000 };
  const server =
    tls === undefined ? createClear(limits, reply) : createTls({ ...limits, ...tlsOf(tls) }, reply);
  server.keepAliveTimeout = 5_000;
  server.maxConnections = CONNECTIONS;
  server.on('tlsClientError', () => undefined);
  server.on('clientError', (_, socket) => socket.destroy());
  await bound(server, host, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * While a name is being proven, that name alone gets the proof's certificate, whoever asks: the
 * name is known before the protocol is. Others who ask meanwhile try again, as they must anyway.
 */
function tlsOf({ identity, proof }: NonNullable<HttpOptions['tls']>) {
  const certificates = certificatesOf(identity);
  return {
    minVersion: 'TLSv1.2' as const,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ALPNProtocols: [ACME_TLS, 'http/1.1'],
    SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) => {
      const proving = proof(name.toLowerCase());
      if (proving === undefined) return done(null, certificates.named(name).context);
      const { certificate: cert, key } = proving;
      return done(null, createSecureContext({ cert, key, minVersion: 'TLSv1.2' }));
    },
  };
}

function respond(options: HttpOptions, request: IncomingMessage, response: ServerResponse): void {
  const { method } = request;
  request.resume();
  if (method !== 'GET' && method !== 'HEAD') return write(response, 405, undefined);
  const host = (request.headers.host ?? '').replace(/:\d{1,5}$/, '').toLowerCase();
  const path = (request.url ?? '').split('?')[0] ?? '';
  const answer = options.answer({ method, host, path });
  write(response, answer?.status ?? 404, answer, method === 'HEAD');
}

function write(
  response: ServerResponse,
  status: number,
  answer: HttpAnswer | undefined,
  headOnly = false,
): void {
  const body = answer?.body ?? Buffer.from(status === 404 ? 'Not found\n' : 'Not allowed\n');
  response.writeHead(status, {
    'content-type': answer?.type ?? 'text/plain; charset=utf-8',
    'content-length': body.length,
    'x-content-type-options': 'nosniff',
  });
  response.end(headOnly ? undefined : body);
}

function bound(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, `${host} port ${port}`)));
    server.listen({ host, port, ipv6Only: true }, () => {
      server.on('error', () => undefined);
      resolve();
    });
  });
}
