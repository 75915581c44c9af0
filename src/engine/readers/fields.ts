/** Summaries with some fields of each head: picked once, then known for a while. */

import type { Uid } from '#base/brand.ts';
import { fieldPicker } from '#message/field-picker.ts';
import type { MessageSummary, UidRanges } from '#store/mail.ts';
import type { Connection } from '../connection.ts';
import { BLOCK_UIDS, KnownFields, NO_FIELDS, fieldsIn, withFields } from './known-fields.ts';
import type { FieldBlock, Picked } from './known-fields.ts';
import { FEW_ROWS, summariesWithin } from './summaries.ts';
import type { Asked } from './summaries.ts';

export interface AskedFields extends Asked {
  /** Names of fields in lower case. */
  readonly fields: ReadonlySet<string>;
}

type Row = { -readonly [K in keyof MessageSummary]: MessageSummary[K] };
type PickHeads = (uids: readonly Uid[]) => readonly Picked[];

/** As `summariesWithin`, where heads are the fields that were asked for and an empty line. */
export function summariesOfFields(
  sql: Connection,
  asked: AskedFields,
  ranges: UidRanges,
  known: KnownFields,
): readonly MessageSummary[] {
  const parts = asked.parts.filter((part) => part !== 'head');
  const rows: readonly Row[] = summariesWithin(sql, { ...asked, parts }, ranges);
  const pick = fieldPicker(asked.fields, true);
  const pickHeads: PickHeads = (uids) =>
    readHeads(sql, asked, uids).map(({ uid, head }) => ({ uid, head, spans: pick(head) }));
  const list = KnownFields.listOf(asked.id, asked.fields);
  for (const [number, inBlock] of Map.groupBy(rows, numberOf)) {
    const block = known.get(list, number) ?? NO_FIELDS;
    const filled = fill(inBlock, block, pickHeads);
    if (filled !== block) known.put(list, number, filled);
  }
  return rows;
}

function numberOf({ uid }: Row): number {
  return Math.trunc(uid / BLOCK_UIDS);
}

/** Gives each row its fields; returns the block with what had to be read for that. */
function fill(rows: readonly Row[], block: FieldBlock, pickHeads: PickHeads): FieldBlock {
  const unknown: Row[] = [];
  for (const row of rows) {
    if (row.lacking) continue;
    const fields = fieldsIn(block, row.uid);
    if (fields === undefined) unknown.push(row);
    else row.head = fields;
  }
  if (unknown.length === 0) return block;
  const filled = withFields(block, pickHeads(unknown.map(({ uid }) => uid)));
  for (const row of unknown) {
    const fields = fieldsIn(filled, row.uid);
    if (fields === undefined) row.lacking = true;
    else row.head = fields;
  }
  return filled;
}

/** The heads of messages, but those that are very large, damaged, or gone. */
function readHeads(
  sql: Connection,
  { id, since }: Asked,
  uids: readonly Uid[],
): readonly MessageSummary[] {
  const read = (some: readonly Uid[]): readonly MessageSummary[] => {
    const asked: Asked = { id, since, parts: ['head'], limit: some.length };
    const ranges = some.map((uid) => [uid, uid] as const);
    return summariesWithin(sql, asked, ranges);
  };
  const heads = read(uids);
  const there = heads.filter(({ lacking }) => !lacking);
  if (uids.length <= FEW_ROWS || there.length === heads.length) return there;
  // Of few messages larger heads are read as well.
  const large = heads.filter(({ lacking }) => lacking).slice(0, FEW_ROWS);
  return [...there, ...read(large.map(({ uid }) => uid)).filter(({ lacking }) => !lacking)];
}
