/** Octets of any charset to Unicode: what is unknown or broken is shown, never thrown. */

import { isUtf8 } from 'node:buffer';
import { asBuffer, fromLatin1 } from '#base/bytes.ts';

const LABEL_LENGTH = 64;
const HIGH = /[\x80-\xff]/;
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/;
const BOM = 0xfeff;

/**
 * Text of octets in a charset named by a label (RFC 2045, WHATWG names). A missing or ASCII label
 * means UTF-8 if it is that, else windows-1252, as people really send. Labels that nobody should
 * decode any more (utf-7, which hides markup) or that are unknown: UTF-8 if it is that, else
 * latin1. Ill-formed octets become U+FFFD.
 */
export function decodeCharset(label: string | undefined, bytes: Uint8Array): string {
  const name =
    label === undefined
      ? ''
      : label
          .slice(0, LABEL_LENGTH + 1)
          .trim()
          .toLowerCase();
  if (name === 'utf-8' || name === 'utf8') return utf8Text(bytes);
  if (name === '' || name === 'us-ascii' || name === 'ascii') {
    return isUtf8(bytes) ? utf8Text(bytes) : decodeBy('windows-1252', bytes);
  }
  return decodeBy(name, bytes);
}

/** Whether octets of this charset can be told apart from octets of others. */
export function isKnownCharset(label: string): boolean {
  return newDecoder(label.trim().toLowerCase()) !== undefined;
}

/** UTF-8 octets to text, ill-formed ones as U+FFFD, a byte order mark taken away. */
export function utf8Text(bytes: Uint8Array): string {
  const text = asBuffer(bytes).toString('utf8');
  return text.charCodeAt(0) === BOM ? text.slice(1) : text;
}

/** Raw header text (octets as latin1) to Unicode: UTF-8 (RFC 6532), the rest as U+FFFD. */
export function unicodeOf(raw: string): string {
  return HIGH.test(raw) ? utf8Text(fromLatin1(raw)) : raw;
}

/** Text for one line of display: control characters as spaces, NUL and DEL as U+FFFD. */
export function withoutControls(text: string): string {
  if (!CONTROLS.test(text)) return text;
  return text.replace(/[\x00\x7f]/g, '\ufffd').replace(/[\x01-\x1f]/g, ' ');
}

/** Runs of white space as one space, none at the ends. */
export function foldSpace(text: string): string {
  return /[\t\r\n\f\v]|  |^ | $/.test(text) ? text.replace(/[ \t\r\n\f\v]+/g, ' ').trim() : text;
}

function decodeBy(name: string, bytes: Uint8Array): string {
  const decoder = newDecoder(name);
  if (decoder !== undefined) return decoder.decode(bytes);
  return isUtf8(bytes) ? utf8Text(bytes) : asBuffer(bytes).toString('latin1');
}

function newDecoder(name: string): TextDecoder | undefined {
  if (name === '' || name.length > LABEL_LENGTH) return undefined;
  try {
    return new TextDecoder(name);
  } catch {
    return undefined;
  }
}
