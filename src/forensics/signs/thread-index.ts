/** Outlook's Thread-Index tells when a thread began: after the message was sent? */

import { parseDate } from '#message/date.ts';
import { firstField } from '#message/fields.ts';
import { moment } from '../moment.ts';
import { timeOfThreadIndex } from '../route/queue-ids.ts';
import type { Sign } from '../case.ts';

const DAY_MS = 86_400_000;

export const threadIndex: Sign = {
  id: 'thread-index',
  title: 'a Thread-Index that contradicts Date',
  strength: 'strong',
  contradiction: true,
  innocent: 'a clock that is a day off',
  look: ({ specimen }) => {
    const index = firstField(specimen.head, 'thread-index');
    const dated = firstField(specimen.head, 'date');
    const time = index === undefined ? undefined : timeOfThreadIndex(index.value);
    const ms = dated === undefined ? undefined : parseDate(dated.value);
    if (time === undefined || ms === undefined || index === undefined) return [];
    // An older thread is an answer; a later one cannot be.
    if (time.ms <= ms + DAY_MS) return [];
    const text = `the thread began ${moment(time.ms)}, the message is of ${moment(ms)}`;
    return [{ text, quotes: [index.value, dated?.value ?? ''] }];
  },
};
