/** Characters in From or Subject that nobody sees: they turn text around or cut it apart. */

import { firstField } from '#message/fields.ts';
import { decodeWords } from '#message/words.ts';
import type { Sign } from '../case.ts';

const HIDDEN = /[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e007f}]/u;

export const hiddenCharacters: Sign = {
  id: 'hidden-characters',
  title: 'characters that nobody sees',
  strength: 'weak',
  innocent: 'scripts that are written from right to left, emoji that are joined',
  look: ({ specimen }) =>
    ['from', 'reply-to', 'subject'].flatMap((name) => {
      const field = firstField(specimen.head, name);
      if (field === undefined || !HIDDEN.test(decodeWords(field.value))) return [];
      return [{ text: `in ${field.name}`, quotes: [field.value] }];
    }),
};
