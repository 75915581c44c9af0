/** A hop between networks that was not under TLS, by its own words. */

import { isLoopback, isPrivate } from '../names/domains.ts';
import type { Sign } from '../case.ts';

export const plaintextHop: Sign = {
  id: 'plaintext-hop',
  title: 'a hop in clear',
  strength: 'context',
  innocent: 'an old or careless host, or one that does not write about TLS',
  look: ({ route }) =>
    route.hops
      .filter(({ line }) => {
        const ip = line.ip?.text;
        const inside = ip === undefined || isPrivate(ip) || isLoopback(ip);
        return line.secured === false && !inside;
      })
      .slice(0, 10)
      .map(({ number, line, zone }) => {
        const whose = zone === 'claimed' ? ' (a claim)' : '';
        const text = `line ${number}: ${line.with?.text ?? ''} from ${line.ip?.text ?? ''}, no TLS${whose}`;
        return { text, quotes: [] };
      }),
};
