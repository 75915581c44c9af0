/** Mail of our own: heads, leaf parts and multiparts that fit any SMTP line (RFC 2045, 2046). */

import { concat, utf8 } from '#base/bytes.ts';
import { invariant } from '#base/failure.ts';
import { isAscii, isUtf8 } from 'node:buffer';
import { splitMessage } from './edit.ts';
import { type FieldText, formatStructured } from './field-text.ts';
import { encodeBase64, encodeQuotedPrintable } from './transfer.ts';

/** A body part, ready to be put into a multipart or to be the body of a message. */
export interface ComposedPart {
  /** Its Content fields. */
  readonly fields: readonly FieldText[];
  readonly body: Uint8Array;
  /** Whether octets above 127 stand in it: a multipart around it is 8bit too (RFC 2045 6.4). */
  readonly eightBit: boolean;
}

/** A message: `head` ends with the empty line. */
export interface ComposedMessage {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly eightBit: boolean;
}

export interface LeafOptions {
  /** `text/plain`, `application/pdf` … */
  readonly type: string;
  readonly parameters?: readonly (readonly [name: string, value: string])[];
  readonly disposition?: {
    readonly value: 'inline' | 'attachment';
    readonly parameters?: readonly (readonly [name: string, value: string])[];
  };
  readonly description?: string;
}

const LINE_OCTETS = 998;
const BOUNDARY_RANDOM_BYTES = 12;
const VALUE_CHARACTERS = 60;

/** The whole message: its own fields, MIME-Version, the part's fields, the empty line. */
export function composeMessage(fields: readonly FieldText[], part: ComposedPart): ComposedMessage {
  const version = formatStructured('MIME-Version', '1.0');
  const head = utf8([...fields, version, ...part.fields, '\r\n'].join(''));
  return { head, body: part.body, eightBit: part.eightBit };
}

/** Text (UTF-8, lines ended by CRLF; other line ends are repaired) as a part, always 7 bit. */
export function textPart(text: string, subtype = 'plain'): ComposedPart {
  const lines = text
    .toWellFormed()
    .replace(/\r\n|\r|\n/g, '\r\n')
    .replaceAll('\0', '\ufffd');
  const ascii = !/[^\x00-\x7f]/.test(lines);
  const parameters = [['charset', ascii ? 'us-ascii' : 'utf-8']] as const;
  return leafPart(utf8(lines), { type: `text/${subtype}`, parameters });
}

/** Octets as a part: as they are if every SMTP server takes them, else encoded. */
export function leafPart(octets: Uint8Array, options: LeafOptions): ComposedPart {
  const { description, disposition, type, parameters = [] } = options;
  const isText = type.startsWith('text/') || type.startsWith('message/');
  const encoding = isSevenBit(octets) ? '7bit' : isText ? 'quoted-printable' : 'base64';
  const fields = [contentType(type, parameters)];
  if (description !== undefined) fields.push(formatStructured('Content-Description', description));
  fields.push(formatStructured('Content-Transfer-Encoding', encoding));
  if (disposition !== undefined) {
    const value = withParameters(disposition.value, disposition.parameters ?? []);
    fields.push(formatStructured('Content-Disposition', value));
  }
  let body = octets;
  if (encoding === 'quoted-printable') body = encodeQuotedPrintable(octets);
  else if (encoding === 'base64') body = encodeBase64(octets);
  return { fields, body, eightBit: false };
}

/**
 * A message as a part. It must not be encoded (RFC 2046 5.2.1), so 8-bit octets make the part
 * 8bit, a UTF-8 head makes it message/global (RFC 6532 3.7), and a message with lines over 998
 * octets, NUL or bare CR and LF becomes an octet-stream in base64 named `message.eml`.
 */
export function messagePart(message: Uint8Array): ComposedPart {
  if (!hasSoundLines(message)) {
    return leafPart(message, {
      type: 'application/octet-stream',
      disposition: { value: 'attachment', parameters: [['filename', 'message.eml']] },
    });
  }
  const { head } = splitMessage(message);
  const subtype = isAscii(head) || !isUtf8(head) ? 'rfc822' : 'global';
  const eightBit = !isAscii(message);
  const fields = [contentType(`message/${subtype}`, []), encodingField(eightBit)];
  return { fields, body: message, eightBit };
}

/** The head of a message as a part, text/rfc822-headers (RFC 6522 4); long lines are encoded. */
export function headersPart(head: Uint8Array): ComposedPart {
  return leafPart(head, { type: 'text/rfc822-headers' });
}

