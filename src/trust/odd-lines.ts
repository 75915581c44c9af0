/** Lines of a head that are no field by RFC 5322 2.2, but that some program reads as one. */

/** A line with its continuations: offsets in the head, and all after its first colon, if any. */
export interface OddLine {
  readonly start: number;
  readonly end: number;
  readonly raw: string;
}

const NAME_LOOKED_AT = 128;

/**
 * Lines whose name is `key` (lower case) only once something was taken away that does not show or
 * does not belong there: a blank in front of the first line or before the colon, a fold before
 * the colon, NUL, other octets above and below ASCII's letters. `head` has octets as latin1.
 */
export function oddLines(head: string, key: string): readonly OddLine[] {
  const found: OddLine[] = [];
  for (let start = 0; start < head.length;) {
    const stop = endOfLine(head, start);
    if (isOther(head.charCodeAt(start), key)) {
      start = stop;
      while (isBlank(head[start])) start = endOfLine(head, start);
      continue;
    }
    const [name = ''] = head.slice(start, Math.min(stop, start + NAME_LOOKED_AT)).split(':', 1);
    const bare = name.replace(/[\r\n]+$/, '');
    const exact = head[start + name.length] === ':' && bare.toLowerCase() === key;
    let end = stop;
    while (isBlank(head[end])) end = endOfLine(head, end);
    if (!exact && bare.replace(/[^!-~]/g, '').toLowerCase() === key) {
      const line = head.slice(start, end);
      const colon = line.indexOf(':');
      found.push({ start, end, raw: colon === -1 ? '' : line.slice(colon + 1) });
    }
    start = end;
  }
  return found;
}

/** Whether a line begins with a letter, and another one than the name: most lines do. */
function isOther(code: number, key: string): boolean {
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x7a && letter !== key.charCodeAt(0);
}

/** After the line end, or where the head ends. */
function endOfLine(head: string, from: number): number {
  const lf = head.indexOf('\n', from);
  return lf === -1 ? head.length : lf + 1;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
