/** A field that may stand once stands several times (RFC 5322 3.6, RFC 2045 3): readers choose. */

import type { Sign } from '../case.ts';

const ONCE = new Set(
  ['sender', 'reply-to', 'to', 'cc', 'message-id', 'in-reply-to', 'references'].concat([
    'subject',
    'mime-version',
    'content-type',
    'content-transfer-encoding',
    'return-path',
  ]),
);

export const fieldTwice: Sign = {
  id: 'field-twice',
  title: 'a field that may stand once stands twice',
  strength: 'weak',
  innocent: 'home-made mailers, and gateways that add what is there already',
  look: ({ specimen }) => {
    const values = new Map<string, string[]>();
    for (const { key, value } of specimen.head.fields) {
      if (!ONCE.has(key)) continue;
      const same = values.get(key);
      if (same === undefined) values.set(key, [value]);
      else same.push(value);
    }
    return [...values]
      .filter(([, same]) => same.length > 1)
      .map(([key, same]) => ({ text: `${same.length} ${key} fields`, quotes: same.slice(0, 3) }));
  },
};
