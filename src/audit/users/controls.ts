/** Names that nobody has: what a server says of these is what it says of strangers. */

import type { Random } from '#base/world.ts';

const SYLLABLES = 'ba be di do fa ga ke ki la lo ma mi na no pa re ri sa se ta to va vi zo'.split(
  ' ',
);
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A name of one of two shapes: like a person's (`first.last`), or gibberish. */
export function controlName(random: Random, shape: 'human' | 'gibberish'): string {
  const octets = random.bytes(16);
  const pick = (from: readonly string[] | string, at: number): string =>
    from[(octets[at] ?? 0) % from.length] ?? '';
  if (shape === 'gibberish') {
    return (
      pick(LETTERS, 0) +
      Array.from(octets.subarray(1, 13), (o) => o.toString(36))
        .join('')
        .slice(0, 14)
    );
  }
  const word = (from: number, count: number): string =>
    Array.from({ length: count }, (_, at) => pick(SYLLABLES, from + at)).join('');
  return `${word(0, 3)}.${word(3, 4)}${pick(LETTERS, 8)}`;
}

/** So many, both shapes in turn. */
export function controlNames(random: Random, count: number): string[] {
  return Array.from({ length: count }, (_, at) =>
    controlName(random, at % 2 === 0 ? 'human' : 'gibberish'),
  );
}

/** A password that is nobody's: 30 random letters. */
export function nobodysPassword(random: Random): string {
  return Array.from(random.bytes(30), (octet) => LETTERS[octet % 26] ?? '').join('');
}
