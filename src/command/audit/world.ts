/** The world that the auditor works in: this machine's network, and a resolver of its own. */

import type { World } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { dnsResolver } from '#network/dns/resolver.ts';
import { systemRandom } from '#network/random.ts';
import { tcpNetwork } from '#network/tcp.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';

/** `--resolver` names who is asked instead of the system's name servers; its AD bit is believed. */
export function auditWorld(
  context: Context,
): Pick<World, 'clock' | 'network' | 'random' | 'resolver'> {
  const server = option(context, 'resolver');
  const servers = server === undefined ? {} : { servers: [server], validating: [server] };
  return {
    clock: systemClock,
    network: tcpNetwork({ lingerMs: 500 }),
    random: systemRandom,
    resolver: dnsResolver({ clock: systemClock, random: systemRandom, ...servers }),
  };
}
