/** At the boundary or below it a line is from a host that the line below it was not by. */

import { sameOrganization } from '../names/domains.ts';
import type { Hop } from '../route/route.ts';
import type { Sign } from '../case.ts';

export const chainBreak: Sign = {
  id: 'chain-break',
  title: 'claimed hops that do not join',
  strength: 'context',
  rates: { phish: 97.9, easyHam: 11.4, hardHam: 8, spam: 8.2 },
  innocent: 'hosts with other names inside than outside: all of Microsoft’s',
  look: ({ route }) =>
    route.hops
      .filter(({ zone }) => zone === 'claimed' || zone === 'boundary')
      .flatMap((hop, at, all) => {
        const older = all[at + 1];
        if (older === undefined || joins(hop, older)) return [];
        const { helo, rdns } = hop.line;
        const text = `line ${hop.number} is from ${helo?.text ?? rdns?.text ?? ''}, the one below by ${older.line.by?.text ?? ''}`;
        return [{ text, quotes: [] }];
      })
      .slice(0, 10),
};

function joins({ line }: Hop, older: Hop): boolean {
  const by = older.line.by?.text;
  const names = [line.helo?.text, line.rdns?.text].flatMap((name) => name ?? []);
  if (by === undefined || names.length === 0 || by === 'localhost') return true;
  return names.some((name) => sameOrganization(name, by));
}
