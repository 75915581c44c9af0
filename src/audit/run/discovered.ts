/** What discovery itself has to say: that nothing answered, or something nobody could name. */

import type { Check } from '../check.ts';
import type { Place, Port } from '../discover/discover.ts';
import type { Finding, Target } from '../finding.ts';
import { visible } from '#base/bytes.ts';

export const NOTHING_ANSWERS: Check = {
  id: 'exposure.nothing-answers',
  title: 'No mail service answered',
  severity: 'info',
  means: 'Nothing could be tested: no port that was looked at speaks a mail protocol.',
  doesNotMean: 'It is no pass. A firewall, another port or a server that is down look the same.',
  rfc: [],
  cures: [],
};

export const UNIDENTIFIED: Check = {
  id: 'exposure.unidentified-service',
  title: 'A port answers with no mail protocol that is known',
  severity: 'info',
  means: 'Something listens there that was not tested: a broken server, a proxy, another protocol.',
  doesNotMean: 'It does not say that the service is unsafe.',
  rfc: [],
  cures: [],
};

/** Both are `inconclusive`: what could not be told is never a silent pass. */
export function discoveryFindings(
  ports: readonly { readonly place: Place; readonly port: Port }[],
  at: string,
): readonly Finding[] {
  const others = ports.flatMap(({ place, port }) => {
    if (port.kind !== 'other') return [];
    const target = targetAt(place, port.port);
    return [{ ...base(UNIDENTIFIED, target, port.why, at), evidence: [port.exchange] }];
  });
  if (ports.some(({ port }) => port.kind === 'service')) return others;
  const places = new Map(ports.map(({ place }) => [place.address, place]));
  const empty = [...places.values()].map((place) => {
    const seen = `none of the ports ${place.ports.join(', ')} speaks a mail protocol`;
    return base(NOTHING_ANSWERS, targetAt(place, 0), seen, at);
  });
  return [...empty, ...others];
}

function targetAt({ host, address }: Place, port: number): Target {
  return { host, address, port, protocol: 'host', tls: 'none' };
}

function base(check: Check, target: Target, seen: string, at: string): Finding {
  const { id, title, severity, means, doesNotMean, rfc, cures } = check;
  return {
    id,
    title,
    group: 'exposure',
    level: 'passive',
    severity,
    confidence: 'inconclusive',
    seen: visible(seen, 600),
    means,
    doesNotMean,
    rfc,
    target,
    controls: {},
    details: {},
    evidence: [],
    product: 'unknown',
    cures,
    at,
  };
}
