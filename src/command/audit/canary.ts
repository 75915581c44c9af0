/** `--canary domain=address:port`: our own receiver, which runs as long as the audit does. */

import type { World } from '#base/world.ts';
import { isIpv4, normalIpv6, parseDomain } from '#base/domain.ts';
import { CanaryReceiver } from '#audit/canary/receiver.ts';
import type { Canary } from '#audit/probe.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';
import { usage } from './options.ts';

const CONNECTIONS = 50;

export interface RunningCanary {
  readonly canary: Canary;
  close(): Promise<void>;
}

/** Listens; undefined when none was asked for. The MX of the domain must lead to the address. */
export async function startCanary(
  context: Context,
  { network, clock }: Pick<World, 'network' | 'clock'>,
): Promise<RunningCanary | undefined> {
  const text = option(context, 'canary');
  if (text === undefined) return undefined;
  const { domain, host, port } = placeOf(text);
  // The port is known only when it is bound: what comes before the receiver is there waits.
  const ready = Promise.withResolvers<CanaryReceiver>();
  const listener = await network.listen(
    { host, port, maxConnections: CONNECTIONS },
    (connection) => void ready.promise.then((receiver) => receiver.accept(connection)),
  );
  const canary = new CanaryReceiver({ clock, domain, endpoint: listener.local });
  ready.resolve(canary);
  return { canary, close: () => listener.close() };
}

function placeOf(text: string): {
  readonly domain: string;
  readonly host: string;
  readonly port: number;
} {
  const match = /^([^=]+)=(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const domain = parseDomain(match?.[1] ?? '');
  const written = match?.[2] ?? match?.[3] ?? '';
  const host = isIpv4(written) ? written : normalIpv6(written);
  const port = Number(match?.[4] ?? -1);
  if (domain !== undefined && host !== undefined && port >= 0 && port < 65_536) {
    return { domain, host, port };
  }
  throw usage('--canary takes domain=address:port', 'Like canary.test=127.0.0.1:2526.');
}
