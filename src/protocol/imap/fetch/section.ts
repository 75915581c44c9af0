/** Where a BODY[section] lies in a message: octet ranges from the tree of parts (RFC 3501 6.4.5). */

import { CR, LF, latin1 } from '#base/bytes.ts';
import type { Part } from '#message/part.ts';
import type { MessageDetail } from '#store/mail.ts';
import type { Section } from './items.ts';

export interface Span {
  readonly from: number;
  readonly length: number;
}

/** Whether the tree of parts is needed to find it. */
export function needsParts(section: Section): boolean {
  return section.path.length > 0;
}

/** The octets of a section (its whole header for header fields); undefined: no such part. */
export function locate(
  section: Section,
  message: MessageDetail,
  root: Part | undefined,
): Span | undefined {
  const { headBytes, sizeBytes } = message;
  if (section.path.length === 0) {
    switch (section.what) {
      case 'all':
        return { from: 0, length: sizeBytes };
      case 'text':
        return { from: headBytes, length: Math.max(0, sizeBytes - headBytes) };
      default:
        return { from: 0, length: headBytes };
    }
  }
  const part = root === undefined ? undefined : findPart(root, section.path);
  if (part === undefined) return undefined;
  switch (section.what) {
    case 'all':
      return { from: part.bodyStart, length: part.bodyBytes };
    case 'mime':
      return { from: part.headStart, length: part.headBytes };
    default:
      return inner(part, section.what);
  }
}

/** HEADER and TEXT of a part are those of the message inside it; other parts have none. */
function inner(part: Part, what: Section['what']): Span | undefined {
  const [message] = isMessage(part) ? part.children : [];
  if (message === undefined) return undefined;
  return what === 'text'
    ? { from: message.bodyStart, length: message.bodyBytes }
    : { from: message.headStart, length: message.headBytes };
}

/**
 * The part that a path names. In a message that is no multipart, 1 is its body; a
 * message/rfc822 part is entered without a number of its own.
 */
function findPart(root: Part, path: readonly number[]): Part | undefined {
  let part: Part | undefined = root;
  let asMessage = true;
  for (const number of path) {
    if (part !== undefined && !asMessage && isMessage(part)) {
      [part] = part.children;
      asMessage = true;
    }
    if (part === undefined) return undefined;
    if (part.type === 'multipart') part = part.children[number - 1];
    else part = asMessage && number === 1 ? part : undefined;
    asMessage = false;
  }
  return part;
}

function isMessage(part: Part): boolean {
  return part.type === 'message' && part.subtype === 'rfc822';
}

/** Whether it is the head of the message, or some fields of it. */
export function isHead(section: Section): boolean {
  return section.path.length === 0 && section.what !== 'all' && section.what !== 'text';
}

/** From a header its fields that are (not) named, folded lines and the empty line included. */
export type PickFields = (head: Uint8Array) => string;

/**
 * What picks the fields that a section names: made once for thousands of headers. Octets come out
 * as latin1.
 */
export function fieldPicker({ names, what }: Section): PickFields {
  const wanted = what === 'fields';
  // Most fields begin with another letter than those that are named.
  const initials = new Uint8Array(256);
  for (const name of names) initials[name.charCodeAt(0) | CASE] = 1;
  return (head) => {
    const text = latin1(head);
    let kept = '';
    let keep = false;
    for (let at = 0; at < text.length;) {
      const end = text.indexOf('\n', at);
      const next = end < 0 ? text.length : end + 1;
      const first = text.charCodeAt(at);
      if (first === CR || first === LF) break;
      if (first !== SPACE && first !== TAB) {
        const mayBe = initials[first | CASE] === 1;
        const name = mayBe || !wanted ? fieldName(text.slice(at, next)) : undefined;
        keep = name !== undefined && names.has(name) === wanted;
      }
      if (keep) kept += text.slice(at, next);
      at = next;
    }
    return `${kept}\r\n`;
  };
}

/** RFC 5322 4.5: white space before the colon, as old writers put it; undefined: no field. */
function fieldName(line: string): string | undefined {
  const colon = line.indexOf(':');
  return colon < 0 ? undefined : line.slice(0, colon).trimEnd().toLowerCase();
}

const SPACE = 0x20;
const TAB = 0x09;
/** The bit in which small letters differ from large ones. */
const CASE = 0x20;
