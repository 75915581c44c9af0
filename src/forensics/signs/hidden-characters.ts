/** Characters in From or Subject that nobody sees: they turn text around or cut it apart. */

import { firstField } from '#message/fields.ts';
import { decodeWords } from '#message/words.ts';
import type { Sign } from '../case.ts';

const HIDDEN = /[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e007f}]/u;

export const hiddenCharacters: Sign = {
  id: 'hidden-characters',
  title: 'characters that nobody sees',
  strength: 'weak',
  innocent: 'text that was copied from a page or a word processor',
  look: ({ specimen }) =>
    ['from', 'reply-to', 'subject'].flatMap((name) => {
      const field = firstField(specimen.head, name);
      const text = field === undefined ? '' : decodeWords(field.value);
      if (field === undefined || !HIDDEN.test(text) || !HIDDEN.test(withoutHonest(text))) return [];
      return [{ text: `in ${field.name}`, quotes: [field.value] }];
    }),
};

/** What joins emoji and makes flags of them; what Persian, Hindi and Hebrew need to be written. */
const JOINS =
  /(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d(?=\p{Extended_Pictographic})|(?<=\u{1f3f4})[\u{e0020}-\u{e007f}]{1,10}|(?<=[\p{sc=Arab}\p{sc=Deva}\p{sc=Beng}\p{sc=Mlym}\p{sc=Sinh}\p{M}])[\u200c\u200d](?=[\p{sc=Arab}\p{sc=Deva}\p{sc=Beng}\p{sc=Mlym}\p{sc=Sinh}])/gu;
const FROM_RIGHT = /[\p{sc=Arab}\p{sc=Hebr}]/u;

/** The text without characters that honest writers need where they stand. */
function withoutHonest(text: string): string {
  const joined = text.replace(JOINS, '');
  return FROM_RIGHT.test(joined) ? joined.replace(/[\u061c\u200e\u200f]/g, '') : joined;
}
