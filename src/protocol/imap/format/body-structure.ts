/** BODY and BODYSTRUCTURE as they go on the wire, with every extension field (RFC 3501 7.4.2). */

import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import type { Part } from '#message/part.ts';
import { encodeRawText, encodeWords } from './encoded-word.ts';
import { envelopeText } from './envelope.ts';
import { formatString } from './string.ts';

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
  const words = new Words();
  const stack: (string | Part)[] = [root];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next === 'string') {
      pieces.push(next);
      continue;
    }
    const { before, children, after } = frame(next, next === root, extended, words);
    pieces.push(before);
    stack.push(after);
    for (const child of children.toReversed()) stack.push(child);
  }
  return pieces.join('');
}

const HEX = '0123456789ABCDEF';
/** RFC 2231 7 `attribute-char`. */
const ATTRIBUTE_OCTETS = Uint8Array.from({ length: 256 }, (_, octet) =>
  /[A-Za-z0-9!#$&+.^_`{|}~-]/.test(String.fromCharCode(octet)) ? 1 : 0,
);

interface Frame {
  readonly before: string;
  readonly children: readonly Part[];
  readonly after: string;
}

function frame(part: Part, isRoot: boolean, extended: boolean, words: Words): Frame {
  const empty = extended ? EMPTY_STRUCTURE : EMPTY_BODY;
  const rest = extended ? extension(part, words) : '';
  if (part.type === 'multipart') {
    const subtype = words.token(part.subtype);
    const after = extended
      ? ` ${subtype} ${parameterList(part.parameters)}${rest})`
      : ` ${subtype})`;
    const none = part.children.length === 0;
    return { before: none ? `(${empty}` : '(', children: part.children, after };
  }
  const fields = basicFields(part, words);
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
function basicFields(part: Part, words: Words): string {
  const media = `${words.token(part.type)} ${words.token(part.subtype)}`;
  const about = `${rawText(part.id)} ${rawText(part.description)}`;
  const encoding = words.token(part.encoding);
  return `${media} ${parameterList(part.parameters)} ${about} ${encoding} ${part.bodyBytes}`;
}

/** Disposition, language, location; the Gmail app needs them all to be there. */
function extension(part: Part, words: Words): string {
  const { disposition, languages, location } = part;
  const how =
    disposition === undefined
      ? 'NIL'
      : `(${words.token(disposition.value)} ${parameterList(disposition.parameters)})`;
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
  const octets = utf8(value);
  const out = new Uint8Array(octets.length * 3);
  let length = 0;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at] ?? 0;
    if (ATTRIBUTE_OCTETS[octet] === 1) out[length++] = octet;
    else {
      out[length++] = 0x25;
      out[length++] = HEX.charCodeAt(octet >> 4);
      out[length++] = HEX.charCodeAt(octet & 15);
    }
  }
  return latin1(out.subarray(0, length));
}

/** The same few tokens stand in thousands of parts: each is formatted once. */
class Words {
  readonly #known = new Map<string, string>();

  token(text: string): string {
    let formatted = this.#known.get(text);
    if (formatted === undefined) {
      formatted = formatString(token(text));
      this.#known.set(text, formatted);
    }
    return formatted;
  }
}

/** A name that should be a token: what is no printable ASCII in it is shown as `?`. */
function token(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '?');
}

/** Ids and descriptions: decoded or raw, they leave as encoded words when they are not ASCII. */
function rawText(text: string | undefined): string {
  if (text === undefined) return 'NIL';
  return formatString(/[^\x00-\xff]/.test(text) ? encodeWords(text) : encodeRawText(text));
}
