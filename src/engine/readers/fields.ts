/** Summaries with some fields of each head: picked once, then known for a while. */

import { fieldPicker } from '#message/field-picker.ts';
import type { MessageSummary, UidRanges } from '#store/mail.ts';
import type { Connection } from '../connection.ts';
import {
  KnownFields,
  NO_FIELDS,
  blockNumber,
  fieldsIn,
  knowsAny,
  withFields,
} from './known-fields.ts';
import type { FieldBlock } from './known-fields.ts';
import { FEW_ROWS, summariesWithin } from './summaries.ts';
import type { Asked } from './summaries.ts';

export interface AskedFields extends Asked {
  /** Names of fields in lower case. */
  readonly fields: ReadonlySet<string>;
}

type Row = { -readonly [K in keyof MessageSummary]: MessageSummary[K] };

/** As `summariesWithin`, where heads are the fields that were asked for and an empty line. */
export function summariesOfFields(
  sql: Connection,
  asked: AskedFields,
  ranges: UidRanges,
  known: KnownFields,
): readonly MessageSummary[] {
  const list = KnownFields.listOf(asked.id, asked.fields);
  const pick = fieldPicker(asked.fields, true);
  // Heads come along with the rows where nothing is known yet, else those that are missing.
  const isNew = !knowsBeginning(known, list, ranges);
  const parts = isNew ? asked.parts : asked.parts.filter((part) => part !== 'head');
  const rows: readonly Row[] = summariesWithin(sql, { ...asked, parts }, ranges);
  for (const [number, inBlock] of Map.groupBy(rows, numberOf)) {
    const block = known.get(list, number) ?? NO_FIELDS;
    const unknown = takeKnown(inBlock, block);
    if (unknown.length === 0) continue;
    const heads = isNew ? unknown : readHeads(sql, asked, unknown);
    const filled = withFields(
      block,
      heads.map(({ uid, head }) => ({ uid, head, spans: pick(head) })),
    );
    known.put(list, number, filled);
    for (const row of takeKnown(unknown, filled)) row.lacking = true;
  }
  return rows;
}

function numberOf({ uid }: MessageSummary): number {
  return blockNumber(uid);
}

/** Whether something is known of the first messages that are asked for. */
function knowsBeginning(known: KnownFields, list: string | undefined, ranges: UidRanges): boolean {
  const [from, to] = ranges[0] ?? [1, 1];
  const block = known.get(list, blockNumber(from));
  return block !== undefined && knowsAny(block, from, to);
}

/** Gives rows their fields; returns those that the block does not know. */
function takeKnown(rows: readonly Row[], block: FieldBlock): readonly Row[] {
  return rows.filter((row) => {
    if (row.lacking) return false;
    const fields = fieldsIn(block, row.uid);
    if (fields === undefined) return true;
    row.head = fields;
    return false;
  });
}

/** The heads of messages, but those that are very large, damaged, or gone. */
function readHeads(
  sql: Connection,
  { id, since }: Asked,
  rows: readonly Row[],
): readonly MessageSummary[] {
  const read = (some: readonly MessageSummary[]): readonly MessageSummary[] => {
    const asked: Asked = { id, since, parts: ['head'], limit: some.length };
    const ranges = some.map(({ uid }) => [uid, uid] as const);
    return summariesWithin(sql, asked, ranges);
  };
  const heads = read(rows);
  const there = heads.filter(({ lacking }) => !lacking);
  if (rows.length <= FEW_ROWS || there.length === heads.length) return there;
  // Of few messages larger heads are read as well.
  const large = heads.filter(({ lacking }) => lacking).slice(0, FEW_ROWS);
  return [...there, ...read(large).filter(({ lacking }) => !lacking)];
}
