/** Where a BODY[section] lies in a message: octet ranges from the tree of parts (RFC 3501 6.4.5). */

import type { Part } from '#message/part.ts';
import type { MessageDetail } from '#store/mail.ts';
import type { Section } from './items.ts';

export interface Span {
  readonly from: number;
  readonly length: number;
}

/** What a partial leaves of a span. */
export function cut(
  span: Span,
  partial: { readonly from: number; readonly length: number } | undefined,
): Span {
  if (partial === undefined) return span;
  const skipped = Math.min(partial.from, span.length);
  return { from: span.from + skipped, length: Math.min(partial.length, span.length - skipped) };
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
