/** Connections from listed proxies: the PROXY header says who the client really is. */

import { Failure } from '#base/failure.ts';
import type { Clock, Connection } from '#base/world.ts';
import { parseNetworks } from '#policy/restrictions/networks.ts';
import { ProxyHeader } from '#protocol/proxy.ts';
import type { Settings } from '../configuration/settings.ts';
import type { Introduce } from './door.ts';
import { IntroducedConnection } from './introduced.ts';

/** The parts of a Door that deal with proxies. */
export function introduction(
  settings: Pick<Settings, 'smtpd_upstream_proxy_hosts' | 'smtpd_upstream_proxy_timeout'>,
  clock: Clock,
): { readonly isProxy: (address: string) => boolean; readonly introduce: Introduce } {
  const parsed = parseNetworks(settings.smtpd_upstream_proxy_hosts);
  if (parsed.kind !== 'networks') throw new Error('invariant broken: proxies were checked');
  const timeoutMs = settings.smtpd_upstream_proxy_timeout;
  return {
    isProxy: (address) => parsed.networks.includes(address),
    introduce: (connection) => introduce(connection, clock, timeoutMs),
  };
}

/** Reads the header; what came after it is kept for whoever opens the connection next. */
function introduce(connection: Connection, clock: Clock, timeoutMs: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const header = new ProxyHeader();
    let finished = false;
    const fail = (code: string, why: string): void => {
      finished = true;
      timer.cancel();
      reject(Failure.permanent(code, why));
    };
    const timer = clock.after(timeoutMs, () => fail('proxy-timeout', 'no PROXY header in time'));
    connection.open({
      received: (bytes) => {
        if (finished) return;
        const progress = header.push(bytes);
        if (progress.kind === 'refused') fail('proxy-header', progress.why);
        if (progress.kind !== 'done') return;
        finished = true;
        timer.cancel();
        connection.pause();
        const { source, destination, rest } = progress;
        resolve(new IntroducedConnection(connection, source, destination, rest));
      },
      drained: () => undefined,
      ended: () => fail('proxy-header', 'the proxy closed before its header'),
      closed: () => fail('proxy-header', 'the proxy closed before its header'),
    });
  });
}
