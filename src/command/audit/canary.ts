/** `--canary domain=address:port`: our own receiver, which runs as long as the audit does. */

import type { World } from '#base/world.ts';
import { parseDomain } from '#base/domain.ts';
import { CanaryReceiver } from '#audit/canary/receiver.ts';
import type { Canary } from '#audit/probe.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';
import { normalAddress, splitPort } from '../configuration/hosts.ts';
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
  const [name = '', written = ''] = text.split('=', 2);
  const domain = parseDomain(name);
  const place = splitPort(written);
  const host = place === undefined ? undefined : normalAddress(place.host);
  if (domain !== undefined && host !== undefined && place?.port !== undefined) {
    return { domain, host, port: place.port };
  }
  throw usage('--canary takes domain=address:port', 'Like canary.test=127.0.0.1:2526.');
}
