/** An inquiry over a zone in memory, for tests of what policy decides. */

import { type ZoneName, type ZoneResolver, zoneResolver } from '../vectors/zone.ts';
import { virtualClock } from './virtual-clock.ts';
import { Inquiry } from '#policy/inquiry.ts';

export type Zone = Readonly<Record<string, ZoneName>>;

/** Names that are not in the zone do not exist; by default none does. */
export function inquiry(zone: Zone = {}): Inquiry {
  return inquiryOf(zoneResolver(zone));
}

/** The same, for who wants to count the questions. */
export function inquiryOf(resolver: ZoneResolver): Inquiry {
  return new Inquiry({ resolver, clock: virtualClock() });
}
