/** The FETCH items that a row of the mailbox answers by itself (RFC 3501 7.4.2). */

import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { decodeParts } from '#message/tree.ts';
import type { Detail, MessageSummary, SummaryPart } from '#store/mail.ts';
import { formatBody } from '../format/body-structure.ts';
import { envelopeText } from '../format/envelope.ts';
import type { Output } from '../output.ts';
import { formatDateTime } from '../syntax/date.ts';

/** Flags in parentheses. */
export function formatFlags(flags: readonly string[]): string {
  return `(${flags.join(' ')})`;
}

/** What attributes are made of: of whole rows and of summaries alike. */
export interface Shown extends Pick<
  MessageSummary,
  'uid' | 'modSeq' | 'flags' | 'internalDateMs' | 'sizeBytes'
> {
  readonly envelope?: string;
  readonly bodyStructure?: string;
  readonly parts?: string;
}

export interface Attribute {
  /** What a summary has to bring along for it. */
  readonly part?: SummaryPart;
  /** What the reader of whole rows has to bring along for it. */
  readonly detail?: Detail;
  write(out: Output, row: Shown): void;
}

/** By the name of the item; what a row cannot say by itself is in section.ts. */
export const ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map<string, Attribute>([
  ['FLAGS', { part: 'flags', write: (out, row) => writeFlags(out, row.flags) }],
  ['MODSEQ', { part: 'modSeq', write: (out, row) => writeModSeq(out, row.modSeq) }],
  ['UID', { write: (out, row) => writeNumber(out, 'UID ', row.uid) }],
  [
    'INTERNALDATE',
    {
      part: 'internalDate',
      write: (out, row) => writeText(out, 'INTERNALDATE ', formatDateTime(row.internalDateMs)),
    },
  ],
  [
    'RFC822.SIZE',
    { part: 'size', write: (out, row) => writeNumber(out, 'RFC822.SIZE ', row.sizeBytes) },
  ],
  [
    'ENVELOPE',
    {
      part: 'envelope',
      detail: 'envelope',
      write: (out, row) => writeText(out, 'ENVELOPE ', row.envelope || envelopeText(undefined)),
    },
  ],
  [
    'BODYSTRUCTURE',
    {
      part: 'bodyStructure',
      detail: 'bodyStructure',
      write: (out, row) => writeText(out, 'BODYSTRUCTURE ', row.bodyStructure || UNKNOWN_STRUCTURE),
    },
  ],
  ['BODY', { detail: 'parts', write: (out, row) => writeText(out, 'BODY ', body(row.parts)) }],
]);

/** One after another; returns what has to stand before whatever follows them. */
export function writeAttributes(
  out: Output,
  attributes: readonly Attribute[],
  row: Shown,
): '' | ' ' {
  let separator: '' | ' ' = '';
  for (const attribute of attributes) {
    out.text(separator);
    attribute.write(out, row);
    separator = ' ';
  }
  return separator;
}

/** `FLAGS (...)`. */
export function writeFlags(out: Output, flags: readonly string[]): void {
  if (flags.length === 0) {
    out.text('FLAGS ()');
    return;
  }
  out.text('FLAGS (');
  let separator = '';
  for (const flag of flags) {
    out.text(separator);
    out.text(flag);
    separator = ' ';
  }
  out.text(')');
}

/** `MODSEQ (n)`. */
export function writeModSeq(out: Output, modSeq: number): void {
  writeNumber(out, 'MODSEQ (', modSeq);
  out.text(')');
}

/** What a message shows whose structure is not there: it must be a structure (RFC 3501 9). */
const UNKNOWN_STRUCTURE = '("text" "plain" NIL NIL NIL "7bit" 0 0 NIL NIL NIL NIL)';
const UNKNOWN_BODY = '("text" "plain" NIL NIL NIL "7bit" 0 0)';

function writeNumber(out: Output, name: string, value: number): void {
  out.text(name);
  out.number(value);
}

function writeText(out: Output, name: string, value: string): void {
  out.text(name);
  out.text(value);
}

function body(parts: string | undefined): string {
  if (parts === undefined) return UNKNOWN_BODY;
  try {
    return latin1(formatBody(decodeParts(parts)));
  } catch (thrown) {
    if (thrown instanceof Failure) return UNKNOWN_BODY;
    throw thrown;
  }
}
