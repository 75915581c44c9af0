/** `/metrics` over HTTP, on loopback only: figures tell strangers who writes to whom and when. */

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CommandError, EXIT } from '../exit.ts';
import { isLoopback } from '../configuration/loopback.ts';
import type { Figures } from './metrics.ts';

export interface MetricsEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves until closed; a CommandError when the place is taken or not loopback. */
export async function serveMetrics(
  figures: Figures,
  place: { readonly host: string; readonly port: number },
): Promise<MetricsEndpoint> {
  if (!isLoopback(place.host)) {
    const cause = `metrics_listen: ${place.host} is no loopback address`;
    throw new CommandError(EXIT.configuration, cause, 'Use 127.0.0.1 or ::1.');
  }
  const server = createServer((request, response) => {
    answer(figures, request, response).catch(() => response.destroy());
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 20;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(unavailable(place, error)));
    server.listen(place.port, place.host, resolve);
  });
  server.on('error', () => undefined);
  server.unref();
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : place.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  figures: Figures,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isLocalHost(request.headers.host)) return refuse(response, 403, 'wrong Host');
  const path = (request.url ?? '').split('?')[0];
  if (path !== '/metrics') return refuse(response, 404, 'only /metrics is here');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refuse(response, 405, 'only GET');
  }
  const text = await figures.text();
  response.writeHead(200, { 'content-type': figures.contentType });
  response.end(request.method === 'HEAD' ? undefined : text);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${why}\n`);
}

/** A page in a browser must not read the figures through a name of its own (DNS rebinding). */
function isLocalHost(host: string | undefined): boolean {
  return (
    host !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/.test(host)
  );
}

function unavailable(place: { readonly host: string; readonly port: number }, error: Error) {
  const taken = 'code' in error && error.code === 'EADDRINUSE';
  const cause = taken
    ? `metrics_listen: ${place.host}:${place.port} is in use by another program`
    : `metrics_listen: ${place.host}:${place.port}: ${error.message}`;
  return new CommandError(EXIT.unavailable, cause, 'Change metrics_listen.', error);
}
