/** The client calls itself by the name of one of our hosts, or of our domain. */

import { isLoopback, isPrivate, likelyOrganization, matchesHost } from '../names/domains.ts';
import { writesNames } from '../route/route.ts';
import type { Sign } from '../case.ts';

export const ownHelo: Sign = {
  id: 'own-helo',
  title: 'a stranger who calls himself by our name',
  strength: 'strong',
  innocent: 'a host of ours that is in no --trusted-net',
  look: ({ route, anchors }) => {
    const { boundary } = route;
    if (boundary === undefined) return [];
    const { line, recorded } = boundary;
    const helo = recorded?.helo ?? line.helo?.text ?? '';
    const ip = recorded?.clientAddress ?? line.ip?.text;
    if (ip === undefined || isPrivate(ip) || isLoopback(ip) || line.login !== undefined) return [];
    const hosts = [...anchors.trustedMx, ...anchors.authservIds];
    const isOurs = (name: string): boolean => {
      return hosts.some((host) => matchesHost(name, host) || organizationOf(host) === name);
    };
    if (!isOurs(helo.toLowerCase()) || isOurs(line.rdns?.text ?? '')) return [];
    const text = `EHLO ${helo}, but the client ${ip} is in none of our networks`;
    // Where the writer does not ask the DNS, nothing but the missing network speaks against it.
    return [{ text, quotes: [], ...(!writesNames(line) && { strength: 'weak' as const }) }];
  },
};

function organizationOf(host: string): string {
  return likelyOrganization(host.replace(/^\*?\./, ''));
}
