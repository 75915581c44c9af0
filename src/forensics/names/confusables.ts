/** Letters that look alike, scripts that do not mix, names that are made to be mistaken. */

/**
 * Characters by what they look like: the pairs that domains are faked with, after the idea of
 * "skeletons" in Unicode Technical Standard 39, section 4. Its data file has thousands; this is
 * our own choice of those that can stand in a domain name, by eye and script.
 */
const LOOKS: readonly (readonly [like: string, characters: string])[] = [
  ['a', 'аαɑạàáâãäåāăą'],
  ['b', 'ЬƄ'],
  ['c', 'сϲçćĉċč'],
  ['d', 'ԁɗďđ'],
  ['e', 'еёєҽèéêëēĕėęě'],
  ['f', 'ƒ'],
  ['g', 'ɡġĝğģ'],
  ['h', 'һհĥħ'],
  ['i', 'іїıιɩìíîïĩīĭįǐ'],
  ['j', 'јϳĵ'],
  ['k', 'κкķĸ'],
  ['l', 'ӏⅼļľŀłĺ'],
  ['m', 'мⅿ'],
  ['n', 'ոпηñńņňŋ'],
  ['o', 'оοσօöòóôõøōŏő'],
  ['p', 'рρþ'],
  ['q', 'ԛգ'],
  ['r', 'гŕŗř'],
  ['s', 'ѕśŝşš'],
  ['t', 'тτţťŧ'],
  ['u', 'υսùúûüũūŭůűų'],
  ['v', 'νѵⅴ'],
  ['w', 'ԝωшŵ'],
  ['x', 'хχⅹ'],
  ['y', 'уүγýÿŷ'],
  ['z', 'ᴢźżž'],
];
const SKELETON: ReadonlyMap<string, string> = new Map(
  LOOKS.flatMap(([like, characters]) => [...characters].map((one) => [one, like] as const)),
);
/** What looks like another letter or two in most typefaces. */
const PAIRS: readonly (readonly [seen: RegExp, like: string])[] = [
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/cl/g, 'd'],
  [/[1|]/g, 'l'],
  [/0/g, 'o'],
  [/5/g, 's'],
  [/i/g, 'l'],
];

/** A name as the eye takes it: equal skeletons are hard to tell apart. */
export function skeleton(name: string): string {
  const plain = [...name.normalize('NFKC').toLowerCase()].map((one) => SKELETON.get(one) ?? one);
  let text = plain.join('').normalize('NFKD').replace(/\p{M}/gu, '');
  for (const [seen, like] of PAIRS) text = text.replace(seen, like);
  return text;
}

const SCRIPTS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Hebrew', /\p{Script=Hebrew}/u],
  ['Arabic', /\p{Script=Arabic}/u],
  ['Cherokee', /\p{Script=Cherokee}/u],
  ['Georgian', /\p{Script=Georgian}/u],
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
    const [label = ''] = one.split('.');
    // `paypal-support.example`, `paypal.com.evil.example`.
    const added =
      bare.startsWith(`${one}.`) || bare.split('.').some((part) => carries(part, label));
    if (label.length >= 4 && added) return { known: one, how: 'the name with something added' };
  }
  return undefined;
}

function carries(part: string, label: string): boolean {
  return part !== label && part.split('-').includes(label);
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
