/** Exchange writes the time of arrival twice, as a date and as a FILETIME: are they the same? */

import { firstField } from '#message/fields.ts';
import { parseDate } from '#message/date.ts';
import { moment } from '../moment.ts';
import { timeOfFiletime } from '../route/queue-ids.ts';
import type { Sign } from '../case.ts';

const MINUTE_MS = 60_000;
/** `22 Nov 2026 09:00:01.0123 (UTC) FILETIME=[B29C03C0:01DC5B8F]`: the lower half first. */
const BOTH = /^(.{10,60}?)\(UTC\) FILETIME=\[([0-9A-F]{8}):([0-9A-F]{8})\]$/i;

export const arrivalTime: Sign = {
  id: 'arrival-time',
  title: 'an X-OriginalArrivalTime that contradicts itself',
  strength: 'strong',
  contradiction: true,
  look: ({ specimen }) => {
    const field = firstField(specimen.head, 'x-originalarrivaltime');
    const [, date = '', low = '', high = ''] = BOTH.exec(field?.value ?? '') ?? [];
    const [said, time] = [parseDate(date), timeOfFiletime(high + low)];
    if (field === undefined || said === undefined || time === undefined) return [];
    if (Math.abs(said - time) <= MINUTE_MS) return [];
    const text = `the date says ${moment(said)}, the FILETIME ${moment(time)}`;
    return [{ text, quotes: [field.value] }];
  },
};
