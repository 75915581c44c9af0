/** A field that may stand once stands several times (RFC 5322 3.6, RFC 2045 3): readers choose. */

import type { Sign } from '../case.ts';

const ONCE = ['sender', 'reply-to', 'to', 'cc', 'message-id', 'in-reply-to', 'references'].concat([
  'subject',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'return-path',
]);

export const fieldTwice: Sign = {
  id: 'field-twice',
  title: 'a field that may stand once stands twice',
  strength: 'weak',
  innocent: 'home-made mailers, and gateways that add what is there already',
  look: ({ specimen }) => {
    const fields = specimen.head.fields;
    return ONCE.flatMap((wanted) => {
      const same = fields.filter(({ key }) => key === wanted);
      const [first] = same;
      if (first === undefined || same.length === 1) return [];
      const quotes = same.slice(0, 3).map(({ value }) => value);
      return [{ text: `${same.length} ${first.name} fields`, quotes }];
    });
  },
};
