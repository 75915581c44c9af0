/** For tests of SPF: a question about example.com in a zone of the test's own. */

import { type ZoneName, zoneResolver } from '../vectors/zone.ts';
import { checkHost, type SpfQuestion } from '#trust/spf/check.ts';
import type { SpfOutcome } from '#trust/spf/outcome.ts';

export type Zone = Readonly<Record<string, ZoneName>>;

/** Asks for example.com from 192.0.2.3, unless the question says otherwise. */
export function check(zone: Zone, question: Partial<SpfQuestion> = {}): Promise<SpfOutcome> {
  return checkHost({
    ip: '192.0.2.3',
    domain: 'example.com',
    sender: 'strong-bad@example.com',
    helo: 'mx.example.org',
    resolver: zoneResolver(zone),
    ...question,
  });
}

/** A zone with this record alone. */
export function record(text: string): Zone {
  return { 'example.com': { txt: [text] } };
}
