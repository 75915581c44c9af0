/** A Date that does not fit the time when the message was first received. */

import { allFields } from '#message/fields.ts';
import { parseMailDate } from '#message/date.ts';
import { moment, otherDay } from '../moment.ts';
import type { Sign } from '../case.ts';

const LATE_MS = 300_000;
const ANCIENT_MS = 30 * 86_400_000;

export const date: Sign = {
  id: 'date',
  title: 'Date does not fit',
  strength: 'weak',
  rates: { phish: 1.3, easyHam: 4.6, hardHam: 22, spam: 37.2 },
  innocent: 'a clock that nobody set',
  look: ({ specimen, route }) => {
    const fields = allFields(specimen.head, 'date');
    const [field] = fields;
    if (field === undefined && specimen.headCut) return [];
    if (field === undefined) return [{ text: 'there is no Date', quotes: [] }];
    const quotes = fields.slice(0, 3).map(({ value }) => value);
    if (fields.length > 1) return [{ text: `${fields.length} Date fields`, quotes }];
    const written = parseMailDate(field.value);
    if (written === undefined) return [{ text: 'what it says is no date', quotes }];
    const day = otherDay(field.value, written);
    if (day !== undefined) return [{ text: `that day was a ${day}`, quotes }];
    const { ms } = written;
    const oldest = route.hops.findLast(({ line }) => line.date !== undefined);
    const first = oldest?.line.date?.ms;
    if (first === undefined || oldest?.line.dateText === undefined) return [];
    const both = [field.value, oldest.line.dateText];
    if (ms > first + LATE_MS) {
      return [
        { text: `written ${moment(ms)}, received before that: ${moment(first)}`, quotes: both },
      ];
    }
    const days = Math.floor((first - ms) / 86_400_000);
    return first - ms < ANCIENT_MS
      ? []
      : [{ text: `written ${days} days before it was sent`, quotes: both }];
  },
};
