/** Values, comments and folds of the fields that carry results: nothing in them can break out. */

const COLUMNS = 78;
const VALUE_CHARACTERS = 250;
const COMMENT_CHARACTERS = 200;
/** A domain, an address, a selector, an IP address that has no colon: never needs quotes. */
const PLAIN = /^[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9])?$/;
const PLAIN_ADDRESS =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_+-]|\.(?=[A-Za-z0-9_]))*)?@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** A `value` (RFC 2045 5.1): as it is if it is harmless, else a quoted string. */
export function escapeValue(text: string): string {
  const clean = printable(text, VALUE_CHARACTERS);
  return PLAIN.test(clean) ? clean : quote(clean);
}

/** A `pvalue` (RFC 8601 2.2): there an address may stand without quotes, too. */
export function escapeProperty(text: string): string {
  const clean = printable(text, VALUE_CHARACTERS);
  return PLAIN_ADDRESS.test(clean) ? clean : escapeValue(clean);
}

/** A quoted string (RFC 5322 3.2.4) of printable ASCII, at most 250 characters of it. */
export function quote(text: string): string {
  return `"${printable(text, VALUE_CHARACTERS).replace(/["\\]/g, '\\$&')}"`;
}

/** A comment (RFC 5322 3.2.2) of printable ASCII, at most 200 characters of it. */
export function escapeComment(text: string): string {
  return `(${printable(text, COMMENT_CHARACTERS).replace(/[()\\]/g, '\\$&')})`;
}

/**
 * Groups of words as a field of short lines, each group after the first on a line of its own.
 * `separator` ends every group but the last. Words are not broken: they are short.
 */
export function foldField(
  name: string,
  groups: readonly (readonly string[])[],
  separator: string,
): string {
  let text = `${name}:`;
  let column = text.length;
  for (const [index, group] of groups.entries()) {
    for (const [at, word] of group.entries()) {
      const last = at === group.length - 1 && index < groups.length - 1;
      const piece = last ? word + separator : word;
      // The first word stays beside the name: a name alone looks like an empty field.
      const first = index === 0 && at === 0;
      const newLine = !first && (at === 0 || column + piece.length >= COLUMNS);
      text += newLine ? `\r\n\t${piece}` : ` ${piece}`;
      column = newLine ? 8 + piece.length : column + 1 + piece.length;
    }
  }
  return text;
}

function printable(text: string, max: number): string {
  return text.slice(0, max).replace(/[^\x20-\x7e]/g, '?');
}
