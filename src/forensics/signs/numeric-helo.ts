/** The client called itself by an address that is not its own. */

import { inNetwork, parseIp } from '#base/ip.ts';
import { addressOf } from '../received/peer.ts';
import { isLoopback, isPrivate } from '../names/domains.ts';
import type { Sign } from '../case.ts';

export const numericHelo: Sign = {
  id: 'numeric-helo',
  title: 'EHLO with an address of another network',
  strength: 'weak',
  innocent: 'a client behind address translation, when the address is a private one',
  look: ({ route }) => {
    const line = route.boundary?.line;
    const helo = line?.helo === undefined ? undefined : addressOf(line.helo.text);
    const [said, real] = [parseIp(helo ?? ''), parseIp(line?.ip?.text ?? '')];
    if (said === undefined || real === undefined) return [];
    if (isPrivate(said.text) || isLoopback(said.text) || said.family !== real.family) return [];
    if (inNetwork(said, real, said.family === 4 ? 24 : 48)) return [];
    return [
      { text: `said ${said.text}, came from ${real.text}`, quotes: [line?.helo?.text ?? ''] },
    ];
  },
};
