/** The third part of a notice: the message itself or its head, as far as it may go back. */

import { isAscii, isUtf8 } from 'node:buffer';
import { concat } from '#base/bytes.ts';
import {
  type ComposedPart,
  hasSoundLines,
  headersPart,
  leafPart,
  messagePart,
} from '#message/compose.ts';
import { readHead } from '#message/fields.ts';
import type { NoticeFacts, Original } from './facts.ts';

/** Fields that name recipients whom others were not to see (RFC 5322 3.6.3). */
const BLIND: ReadonlySet<string> = new Set(['bcc', 'resent-bcc']);

/**
 * The part, or undefined when there is nothing to return. A whole message goes back only where it
 * may travel as it is: message/rfc822 cannot be encoded (RFC 2046 5.2.1), so binary content and
 * lines that no server takes return the head alone. A head in UTF-8 becomes message/global and
 * message/global-headers (RFC 6533 4.2, 4.3), in 8 bits only where the way back is known to take
 * them (`wide`), else encoded, which these two allow (RFC 6533 4.5).
 */
export function returnedPart(facts: NoticeFacts, wide: boolean): ComposedPart | undefined {
  const { original, mail } = facts;
  if (original === undefined || original.head.length === 0) return undefined;
  const head = openHead(original);
  const { body } = original;
  const whole = body !== undefined && mail.envelope.body !== 'binarymime';
  const plain = isAscii(head);
  if (whole && hasSoundLines(head) && hasSoundLines(body) && (plain || isUtf8(head))) {
    const message = concat([head, body]);
    if (plain || wide) return messagePart(message);
    return leafPart(message, { type: 'message/global' });
  }
  const fields = withoutEmptyLine(head);
  if (plain || !isUtf8(head)) return headersPart(fields);
  return leafPart(fields, { type: 'message/global-headers' });
}

/** The head without blind recipients, and without a last field that was cut short. */
function openHead({ head, cut }: Original): Uint8Array {
  const { fields, headBytes } = readHead(head);
  const kept: Uint8Array[] = [];
  let from = 0;
  for (const [index, field] of fields.entries()) {
    const piece = cut && index === fields.length - 1;
    if (!piece && !BLIND.has(field.key)) continue;
    kept.push(head.subarray(from, field.start));
    from = field.end;
  }
  kept.push(head.subarray(from, headBytes));
  return concat(kept);
}

function withoutEmptyLine(head: Uint8Array): Uint8Array {
  const end = head.length;
  const blank = end >= 4 && head[end - 1] === 0x0a && head[end - 3] === 0x0a;
  return blank ? head.subarray(0, end - 2) : head;
}
