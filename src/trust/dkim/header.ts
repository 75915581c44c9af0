/** The header in the two forms that are signed (RFC 6376 3.4.1, 3.4.2), and which fields h= means. */

import { latin1 } from '#base/bytes.ts';
import { type Field, type Head, readHead, trimBlanks } from '#message/fields.ts';

export type Canon = 'simple' | 'relaxed';

/** A header block, indexed for several signatures; texts are octets as latin1. */
export class SignedHead {
  readonly head: Head;
  readonly #bytes: Uint8Array;
  readonly #byKey = new Map<string, Field[]>();
  readonly #relaxed = new Map<Field, string>();

  constructor(bytes: Uint8Array, head: Head = readHead(bytes)) {
    this.head = head;
    this.#bytes = bytes;
    for (const field of head.fields) {
      const same = this.#byKey.get(field.key);
      if (same === undefined) this.#byKey.set(field.key, [field]);
      else same.push(field);
    }
  }

  /** All fields of a name in lower case, top to bottom. */
  named(key: string): readonly Field[] {
    return this.#byKey.get(key) ?? [];
  }

  /**
   * The fields that `h=` names, in its order, each ended by CRLF: a name that comes again means
   * the next field upwards, one without a field means nothing (RFC 6376 5.4.2, 3.7). `except` is
   * the signature's own field, which was not there when it was made.
   */
  covered(names: readonly string[], canon: Canon, except?: Field): string {
    const left = new Map<string, number>();
    const pieces: string[] = [];
    for (const name of names) {
      const key = name.toLowerCase();
      const fields = this.named(key);
      let at = (left.get(key) ?? fields.length) - 1;
      if (at >= 0 && fields[at] === except) at--;
      left.set(key, Math.max(at, 0));
      const field = fields[at];
      if (field !== undefined) pieces.push(this.canonical(field, canon));
    }
    return pieces.join('');
  }

  /** One field with its CRLF. */
  canonical(field: Field, canon: Canon): string {
    if (canon === 'simple') return this.#simple(field);
    let text = this.#relaxed.get(field);
    if (text === undefined) {
      text = `${field.key}:${squeeze(field.value)}\r\n`;
      this.#relaxed.set(field, text);
    }
    return text;
  }

  /** A signature's own field with the value of `b=` cut out, without its CRLF (RFC 6376 3.7). */
  emptied(field: Field, b: { readonly start: number; readonly end: number }, canon: Canon): string {
    const raw = field.raw.slice(0, b.start) + field.raw.slice(b.end);
    if (canon === 'relaxed') return relaxField(field.key, raw);
    return latin1(this.#bytes.subarray(field.start, field.valueStart)) + raw;
  }

  #simple(field: Field): string {
    const text = latin1(this.#bytes.subarray(field.start, field.end));
    return text.endsWith('\r\n') ? text : `${text}\r\n`;
  }
}

/** A field in relaxed form, without a CRLF: `key` in lower case, `raw` all after the colon. */
export function relaxField(key: string, raw: string): string {
  return `${key}:${squeeze(trimBlanks(raw.replace(/\r?\n/g, '')))}`;
}

function squeeze(value: string): string {
  return value.replace(/[ \t]+/g, ' ');
}
