/** Parameters of Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2231), decoded. */

import { fromLatin1, concat } from '#base/bytes.ts';
import { decodeCharset, unicodeOf, withoutControls } from './charset.ts';
import { trimBlanks } from './fields.ts';
import { skipComment, skipQuoted } from './mailbox-scan.ts';
import { decodeWords } from './words.ts';

/** A field value such as `text/plain; charset="x"`. */
export interface Parametrised {
  /** Before the first semicolon, comments and blanks taken away, case kept. */
  readonly value: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** The boundary as octets (latin1), for comparing with lines of the body. */
  readonly boundary: string | undefined;
  readonly duplicate: boolean;
  readonly cut: boolean;
}

interface Section {
  readonly text: string;
  /** Percent-encoded (RFC 2231 4). */
  readonly extended: boolean;
}

interface Draft {
  plain: string | undefined;
  /** `name*`, or `name*0`, `name*1*` … by number. */
  sections: Map<number, Section> | undefined;
}

/** Parameters that one field may have; more are left out (CVE-2026-27859 had no limit). */
export const FIELD_PARAMETERS = 1000;
const SECTION = /^(.+?)\*(?:(0|[1-9]\d{0,5})(\*?))?$/;

/**
 * Reads an unfolded value (octets as latin1). Accepts both forms of RFC 2231, encoded words in
 * values (wrong, RFC 2047 5, but usual for file names), unquoted values with blanks. Of a name
 * given twice the first counts. Never fails; linear time; names are lower case.
 */
export function parseParametrised(text: string, max: number = FIELD_PARAMETERS): Parametrised {
  const scan = new ParameterScan(text);
  const value = scan.until(';');
  const drafts = new Map<string, Draft>();
  let duplicate = false;
  let cut = false;
  let count = 0;
  while (scan.more() && !cut) {
    const name = scan.until('=;').toLowerCase();
    const given = scan.takeEquals() ? scan.until(';') : undefined;
    if (name === '' || given === undefined) continue;
    if (++count > max) cut = true;
    else if (!addTo(drafts, name, given)) duplicate = true;
  }
  const parameters: (readonly [string, string])[] = [];
  for (const [name, draft] of drafts) {
    const decoded = valueOf(name, draft);
    if (decoded !== undefined) parameters.push([name, decoded]);
  }
  const boundary = drafts.get('boundary');
  return { value, parameters, boundary: boundary && rawBoundary(boundary), duplicate, cut };
}

/** A parameter's value, or undefined. */
export function parameter(
  parameters: readonly (readonly [name: string, value: string])[],
  name: string,
): string | undefined {
  for (const [key, value] of parameters) if (key === name) return value;
  return undefined;
}

/** Walks over a value, leaving out comments and quotes. */
class ParameterScan {
  readonly #text: string;
  #at = 0;
  /** After one without an end, quotes and parentheses are ordinary characters. */
  #quotes = true;
  #comments = true;

  constructor(text: string) {
    this.#text = text;
  }

  /** Passes the semicolon; whether anything follows. */
  more(): boolean {
    if (this.#text.charCodeAt(this.#at) === 0x3b) this.#at++;
    return this.#at < this.#text.length;
  }

  takeEquals(): boolean {
    if (this.#text.charCodeAt(this.#at) !== 0x3d) return false;
    this.#at++;
    return true;
  }

  /** `file(1).txt` without quotes is a file name; a comment has a blank before it. */
  #mayComment(from: number): boolean {
    const before = this.#text.charCodeAt(this.#at - 1);
    return this.#at === from || before === 0x20 || before === 0x09 || before === 0x22;
  }

  /** Text up to one of the characters in `ends`, blanks around it taken away. */
  until(ends: string): string {
    const text = this.#text;
    let out = '';
    let from = this.#at;
    let quoted: string | undefined;
    while (this.#at < text.length) {
      const code = text.charCodeAt(this.#at);
      if (code === 0x3b || (code === 0x3d && ends.length === 2)) break;
      if (code === 0x22 && this.#quotes) {
        const end = skipQuoted(text, this.#at);
        if (end === -1) this.#quotes = false;
        else {
          const inner = text.slice(this.#at + 1, end - 1);
          quoted = (quoted ?? '') + (inner.includes('\\') ? unescaped(inner) : inner);
        }
        this.#at = end === -1 ? this.#at + 1 : end;
        if (end === -1 && trimBlanks(out + text.slice(from, this.#at - 1)) === '') from = this.#at;
      } else if (code === 0x28 && this.#comments && this.#mayComment(from)) {
        const end = skipComment(text, this.#at);
        if (end === -1) this.#comments = false;
        else out += text.slice(from, this.#at);
        this.#at = end === -1 ? this.#at + 1 : end;
        if (end !== -1) from = end;
      } else this.#at++;
    }
    // A value with quotes is what the quotes hold: whatever else stands there is damage.
    return quoted ?? trimBlanks(out + text.slice(from, this.#at));
  }
}

function unescaped(text: string): string {
  return text.replace(/\\([^])/g, '$1');
}

/** False if the name, or this section of it, was there already. */
function addTo(drafts: Map<string, Draft>, name: string, value: string): boolean {
  const parts = name.includes('*') ? SECTION.exec(name) : null;
  const base = parts?.[1] ?? name;
  let draft = drafts.get(base);
  if (draft === undefined) drafts.set(base, (draft = { plain: undefined, sections: undefined }));
  if (parts === null) {
    if (draft.plain !== undefined) return false;
    draft.plain = value;
    return true;
  }
  const number = parts[2] === undefined ? 0 : Number(parts[2]);
  const extended = parts[2] === undefined || parts[3] === '*';
  draft.sections ??= new Map();
  if (draft.sections.has(number)) return false;
  draft.sections.set(number, { text: value, extended });
  return true;
}

/** The extended form wins over the plain one, which old readers were given beside it. */
function valueOf(name: string, draft: Draft): string | undefined {
  const { plain, sections } = draft;
  if (sections?.has(0) === true) return withoutControls(decodeSections(sections));
  if (plain === undefined) return undefined;
  const words = plain.includes('=?') && name !== 'boundary';
  return words ? decodeWords(plain) : withoutControls(unicodeOf(plain));
}

function rawBoundary(draft: Draft): string | undefined {
  if (draft.plain !== undefined) return draft.plain;
  if (draft.sections?.has(0) !== true) return undefined;
  const text = decodeSections(draft.sections);
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Sections 0, 1, 2 … up to the first that is missing; charset and language stand in the first. */
function decodeSections(sections: ReadonlyMap<number, Section>): string {
  const pieces: Uint8Array[] = [];
  let charset: string | undefined;
  for (let number = 0; ; number++) {
    const section = sections.get(number);
    if (section === undefined) break;
    let { text } = section;
    if (number === 0 && section.extended) {
      const first = text.indexOf("'");
      const second = first === -1 ? -1 : text.indexOf("'", first + 1);
      if (second !== -1) {
        charset = text.slice(0, first);
        text = text.slice(second + 1);
      }
    }
    pieces.push(section.extended ? percentDecoded(text) : fromLatin1(text));
  }
  return decodeCharset(charset, concat(pieces));
}

function percentDecoded(text: string): Uint8Array {
  const out = fromLatin1(text);
  if (!text.includes('%')) return out;
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const hex = text[at] === '%' ? text.slice(at + 1, at + 3) : '';
    const encoded = hex !== '' && /^[0-9A-Fa-f]{2}$/.test(hex);
    out[length++] = encoded ? Number.parseInt(hex, 16) : text.charCodeAt(at);
    if (encoded) at += 2;
  }
  return out.subarray(0, length);
}
