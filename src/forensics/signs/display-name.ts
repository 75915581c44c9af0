/** A display name that holds another address, or a domain or known name that is not the author's. */

import { firstField } from '#message/fields.ts';
import { brandOf, skeleton } from '../names/confusables.ts';
import { domainOf, sameOrganization } from '../names/domains.ts';
import type { Case, Seen, Sign } from '../case.ts';

const ADDRESS = /[^\s<>(),;:"@]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/u;
const DOMAIN =
  /\b[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.(?:com|net|org|edu|gov|de|fr|uk|eu|io|bank)\b/i;

const CHARACTERS = 200;

export const displayName: Sign = {
  id: 'display-name',
  title: 'the name says one address, the address another',
  strength: 'strong',
  contradiction: true,
  rates: { phish: 0.3, easyHam: 0, hardHam: 0.8, spam: 0.2 },
  innocent: 'lists and forwarders that write "alice@example.org via list"',
  look: (one) => {
    const { main, readings } = one.from;
    // A comment is the name for some programs, where there is no other.
    const grammar = readings.find(({ rule }) => rule === 'grammar')?.name ?? '';
    return [...new Set([main.name, grammar])].flatMap((name) => held(name, one));
  },
};

/** One name against the address beside it. */
function held(name: string, one: Case): Seen[] {
  const { address } = one.from.main;
  // As it is seen: wide signs are plain ones, what is invisible is not there.
  const seen = name
    .slice(0, CHARACTERS)
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '');
  const domain = domainOf(address);
  const inName = ADDRESS.exec(seen)?.[0];
  const claimed = domainOf(inName) ?? DOMAIN.exec(seen)?.[0].toLowerCase();
  if (domain === undefined) return [];
  if (claimed === undefined) {
    const brand = brandIn(seen, one.known, domain);
    if (brand === undefined) return [];
    const text = `the name says ${brandOf(brand)}, the address is of ${domain}`;
    return [{ text, quotes: [name, address ?? ''], strength: 'weak' }];
  }
  if (sameOrganization(claimed, domain)) return [];
  const text = `the name says ${inName ?? claimed}, the address is of ${domain}`;
  // Newsletters call themselves by a domain: that alone is no proof.
  const weak = inName === undefined || isListOf(domain, seen, one);
  return [{ text, quotes: [name, address ?? ''], ...(weak && { strength: 'weak' as const }) }];
}

/** `alice@example.org via Devel <devel@lists.example>`: lists take From over, because of DMARC. */
function isListOf(domain: string, name: string, { specimen }: Case): boolean {
  const id = firstField(specimen.head, 'list-id')?.value ?? '';
  const list = /<([^<>\s]{1,253})>/.exec(id)?.[1];
  return list !== undefined && / via /i.test(name) && sameOrganization(list, domain);
}

/** The known domain whose name a display name has, in whatever letters, that is not the author's. */
function brandIn(name: string, known: readonly string[], domain: string): string | undefined {
  const words = new Set(skeleton(name).split(/[^\p{L}\p{N}-]+/u));
  return known.find((one) => {
    const brand = skeleton(brandOf(one));
    return brand.length >= 4 && words.has(brand) && !sameOrganization(one, domain);
  });
}
