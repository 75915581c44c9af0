/** An HTTPS server on loopback that answers as MTA-STS policy hosts do, also badly. */

import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestCertificate } from './certificates.ts';

export interface PolicyHost {
  readonly port: number;
  /** `GET mta-sts.domain/.well-known/mta-sts.txt`, in order. */
  readonly requests: string[];
  /** What is answered, by the name in Host; replace entries at any time. */
  readonly answers: Map<string, PolicyAnswer>;
  close(): Promise<void>;
}

export interface PolicyAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Takes the request and says nothing. */
  readonly silent?: boolean;
}

/** The text of a policy. */
export function policyText(mode: string, mx: readonly string[], maxAge = 86_400): string {
  const hosts = mx.map((host) => `mx: ${host}\r\n`).join('');
  return `version: STSv1\r\nmode: ${mode}\r\n${hosts}max_age: ${maxAge}\r\n`;
}

/** Starts it. */
export async function startPolicyHost(certificate: TestCertificate): Promise<PolicyHost> {
  const requests: string[] = [];
  const answers = new Map<string, PolicyAnswer>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    requests.push(`${request.method} ${host}${request.url}`);
    const answer = answers.get(host) ?? { status: 404 };
    if (answer.silent === true) return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'text/plain', ...answer.headers });
    response.end(answer.body ?? '');
  };
  const server: Server = createServer(
    { cert: certificate.certificate, key: certificate.key },
    listener,
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
