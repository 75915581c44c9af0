/** Where gateways put lines into a message: on top of its text and below it, in every text part. */

import { LF, asBuffer } from '#base/bytes.ts';
import { readStructure } from '#message/scanner.ts';
import { walkParts } from '#message/tree.ts';

/** Octets of the body, from the first to before the second, that somebody may have put there. */
export interface Insertion {
  readonly from: number;
  readonly to: number;
  readonly where: 'on top' | 'at the end of a part';
}

/** Lines that a warning or a footer may have. */
const LINES = 30;
const PARTS = 4;

/** Likely ones first, some hundred at most. `head` with its empty line. */
export function insertions(head: Uint8Array, body: Uint8Array): readonly Insertion[] {
  const { root } = readStructure([head, body]);
  const texts = [...walkParts(root)].filter(({ type }) => type === 'text').slice(0, PARTS);
  const found: Insertion[] = [];
  for (const { bodyStart, bodyBytes } of texts) {
    const [start, end] = [bodyStart - head.length, bodyStart - head.length + bodyBytes];
    for (const to of lineStarts(body, start, end)) found.push({ from: start, to, where: 'on top' });
    // The last line end belongs to the boundary (RFC 2046 5.1.1): so the one before goes too.
    for (const at of lastLineStarts(body, start, end)) {
      found.push({ from: at, to: end, where: 'at the end of a part' });
      found.push({ from: at - 2, to: end, where: 'at the end of a part' });
    }
  }
  return found.filter(({ from, to }) => from >= 0 && to > from);
}

/** The first starts of lines behind `from`, up to `end`. */
function lineStarts(body: Uint8Array, from: number, end: number): number[] {
  const starts: number[] = [];
  const buffer = asBuffer(body);
  let at = from;
  while (starts.length < LINES) {
    const lf = buffer.indexOf(LF, at);
    if (lf === -1 || lf + 1 > end) break;
    starts.push((at = lf + 1));
  }
  return starts;
}

/** The last starts of lines before `end`, down to `from`. */
function lastLineStarts(body: Uint8Array, from: number, end: number): number[] {
  const starts: number[] = [];
  const buffer = asBuffer(body);
  let at = end - 1;
  while (starts.length < LINES && at > from) {
    const lf = buffer.lastIndexOf(LF, at - 1);
    if (lf < from) break;
    starts.push(lf + 1);
    at = lf;
  }
  return starts;
}
