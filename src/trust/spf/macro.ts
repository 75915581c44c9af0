/** SPF macros (RFC 7208 7): text to pieces once, pieces to text with the values of a check. */

/** A piece of a macro string: text as it is, or a value to put in. */
export type Piece = string | Macro;

export interface Macro {
  readonly letter: MacroLetter;
  /** Right-hand parts to keep; undefined: all. */
  readonly keep: number | undefined;
  readonly reverse: boolean;
  /** What parts are split at; empty: dots. */
  readonly delimiters: string;
  /** Written in upper case: the value is URL-escaped. */
  readonly escape: boolean;
}

export type MacroLetter = 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'v' | 'h' | 'c' | 'r' | 't';

/** Where a macro string stands: `c`, `r` and `t` are for explanations only (RFC 7208 7.2). */
export type MacroPlace = 'domain' | 'modifier' | 'explanation';

const EVERYWHERE = 'slodipvh';
const EXPLAINING = 'crt';
const DELIMITERS = '.-+,/_=';
const DIGITS = 9;
const MACRO_CHARACTERS = 64;
/** RFC 3986 2.3 `unreserved`. */
const UNRESERVED = /[^A-Za-z0-9._~-]/g;

/**
 * Parses a macro-string (an explain-string where `place` says so), or undefined if it breaks the
 * grammar of RFC 7208 7.1. Linear time.
 */
export function parseMacros(text: string, place: MacroPlace): Piece[] | undefined {
  const literal = place === 'explanation' ? /^[\x20-\x7e]*$/ : /^[\x21-\x7e]*$/;
  if (!literal.test(text)) return undefined;
  const pieces: Piece[] = [];
  let at = 0;
  for (;;) {
    const percent = text.indexOf('%', at);
    if (percent === -1) break;
    if (percent > at) pieces.push(text.slice(at, percent));
    const next = text[percent + 1];
    at = percent + 2;
    if (next === '%') pieces.push('%');
    else if (next === '_') pieces.push(' ');
    else if (next === '-') pieces.push('%20');
    else if (next === '{') {
      const end = endOfMacro(text, at);
      const macro = end === undefined ? undefined : parseMacro(text.slice(at, end), place);
      if (end === undefined || macro === undefined) return undefined;
      pieces.push(macro);
      at = end + 1;
    } else return undefined;
  }
  if (at < text.length) pieces.push(text.slice(at));
  return pieces;
}

/**
 * Pieces to text. `value` gives the value of a letter; undefined where it has none that may be
 * used, and then there is no text either. Stops with undefined above `max` characters.
 */
export function expandMacros(
  pieces: readonly Piece[],
  value: (letter: MacroLetter) => string | undefined,
  max: number,
): string | undefined {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else {
      const raw = value(piece.letter);
      if (raw === undefined) return undefined;
      const parts = transform(raw, piece);
      text += piece.escape ? parts.replace(UNRESERVED, urlEscape) : parts;
    }
    if (text.length > max) return undefined;
  }
  return text;
}

/** Whether a letter stands in the pieces. */
export function usesMacro(pieces: readonly Piece[], letter: MacroLetter): boolean {
  return pieces.some((piece) => typeof piece !== 'string' && piece.letter === letter);
}

/** A macro is short; looking further for its brace would cost n² over many open ones. */
function endOfMacro(text: string, from: number): number | undefined {
  const most = Math.min(text.length, from + MACRO_CHARACTERS);
  for (let at = from; at < most; at++) if (text[at] === '}') return at;
  return undefined;
}

/** What stands between the braces: letter, transformers, delimiters. */
function parseMacro(inner: string, place: MacroPlace): Macro | undefined {
  const first = inner[0] ?? '';
  const letter = first.toLowerCase();
  const allowed = place === 'domain' ? EVERYWHERE : EVERYWHERE + EXPLAINING;
  if (letter === '' || !allowed.includes(letter)) return undefined;
  let at = 1;
  while (isDigit(inner[at])) at++;
  const digits = inner.slice(1, at);
  const keep = digits === '' ? undefined : Number(digits);
  if (keep === 0 || digits.length > DIGITS) return undefined;
  const reverse = inner[at] === 'r' || inner[at] === 'R';
  if (reverse) at++;
  const delimiters = inner.slice(at);
  for (const one of delimiters) if (!DELIMITERS.includes(one)) return undefined;
  return { letter: letter as MacroLetter, keep, reverse, delimiters, escape: first !== letter };
}

/** RFC 7208 7.3: split, reverse, keep the right-hand parts, join with dots. */
function transform(value: string, { keep, reverse, delimiters }: Macro): string {
  if (keep === undefined && !reverse && delimiters === '') return value;
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at <= value.length; at++) {
    const code = value[at];
    if (code !== undefined && !(delimiters === '' ? '.' : delimiters).includes(code)) continue;
    parts.push(value.slice(from, at));
    from = at + 1;
  }
  if (reverse) parts.reverse();
  return (keep === undefined ? parts : parts.slice(-keep)).join('.');
}

function urlEscape(character: string): string {
  const octets = Buffer.from(character.toWellFormed());
  return Array.from(
    octets,
    (octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}
