/** A service that answers: what it speaks, how TLS begins there, whom it is for. */

import type { Endpoint } from '#base/world.ts';
import type { Protocol, Target } from './finding.ts';

export interface Service {
  /** As it was asked for: a name or an address; what goes into SNI. */
  readonly host: string;
  readonly endpoint: Endpoint;
  readonly protocol: Protocol;
  readonly tls: 'none' | 'starttls' | 'implicit';
  /**
   * `reception`: mail from strangers (25; TLS is opportunistic there); `submission`: mail of users
   * (587, 465); `access`: reading and Sieve scripts; `delivery`: LMTP.
   */
  readonly role: 'reception' | 'submission' | 'access' | 'delivery';
  /** The greeting's text, one character an octet, line ends left out. */
  readonly greeting: string;
  /** EHLO lines, CAPABILITY words, CAPA or Sieve lines as first seen, in the server's order. */
  readonly capabilities: readonly string[];
}

/** A service as findings name it. */
export function targetOf(service: Service): Target {
  const { host, endpoint, protocol, tls } = service;
  return { host, address: endpoint.address, port: endpoint.port, protocol, tls };
}

/** Whether a capability line begins with this word, in any case. */
export function offers(service: Pick<Service, 'capabilities'>, keyword: string): boolean {
  return parametersOf(service, keyword) !== undefined;
}

/** What stands behind a capability's word; undefined when it is not offered. */
export function parametersOf(
  { capabilities }: Pick<Service, 'capabilities'>,
  keyword: string,
): string | undefined {
  const wanted = keyword.toUpperCase();
  for (const line of capabilities) {
    const [word = ''] = line.split(/[ =]/, 1);
    if (word.toUpperCase() === wanted) return line.slice(word.length + 1);
  }
  return undefined;
}
