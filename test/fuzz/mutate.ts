/** Changes to octets that have broken parsers before: splice, repeat, cut, flip, boundary values. */

import { concat, fromLatin1 } from '#base/bytes.ts';
import type { Chance } from './chance.ts';

const TOKENS: readonly Uint8Array[] = [
  '\r',
  '\n',
  '\r\n',
  '\n\n',
  '\r\r\n',
  '\r\n.\r\n',
  '\n.\n',
  '\r\n.\n',
  '\n.\r\n',
  '\r\n..\r\n',
  '.',
  '\0',
  '\x1f',
  '\x7f',
  '\x80',
  '\xff',
  '\xc0\xaf',
  '\xed\xa0\x80',
  '\xf4\x90\x80\x80',
  '\xe2\x80\xae',
  '\x1b[2J',
  '"',
  '\\',
  '\\"',
  '(',
  ')',
  '<',
  '>',
  '@',
  ',',
  ';',
  ':',
  '=',
  '*',
  '%',
  '&',
  '{',
  '}',
  '{0}\r\n',
  '{1}\r\n',
  '{1+}\r\n',
  '{4294967296}\r\n',
  '[',
  ']',
  '--',
  ' ',
  '\t',
  '0',
  '1',
  '-1',
  '4294967295',
  '4294967296',
  '9007199254740993',
  '18446744073709551616',
  '99999999999999999999',
  '1e9',
  'NaN',
  '__proto__',
  'constructor',
  '=?utf-8?q?',
  '?=',
  "utf-8''%00",
  'STARTTLS\r\n',
  'BDAT 3 LAST\r\n',
  'DATA\r\n',
].map(fromLatin1);

/** A case from another: up to eight changes, at most `max` octets. */
export function mutate(
  octets: Uint8Array,
  chance: Chance,
  max: number,
  others: () => Uint8Array,
): Uint8Array {
  let now = octets;
  for (let left = 1 + chance.below(1 << chance.below(4)); left > 0; left--) {
    now = change(now, chance, others);
    if (now.length > max) now = now.slice(0, max);
  }
  return now;
}

function change(octets: Uint8Array, chance: Chance, others: () => Uint8Array): Uint8Array {
  const at = chance.below(octets.length + 1);
  const size = 1 + chance.below(1 << chance.below(7));
  const before = octets.subarray(0, at);
  const after = octets.subarray(at);
  switch (chance.below(9)) {
    case 0:
      return concat([before, after.subarray(size)]);
    case 1:
      return concat([before, chance.pick(TOKENS), after]);
    case 2:
      return concat([before, chance.pick(TOKENS), after.subarray(size)]);
    case 3: {
      const copy = octets.slice();
      if (copy.length > 0) copy[at % copy.length]! ^= 1 << chance.below(8);
      return copy;
    }
    case 4: {
      const times = 1 + chance.below(1 << chance.below(8));
      const unit = after.subarray(0, chance.once(2) ? 1 : size);
      return concat([before, ...Array.from({ length: times }, () => unit), after]);
    }
    case 5: {
      const other = others();
      return concat([before, other.subarray(chance.below(other.length + 1))]);
    }
    case 6: {
      const other = others();
      const from = chance.below(other.length + 1);
      return concat([before, other.subarray(from, from + size), after]);
    }
    case 7:
      return concat([before, chance.octets(Math.min(size, 16)), after]);
    default: {
      const from = chance.below(octets.length + 1);
      return concat([before, octets.subarray(from, from + size), after.subarray(size)]);
    }
  }
}
