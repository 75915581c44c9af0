/** A body with its encoded text parts decoded: what a sender may have signed before re-encoding. */

import { concat, fromLatin1, latin1 } from '#base/bytes.ts';
import type { Part } from '#message/part.ts';
import { readStructure } from '#message/scanner.ts';
import { decodeTransfer } from '#message/transfer.ts';
import { walkParts } from '#message/tree.ts';

const FIELD = /^(content-transfer-encoding:[ \t]*)[\w-]+/im;

/**
 * The body with every text part of an encoding as its octets, and `8bit` in the fields of inner
 * parts; undefined if there is no such part. `head` with its empty line.
 */
export function leaves(
  head: Uint8Array,
  body: Uint8Array,
  encoding: 'quoted-printable' | 'base64',
): Uint8Array | undefined {
  const whole = concat([head, body]);
  const { root } = readStructure([head, body]);
  const found = [...walkParts(root)]
    .filter((part) => part.type === 'text' && part.encoding === encoding)
    .sort((a, b) => a.headStart - b.headStart);
  if (found.length === 0) return undefined;
  const pieces: Uint8Array[] = [];
  let done = head.length;
  for (const part of found) {
    if (part.headStart >= head.length) {
      pieces.push(whole.subarray(done, part.headStart), innerHead(whole, part));
    } else pieces.push(whole.subarray(done, part.bodyStart));
    const end = part.bodyStart + part.bodyBytes;
    pieces.push(decodeTransfer(encoding, whole.subarray(part.bodyStart, end)).bytes);
    done = end;
  }
  pieces.push(whole.subarray(done));
  return concat(pieces);
}

function innerHead(whole: Uint8Array, part: Part): Uint8Array {
  const text = latin1(whole.subarray(part.headStart, part.bodyStart));
  return fromLatin1(text.replace(FIELD, (_, name: string) => `${name}8bit`));
}