/**
 * Parts between boundaries. The boundary is made of `random` (at least 12 octets that nobody can
 * foresee) and of `=_`, which no quoted-printable or base64 line can hold.
 */
export function multipart(
  subtype: string,
  parts: readonly ComposedPart[],
  random: Uint8Array,
  parameters: readonly (readonly [name: string, value: string])[] = [],
): ComposedPart {
  invariant(parts.length > 0, 'a multipart has parts');
  invariant(random.length >= BOUNDARY_RANDOM_BYTES, 'a boundary cannot be guessed');
  const boundary = `=_${Buffer.from(random.subarray(0, 24)).toString('hex')}`;
  const eightBit = parts.some((part) => part.eightBit);
  const pieces: Uint8Array[] = [];
  for (const part of parts) {
    pieces.push(utf8(`--${boundary}\r\n${part.fields.join('')}\r\n`), part.body, utf8('\r\n'));
  }
  pieces.push(utf8(`--${boundary}--\r\n`));
  const type = contentType(`multipart/${subtype}`, [...parameters, ['boundary', boundary]]);
  return { fields: [type, encodingField(eightBit)], body: concat(pieces), eightBit };
}

/**
 * A report (RFC 6522): words for people, the same for programs, and what it is about (the message,
 * its head, or nothing).
 */
export function reportPart(
  report: {
    /** `delivery-status`, `disposition-notification` … */
    readonly type: string;
    readonly human: ComposedPart;
    readonly machine: ComposedPart;
    readonly about?: ComposedPart | undefined;
  },
  random: Uint8Array,
): ComposedPart {
  const { human, machine, about } = report;
  const parts = about === undefined ? [human, machine] : [human, machine, about];
  return multipart('report', parts, random, [['report-type', report.type]]);
}

/** Blocks of fields (RFC 3464 2.1), an empty line between them; nothing is encoded. */
export function fieldBlocks(blocks: readonly (readonly FieldText[])[]): Uint8Array {
  return utf8(blocks.map((block) => block.join('')).join('\r\n'));
}

/** Whether octets can go anywhere as they are: ASCII, lines of at most 998, CRLF only, no NUL. */
export function isSevenBit(octets: Uint8Array): boolean {
  return isAscii(octets) && hasSoundLines(octets);
}

/** Lines of at most 998 octets, every CR before LF and every LF after CR, no NUL (RFC 2045 2.8). */
export function hasSoundLines(octets: Uint8Array): boolean {
  if (octets.includes(0)) return false;
  let start = 0;
  for (;;) {
    const lf = octets.indexOf(0x0a, start);
    const cr = octets.indexOf(0x0d, start);
    const stop = lf === -1 ? octets.length : lf - 1;
    if (stop - start > LINE_OCTETS) return false;
    if (lf === -1) return cr === -1;
    if (cr === -1 || cr !== stop) return false;
    start = lf + 1;
  }
}

function contentType(
  type: string,
  parameters: readonly (readonly [name: string, value: string])[],
): FieldText {
  return formatStructured('Content-Type', withParameters(type, parameters));
}

function encodingField(eightBit: boolean): FieldText {
  return formatStructured('Content-Transfer-Encoding', eightBit ? '8bit' : '7bit');
}

/** `value; name=token; name="quoted"; name*0*=utf-8''...` (RFC 2231 for all that is not ASCII). */
export function withParameters(
  value: string,
  parameters: readonly (readonly [name: string, value: string])[],
): string {
  return [value, ...parameters.flatMap(([name, text]) => formatParameter(name, text))].join('; ');
}

function formatParameter(name: string, value: string): string[] {
  if (/^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,60}$/.test(value)) return [`${name}=${value}`];
  if (/^[ -~]*$/.test(value) && value.length <= VALUE_CHARACTERS && !/^ | $| {2}/.test(value)) {
    return [`${name}="${value.replace(/[\\"]/g, '\\$&')}"`];
  }
  const pieces: string[] = [];
  let piece = "utf-8''";
  for (const octet of utf8(value.toWellFormed())) {
    const character = String.fromCharCode(octet);
    const plain = /[A-Za-z0-9.!#&+^_`{|}~-]/.test(character);
    piece += plain ? character : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
    if (piece.length < VALUE_CHARACTERS) continue;
    pieces.push(piece);
    piece = '';
  }
  if (pieces.length === 0) return [`${name}*=${piece}`];
  if (piece !== '') pieces.push(piece);
  return pieces.map((text, number) => `${name}*${number}*=${text}`);
}
