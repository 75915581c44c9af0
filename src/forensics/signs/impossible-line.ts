/** A Received line that the program it names never writes. */

import { otherDay } from '../moment.ts';
import type { ReceivedLine } from '../received/line.ts';
import type { Sign } from '../case.ts';

/** Zones by name, minutes east of UTC, summer and winter. */
const ZONES: ReadonlyMap<string, readonly number[]> = new Map([
  ['GMT', [0]],
  ['UTC', [0]],
  ['WET', [0]],
  ['BST', [60]],
  ['CET', [60]],
  ['CEST', [120]],
  ['EET', [120]],
  ['EEST', [180]],
  ['MSK', [180, 240]],
  ['JST', [540]],
  ['KST', [510, 540]],
  ['EST', [-300, 600, 660]],
  ['EDT', [-240, 660]],
  // Of Chicago, and of Havana.
  ['CDT', [-300, -240]],
  ['MST', [-420]],
  ['MDT', [-360]],
  ['PST', [-480, 480]],
  ['PDT', [-420]],
]);

export const impossibleLine: Sign = {
  id: 'impossible-line',
  title: 'a Received line that no program writes',
  strength: 'strong',
  contradiction: true,
  innocent: 'a home-made mailer, or a program that changed the line',
  look: ({ route }) =>
    route.hops
      .filter(({ zone }) => zone === 'claimed' || !route.anchored)
      .flatMap(({ number, line, field }) => {
        const quotes = [field.value];
        const why = whyNot(line);
        if (why !== undefined) return [{ text: `line ${number}: ${why}`, quotes }];
        const odd = whyOdd(line);
        if (odd === undefined) return [];
        return [{ text: `line ${number}: ${odd}`, quotes, strength: 'weak' as const }];
      })
      .slice(0, 10),
};

/** In the form of RFC 5322, so that nothing but its numbers can be wrong. */
const WHOLE_DATE =
  /^(?:[A-Za-z]{3}, )? ?\d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}(?: \(|$)/;

function whyNot(line: ReceivedLine): string | undefined {
  const { product, oddities, zoneName, date, dateText } = line;
  if (product?.name === 'Postfix' && line.id === undefined) return 'Postfix always writes an id';
  if (product?.name === 'Postfix' && oddities.includes('no date')) {
    return 'Postfix always writes a date';
  }
  if (product?.name === 'Exim' && line.id !== undefined && !/-/.test(line.id.text)) {
    return 'no id of Exim looks like that';
  }
  if (oddities.includes('an address that is none')) return 'an address that is none';
  if (oddities.includes('date with AM or PM')) return 'a date with AM or PM';
  if (date === undefined && WHOLE_DATE.test(dateText ?? '')) return 'a date that no calendar has';
  const zones = zoneName === undefined ? undefined : ZONES.get(zoneName);
  if (zones !== undefined && date !== undefined && !zones.includes(date.zoneMinutes)) {
    return `the zone ${zoneName ?? ''} is not ${date.zoneMinutes} minutes from UTC`;
  }
  return Math.abs(date?.zoneMinutes ?? 0) > 14 * 60 ? 'a zone that is nowhere' : undefined;
}

/** In the corpus of 2002 one of a hundred ordinary messages had one of these. */
function whyOdd({ product, oddities, date, dateText }: ReceivedLine): string | undefined {
  const day = date === undefined ? undefined : otherDay(dateText ?? '', date);
  if (day !== undefined) return `that day was a ${day}`;
  if (oddities.includes('with in lower case') && product?.name !== 'Exim') {
    return '"with smtp" in lower case and without a program';
  }
  return oddities.includes('both hosts are bare addresses')
    ? 'addresses instead of hosts'
    : undefined;
}
