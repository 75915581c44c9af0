/** BODY and BODYSTRUCTURE as they go on the wire, with every extension field (RFC 3501 7.4.2). */

import { fromLatin1, utf8 } from '#base/bytes.ts';
import type { Part } from '#message/part.ts';
import { encodeRawText, encodeWords } from './encoded-word.ts';
import { envelopeText } from './envelope.ts';
import { formatNString, formatString } from './string.ts';

type Parameters = Part['parameters'];

/** What a multipart without parts and an unreadable message/rfc822 show: the grammar needs one. */
const EMPTY_BODY = '("text" "plain" NIL NIL NIL "7bit" 0 0)';
const EMPTY_STRUCTURE = '("text" "plain" NIL NIL NIL "7bit" 0 0 NIL NIL NIL NIL)';

/** The structure of a message, extension fields included, from `(` to `)`; 7-bit. */
export function formatBodyStructure(part: Part): Uint8Array {
  return fromLatin1(structureText(part, true));
}

/** The structure without extension fields: the FETCH item BODY. */
export function formatBody(part: Part): Uint8Array {
  return fromLatin1(structureText(part, false));
}

/** Walks with a stack of its own: parts nest as deep as a sender likes. */
function structureText(root: Part, extended: boolean): string {
  const pieces: string[] = [];
  const stack: (string | Part)[] = [root];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next === 'string') {
      pieces.push(next);
      continue;
    }
    const { before, children, after } = frame(next, next === root, extended);
    pieces.push(before);
    stack.push(after);
    for (const child of children.toReversed()) stack.push(child);
  }
  return pieces.join('');
}

/** Each octet as RFC 2231 7 writes it: `attribute-char` as it is. */
const PERCENT_OCTETS: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  if (/[A-Za-z0-9!#$&+.^_`{|}~-]/.test(character)) return character;
  return `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
});

interface Frame {
  readonly before: string;
  readonly children: readonly Part[];
  readonly after: string;
}

function frame(part: Part, isRoot: boolean, extended: boolean): Frame {
  const empty = extended ? EMPTY_STRUCTURE : EMPTY_BODY;
  const rest = extended ? extension(part) : '';
  if (part.type === 'multipart') {
    const subtype = formatString(token(part.subtype));
    const after = extended
      ? ` ${subtype} ${parameterList(part.parameters)}${rest})`
      : ` ${subtype})`;
    const none = part.children.length === 0;
    return { before: none ? `(${empty}` : '(', children: part.children, after };
  }
  const fields = basicFields(part);
  const md5 = extended ? ` ${rawText(part.md5)}${rest}` : '';
  if (part.type === 'message' && part.subtype === 'rfc822') {
    const [inner] = part.children;
    const envelope = inner?.envelope ?? (isRoot ? undefined : part.envelope);
    const before = `(${fields} ${envelopeText(envelope)} ${inner === undefined ? empty : ''}`;
    const children = inner === undefined ? [] : [inner];
    return { before, children, after: ` ${part.bodyLines}${md5})` };
  }
  const lines = part.type === 'text' ? ` ${part.bodyLines}` : '';
  return { before: `(${fields}${lines}${md5}`, children: [], after: ')' };
}

/** Type, subtype, parameters, id, description, encoding, octets. */
function basicFields(part: Part): string {
  const media = `${formatString(token(part.type))} ${formatString(token(part.subtype))}`;
  const about = `${rawText(part.id)} ${rawText(part.description)}`;
  const encoding = formatString(token(part.encoding));
  return `${media} ${parameterList(part.parameters)} ${about} ${encoding} ${part.bodyBytes}`;
}

/** Disposition, language, location; the Gmail app needs them all to be there. */
function extension(part: Part): string {
  const { disposition, languages, location } = part;
  const how =
    disposition === undefined
      ? 'NIL'
      : `(${formatString(token(disposition.value))} ${parameterList(disposition.parameters)})`;
  return ` ${how} ${languageList(languages)} ${rawText(location)}`;
}

function languageList(languages: readonly string[]): string {
  const [only] = languages;
  if (only === undefined) return 'NIL';
  const texts = languages.map((language) => formatString(encodeWords(language)));
  return languages.length === 1 ? formatString(encodeWords(only)) : `(${texts.join(' ')})`;
}

/** What is not ASCII goes out in RFC 2231 form, with the `*` on the name. */
function parameterList(parameters: Parameters): string {
  if (parameters.length === 0) return 'NIL';
  return `(${parameters.map(([name, value]) => parameter(token(name), value)).join(' ')})`;
}

function parameter(name: string, value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return `${formatString(name)} ${formatString(value)}`;
  return `${formatString(`${name}*`)} ${formatString(`utf-8''${percentEncode(value)}`)}`;
}

function percentEncode(value: string): string {
  return Array.from(utf8(value), (octet) => PERCENT_OCTETS[octet]).join('');
}

/** A name that should be a token: what is no printable ASCII in it is shown as `?`. */
function token(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '?');
}

/** Ids and descriptions: decoded or raw, they leave as encoded words when they are not ASCII. */
function rawText(text: string | undefined): string {
  if (text === undefined) return formatNString(text);
  return formatString(/[^\x00-\xff]/.test(text) ? encodeWords(text) : encodeRawText(text));
}
