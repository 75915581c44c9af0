/** Fields that are shown and that no good signature covers: anybody may have added them (RFC 6376 8.15). */

import { isWithin } from '#trust/names.ts';
import type { Case, Seen, Sign } from '../case.ts';

/** What a reader sees, or what decides how the body is shown. */
const SHOWN = ['subject', 'to', 'cc', 'date', 'reply-to', 'content-type'] as const;

export const openHead: Sign = {
  id: 'open-head',
  title: 'a shown field that the signature does not cover',
  strength: 'context',
  contradiction: true,
  innocent:
    'signers that leave out Cc, Reply-To or Content-Type; two of one field no program writes',
  look: (one) => {
    const covered = coveredTimes(one);
    return covered === undefined ? [] : SHOWN.flatMap((name) => outside(one, name, covered(name)));
  },
};

/** How often the best of the author's good signatures names a field; undefined: there is none. */
function coveredTimes({ authentication }: Case): ((name: string) => number) | undefined {
  const { author, signatures } = authentication;
  if (author.kind !== 'author') return undefined;
  const good = signatures.dkim.filter(
    ({ status, domain = '' }) => status === 'pass' && isWithin(author.domain, domain),
  );
  if (good.length === 0) return undefined;
  return (name) =>
    Math.max(
      ...good.map(({ signedFields }) => {
        return signedFields.filter((one) => one.toLowerCase() === name).length;
      }),
    );
}

/** A second one above the signed one is what many programs show: no honest way leads there. */
function outside({ specimen }: Case, name: string, covered: number): Seen[] {
  const fields = specimen.head.fields.filter(({ key }) => key === name);
  const [top] = fields;
  if (top === undefined || fields.length <= covered) return [];
  const quotes = fields.slice(0, 3).map(({ name: written, value }) => `${written}: ${value}`);
  if (fields.length === 1) return [{ text: `${top.name} is not signed`, quotes }];
  const text = `${fields.length} ${top.name} fields, ${covered === 0 ? 'none' : covered} of them signed`;
  return [{ text, quotes, strength: 'strong' }];
}
