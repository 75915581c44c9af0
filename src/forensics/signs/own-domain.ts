/** From is a domain of ours, the message came from outside, and nothing answers for it. */

import { isWithin } from '#trust/names.ts';
import { isPrivate, sameOrganization } from '../names/domains.ts';
import type { Sign } from '../case.ts';

export const ownDomain: Sign = {
  id: 'own-domain',
  title: 'our own domain, from outside, without authentication',
  strength: 'strong',
  innocent: 'a forwarder or list that sent our own message back',
  look: ({ authentication, route, anchors }) => {
    const { author, aligned, unknown } = authentication;
    if (author.kind !== 'author' || aligned.length > 0 || route.boundary === undefined) return [];
    const ip = route.boundary.recorded?.clientAddress ?? route.boundary.line.ip?.text;
    if (ip === undefined || isPrivate(ip) || route.boundary.line.login !== undefined) return [];
    const hosts = [...anchors.trustedMx, ...anchors.authservIds];
    const domains = hosts.map((host) => host.replace(/^\*?\./, ''));
    const own = domains.some(
      (host) =>
        author.domain.includes('.') &&
        (isWithin(host, author.domain) || sameOrganization(host, author.domain)),
    );
    if (!own) return [];
    const sure = unknown.length === 0;
    const text = `${author.domain} is ours, the client ${ip} is not${sure ? '' : ' (not all could be checked)'}`;
    return [{ text, quotes: [], ...(!sure && { strength: 'weak' as const }) }];
  },
};
