/** Connections from listed proxies: the PROXY header says who the client really is. */

import type { Connection, Endpoint, World } from '#base/world.ts';
import { NO_BYTES, concat } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { parseNetworks } from '#policy/restrictions/networks.ts';
import type { Settings } from '../configuration/settings.ts';
import type { Introduce } from './door.ts';
import { IntroducedConnection } from './introduced.ts';

/** What a reader of the header says of the octets so far. */
export type Header =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly why: string }
  | {
      readonly kind: 'header';
      /** Octets that belong to the header. */
      readonly length: number;
      /** undefined: the proxy speaks for itself (LOCAL, UNKNOWN). */
      readonly client: { readonly remote: Endpoint; readonly local: Endpoint } | undefined;
    };

export type ReadHeader = (bytes: Uint8Array) => Header;

/** The most that either version of a header takes, with room for TLVs. */
const HEADER_BYTES = 4_096;

/** The parts of a Door that deal with proxies. */
export function introduction(
  settings: Settings,
  world: Pick<World, 'clock'>,
  read: ReadHeader,
): { readonly isProxy: (address: string) => boolean; readonly introduce: Introduce } {
  const parsed = parseNetworks(settings.smtpd_upstream_proxy_hosts);
  if (parsed.kind !== 'networks') throw new Error('invariant broken: proxies were checked');
  const timeoutMs = settings.smtpd_upstream_proxy_timeout;
  return {
    isProxy: (address) => parsed.networks.includes(address),
    introduce: (connection) => introduce(connection, read, world.clock, timeoutMs),
  };
}

/** Reads the header; what came after it is kept for whoever opens the connection next. */
function introduce(
  connection: Connection,
  read: ReadHeader,
  clock: World['clock'],
  timeoutMs: number,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let bytes: Uint8Array = NO_BYTES;
    const fail = (code: string, why: string): void => {
      timer.cancel();
      reject(Failure.permanent(code, why));
    };
    const timer = clock.after(timeoutMs, () => fail('proxy-timeout', 'no PROXY header in time'));
    connection.open({
      received: (more) => {
        bytes = concat([bytes, more]);
        const header = read(bytes);
        if (header.kind === 'more') {
          if (bytes.length > HEADER_BYTES) fail('proxy-header', 'the PROXY header does not end');
          return;
        }
        if (header.kind === 'bad') {
          fail('proxy-header', header.why);
          return;
        }
        timer.cancel();
        connection.pause();
        const { client, length } = header;
        resolve(new IntroducedConnection(connection, client, bytes.subarray(length)));
      },
      drained: () => undefined,
      ended: () => fail('proxy-header', 'the proxy closed before its header'),
      closed: () => fail('proxy-header', 'the proxy closed before its header'),
    });
  });
}
