/** What transfer needs to be told, with its defaults. */

import type { World } from '#base/world.ts';
import type { SmtpTimeouts } from '#protocol/smtp/client/timeouts.ts';
import type { Routes, Smarthost } from './relayhost.ts';
import type { SecurityOptions } from './security/options.ts';

export interface TransferOptions {
  readonly world: Pick<World, 'clock' | 'random' | 'network' | 'resolver'>;
  /** Our name in EHLO, and the MX name that is us. */
  readonly hostname: string;
  /** Addresses that other hosts reach us by. Default none. */
  readonly ownAddresses?: readonly string[];
  /** Mail may go to loopback and to ourselves: demo and tests. Default false. */
  readonly permitLoopback?: boolean;
  /** Mail may go to MX hosts in private networks: a site with names of its own. Default false. */
  readonly permitPrivate?: boolean;
  /** Where MX hosts listen. Default 25. */
  readonly port?: number;
  /** All mail goes there. */
  readonly relayhost?: Smarthost | undefined;
  /** Mail for these domains goes elsewhere than by MX or relayhost. */
  readonly routes?: Routes | undefined;
  /** Families to use, in this order. Default IPv4 first: IPv6 without PTR is often refused. */
  readonly families?: readonly ('ipv4' | 'ipv6')[];
  /** The local address for outgoing connections. */
  readonly sourceAddress?: string | undefined;
  /** PEM of the only authorities to trust; default: the system's. */
  readonly authorities?: string | undefined;
  /** TLS to MX hosts. Default: where it is offered. */
  readonly security?: SecurityOptions;
  /** Default 30,000. */
  readonly connectMs?: number;
  readonly timeouts?: Partial<SmtpTimeouts>;
  /** MX hosts looked at: with aliases at most 60 DNS questions a message. Default 8. */
  readonly maxHosts?: number;
  /** Addresses tried for one message. Default 10. */
  readonly maxAddresses?: number;
  /** Recipients in one transaction. Default 100. */
  readonly recipientsPerTransaction?: number;
  /** An idle connection is kept that long. Default 5,000; 0: never. */
  readonly keepIdleMs?: number;
  /** Messages over one connection. Default 100. */
  readonly keepMessages?: number;
  /** Idle connections at a time. Default 100. */
  readonly keepSessions?: number;
}
