/** A queue id that carries another time than its line. */

import { moment } from '../moment.ts';
import { timeOfId } from '../route/queue-ids.ts';
import type { Sign } from '../case.ts';

const DAY_MS = 86_400_000;

export const queueId: Sign = {
  id: 'queue-id',
  title: 'a queue id that contradicts its date',
  strength: 'strong',
  contradiction: true,
  innocent: 'mail that lay in a queue for days: the id is of the arrival, so is the date',
  look: ({ route }) =>
    route.hops
      .flatMap(({ number, line, field }) => {
        const ms = line.date?.ms;
        const time = timeOfId(line.id?.text ?? '', line.product?.name, ms);
        if (time === undefined || ms === undefined) return [];
        if (Math.abs(time.ms - ms) <= DAY_MS + time.precisionMs) return [];
        const text = `line ${number}: the id of ${time.form} says ${moment(time.ms)}, the date ${moment(ms)}`;
        return [{ text, quotes: [line.id?.text ?? '', field.value] }];
      })
      .slice(0, 10),
};
