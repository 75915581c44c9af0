/** The FETCH items that a row of the mailbox answers by itself (RFC 3501 7.4.2). */

import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { decodeParts } from '#message/tree.ts';
import type { Detail, MessageDetail, MessageFlags } from '#store/mail.ts';
import { formatBody } from '../format/body-structure.ts';
import { envelopeText } from '../format/envelope.ts';
import { formatDateTime } from '../syntax/date.ts';

/** Flags in parentheses. */
export function formatFlags(flags: readonly string[]): string {
  return `(${flags.join(' ')})`;
}

export interface Attribute {
  /** What the reader has to bring along for it. */
  readonly detail?: Detail;
  format(row: MessageDetail): string;
}

/** What a row of flags alone can say. */
export const FLAG_ATTRIBUTES: ReadonlyMap<string, (row: MessageFlags) => string> = new Map([
  ['FLAGS', (row: MessageFlags) => `FLAGS ${formatFlags(row.flags)}`],
  ['MODSEQ', (row: MessageFlags) => `MODSEQ (${row.modSeq})`],
  ['UID', (row: MessageFlags) => `UID ${row.uid}`],
]);

/** By the name of the item; what a row cannot say by itself is in section.ts. */
export const ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map<string, Attribute>([
  ...[...FLAG_ATTRIBUTES].map(([name, format]) => [name, { format }] as const),
  ['INTERNALDATE', { format: (row) => `INTERNALDATE ${formatDateTime(row.internalDateMs)}` }],
  ['RFC822.SIZE', { format: (row) => `RFC822.SIZE ${row.sizeBytes}` }],
  [
    'ENVELOPE',
    {
      detail: 'envelope',
      format: (row) => `ENVELOPE ${wire(row.envelope) ?? envelopeText(undefined)}`,
    },
  ],
  [
    'BODYSTRUCTURE',
    {
      detail: 'bodyStructure',
      format: (row) => `BODYSTRUCTURE ${wire(row.bodyStructure) ?? UNKNOWN_STRUCTURE}`,
    },
  ],
  ['BODY', { detail: 'parts', format: (row) => `BODY ${body(row)}` }],
]);

/** What a message shows whose structure is not there: it must be a structure (RFC 3501 9). */
const UNKNOWN_STRUCTURE = '("text" "plain" NIL NIL NIL "7bit" 0 0 NIL NIL NIL NIL)';
const UNKNOWN_BODY = '("text" "plain" NIL NIL NIL "7bit" 0 0)';

function wire(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : latin1(bytes);
}

function body(row: MessageDetail): string {
  if (row.parts === undefined) return UNKNOWN_BODY;
  try {
    return latin1(formatBody(decodeParts(row.parts)));
  } catch (thrown) {
    if (thrown instanceof Failure) return UNKNOWN_BODY;
    throw thrown;
  }
}
