/** Literals of FETCH whose octets are all there: ` {n}`, a line end, and the octets. */

import { concat, utf8 } from '#base/bytes.ts';
import type { Output } from '../output.ts';
import type { SectionItem } from './plan.ts';
import { cut } from './section.ts';

/** What stands before the octets. */
export function writeLength(out: Output, length: number): void {
  out.text(' {');
  out.number(length);
  out.text('}\r\n');
}

/** Fields of a header, where `spans` says that they lie, and the empty line; cut as was asked. */
export function writeFields(
  out: Output,
  head: Uint8Array,
  spans: readonly number[],
  partial: SectionItem['partial'],
): void {
  if (partial !== undefined) {
    writePartOf(out, [...piecesOf(head, spans), EMPTY_LINE], partial);
    return;
  }
  let length = EMPTY_LINE.length;
  for (let at = 0; at < spans.length; at += 2) length += (spans[at + 1] ?? 0) - (spans[at] ?? 0);
  writeLength(out, length);
  for (let at = 0; at < spans.length; at += 2) out.copy(head, spans[at] ?? 0, spans[at + 1] ?? 0);
  out.text('\r\n');
}

const EMPTY_LINE = utf8('\r\n');

function piecesOf(head: Uint8Array, spans: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < spans.length; at += 2) pieces.push(head.subarray(spans[at], spans[at + 1]));
  return pieces;
}

function writePartOf(
  out: Output,
  pieces: readonly Uint8Array[],
  partial: NonNullable<SectionItem['partial']>,
): void {
  const fields = concat(pieces);
  const { from, length } = cut({ from: 0, length: fields.length }, partial);
  writeLength(out, length);
  out.copy(fields, from, from + length);
}
