/** The tag=value lists of DKIM and ARC (RFC 6376 3.2): one linear pass, strict, with offsets. */

export interface Tag {
  /** Without white space at both ends; inner white space and folds are kept. */
  readonly value: string;
  /** From after the equals sign up to the semicolon or the end: what `b=` is emptied by. */
  readonly start: number;
  readonly end: number;
}

export type TagList =
  | { readonly kind: 'tags'; readonly tags: ReadonlyMap<string, Tag> }
  | { readonly kind: 'bad'; readonly why: string };

export interface TagLimits {
  /** Tags in one list. */
  readonly tags?: number;
  /** Characters of the whole list. */
  readonly characters?: number;
}

const TAGS = 128;
const CHARACTERS = 65_536;
const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
/** NUL above all: in `s=` it ends the name that other programs ask DNS for (espoofer A3). */
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * Reads a tag list. A name that comes twice, an empty item other than the last, a control
 * character or a name that is none spoil the whole list (RFC 6376 3.2); octets above 127 are let
 * through (RFC 8616). Never fails.
 */
export function parseTagList(text: string, limits: TagLimits = {}): TagList {
  if (text.length > (limits.characters ?? CHARACTERS)) return bad('the tag list is too long');
  if (CONTROLS.test(text)) return bad('a control character in the tag list');
  const tags = new Map<string, Tag>();
  for (let at = 0; at <= text.length;) {
    const semicolon = text.indexOf(';', at);
    const end = semicolon === -1 ? text.length : semicolon;
    const equals = text.indexOf('=', at);
    if (equals === -1 || equals > end) {
      const last = semicolon === -1 && tags.size > 0 && trimFolds(text.slice(at)) === '';
      return last ? { kind: 'tags', tags } : bad('an item of the tag list is no tag');
    }
    const name = trimFolds(text.slice(at, equals));
    if (!NAME.test(name)) return bad('a tag name is none');
    if (tags.has(name)) return bad(`the tag ${name.slice(0, 20)}= comes twice`);
    if (tags.size >= (limits.tags ?? TAGS)) return bad('too many tags');
    tags.set(name, { value: trimFolds(text.slice(equals + 1, end)), start: equals + 1, end });
    at = end + 1;
  }
  return { kind: 'tags', tags };
}

/** Without white space and line ends at both ends. */
export function trimFolds(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isFold(text.charCodeAt(from))) from++;
  while (to > from && isFold(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

/** Without any white space and line ends: base64, lists. */
export function withoutFolds(text: string): string {
  return text.replace(/[ \t\r\n]+/g, '');
}

/** Base64 with its padding (RFC 4648 4), white space ignored; undefined for anything else. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bare = withoutFolds(text);
  if (bare.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(bare)) return undefined;
  return Buffer.from(bare, 'base64');
}

function isFold(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

function bad(why: string): TagList {
  return { kind: 'bad', why };
}
