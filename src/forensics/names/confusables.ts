/** Letters that look alike, scripts that do not mix, names that are made to be mistaken. */

import { likelyOrganization } from './domains.ts';

/**
 * Characters by the letter that they look like: what domains and names are faked with, after the
 * idea of "skeletons" in Unicode Technical Standard 39, section 4. Its data file has thousands;
 * this is our own choice of those that can stand in a domain name, by eye and script, in lower
 * case. Letters with accents, and wide, bold or circled ones are none of it: NFKD leaves the plain
 * letter of them.
 */
export const LOOKS: readonly (readonly [like: string, characters: string])[] = [
  // Latin beyond ASCII, Cyrillic, Greek, Armenian, then what is left.
  ['a', 'ɑᴀаα'],
  ['b', 'ƅƀɓʙьв'],
  ['c', 'ƈᴄсςͻⲥ'],
  ['d', 'đɗɖᴅԁ'],
  ['e', 'ɛᴇеєҽҿε'],
  ['f', 'ƒϝք'],
  ['g', 'ɡɢց'],
  ['h', 'ħʜһнհ'],
  ['i', 'ıɩɪіι\uab75'],
  ['j', 'ȷʝјϳյ'],
  ['k', 'ĸƙᴋкқҝҡκ'],
  ['l', 'łƚʟǀӏןוا'],
  ['m', 'ɱᴍм'],
  ['n', 'ŋɲɴпηոռ'],
  ['o', 'øɵᴏоөοσօჿסه٥ഠဝ〇'],
  ['p', 'þƿᴘрρϸ'],
  ['q', 'ʠԛզգ'],
  ['r', 'ɼʀᴦг'],
  ['s', 'ʂꜱѕ'],
  ['t', 'ŧƭᴛтτ'],
  ['u', 'ʉʋᴜυս'],
  ['v', 'ᴠѵνט'],
  ['w', 'ɯᴡԝшщѡωա'],
  ['x', 'хҳӽχ'],
  ['y', 'ɣʏуүұγყ'],
  ['z', 'ʐƶᴢ'],
  // Two letters in one.
  ['ae', 'æӕ'],
  ['oe', 'œ'],
  ['ss', 'ß'],
  // Digits of other scripts, and the Cyrillic letter that is one.
  ['0', '०০੦૦୦௦౦೦൦๐໐'],
  ['1', '١۱'],
  ['3', 'зʒӡɜ'],
];
const SKELETON: ReadonlyMap<string, string> = new Map(
  LOOKS.flatMap(([like, characters]) => [...characters].map((one) => [one, like] as const)),
);
/** What looks like another letter or two in most typefaces, in the order in which it is read. */
const PAIRS: readonly (readonly [seen: RegExp, like: string])[] = [
  [/[1|]/g, 'l'],
  [/0/g, 'o'],
  [/3/g, 'e'],
  [/4/g, 'a'],
  [/5/g, 's'],
  [/8/g, 'b'],
  [/9/g, 'g'],
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/cl/g, 'd'],
  [/i/g, 'l'],
];

/** A name as the eye takes it: equal skeletons are hard to tell apart. */
export function skeleton(name: string): string {
  let text = latinLook(name);
  for (const [seen, like] of PAIRS) text = text.replace(seen, like);
  return text;
}

/** A name in the plain letters that its own look like; what looks like none stays. */
export function latinLook(name: string): string {
  if (ASCII.test(name)) return name.toLowerCase();
  const bare = name
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}]/gu, '');
  return Array.from(bare, (one) => SKELETON.get(one) ?? one).join('');
}

const ASCII = /^[\x00-\x7f]*$/;

const SCRIPTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Hebrew', /\p{Script=Hebrew}/u],
  ['Arabic', /\p{Script=Arabic}/u],
  ['Cherokee', /\p{Script=Cherokee}/u],
  ['Georgian', /\p{Script=Georgian}/u],
  ['Coptic', /\p{Script=Coptic}/u],
];

/** The scripts of one label, of those whose letters are mistaken for each other. */
export function scriptsOf(label: string): readonly string[] {
  return SCRIPTS.filter(([, pattern]) => pattern.test(label)).map(([name]) => name);
}

export interface Likeness {
  readonly known: string;
  readonly how: 'looks the same' | 'one letter apart' | 'the name with something added';
}

/** The known domain that a name (U-labels) can be mistaken for, if it is not that one. */
export function likenessOf(name: string, known: readonly string[]): Likeness | undefined {
  const bare = name.toLowerCase();
  if (known.some((one) => bare === one || bare.endsWith(`.${one}`))) return undefined;
  const own = skeleton(bare);
  for (const one of known) {
    const like = skeleton(one);
    if (own === like || own.endsWith(`.${like}`)) return { known: one, how: 'looks the same' };
  }
  for (const one of known) {
    if (one.length >= 6 && distanceOne(bare, one)) return { known: one, how: 'one letter apart' };
    // `paypal-support.example`, `paypal.com.evil.example`, `paypa1login.example`.
    const label = skeleton(brandOf(one));
    const parts = own.split('.');
    const hosts = parts.length - likelyOrganization(bare).split('.').length;
    const added =
      own.startsWith(`${skeleton(one)}.`) ||
      // `paypal.example`, the name alone, may be theirs too; `paypal.evil.example` may not.
      parts.some(
        (part, at) => carries(part, label) || (at < hosts && label.length >= 4 && part === label),
      );
    if (added) return { known: one, how: 'the name with something added' };
  }
  return undefined;
}

/** The label that people know an organisation by: `paypal` of `mail.paypal.com`. */
export function brandOf(domain: string): string {
  return likelyOrganization(domain).split('.')[0] ?? '';
}

/** Short names are words, and stand in many others. */
function carries(part: string, label: string): boolean {
  if (part === label || label.length < 4) return false;
  if (part.split('-').includes(label)) return true;
  return label.length >= 6 && (part.startsWith(label) || part.endsWith(label));
}

/** Whether one letter was added, left out, changed or swapped with its neighbour. */
function distanceOne(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  if (restA.slice(1) === restB.slice(1) || restA.slice(1) === restB) return true;
  if (restA === restB.slice(1)) return true;
  const swapped = restA[0] === restB[1] && restA[1] === restB[0];
  return swapped && restA.slice(2) === restB.slice(2);
}
