/** storeFlags: changes flags of messages, those left alone that changed since (RFC 7162 3.1.3). */

import type { ModSeq, Uid } from '#base/brand.ts';
import { formatNumbers, joinFlags, parseNumbers, splitFlags } from '../flags.ts';
import { addKeywords, keywordNames, keywordNumbers } from '../steps/keywords.ts';
import { findMailbox } from '../steps/mailbox.ts';
import { MailboxChange, rowsWithin } from '../steps/message.ts';
import type { PlacedRow } from '../steps/message.ts';
import type { Run, Step } from '../steps/step.ts';

type Mode = 'add' | 'remove' | 'replace';

/**
 * `changed` lists each message that was looked at, with its flags as they are now: a message
 * that had them already keeps its modification sequence.
 */
export const storeFlags: Run<'storeFlags'> = (step, input) => {
  const mailbox = findMailbox(step, input.mailbox);
  if (mailbox === undefined) return { kind: 'no-such-mailbox' };
  const { mask, keywords } = splitFlags(input.flags);
  const numbers = numbersFor(step, mailbox.id, keywords, input.mode);
  if (numbers === undefined) return { kind: 'too-many-keywords' };
  const names = keywordNames(step, mailbox.id);
  const change = new MailboxChange(step, mailbox);
  const changed: { uid: Uid; flags: readonly string[]; modSeq: ModSeq }[] = [];
  const modified: Uid[] = [];
  for (const row of rowsWithin(step, mailbox.id, input.uids)) {
    if (input.unchangedSince !== undefined && row.modseq > input.unchangedSince) {
      modified.push(row.uid as Uid);
      continue;
    }
    const flags = newMask(row.flags, mask, input.mode);
    const kinds = newKinds(row, numbers, input.mode);
    const isNew = flags !== row.flags || kinds !== row.keywords;
    if (isNew) change.setFlags(row, flags, kinds);
    const modSeq = (isNew ? change.modSeq : row.modseq) as ModSeq;
    changed.push({ uid: row.uid as Uid, flags: joinFlags(flags, kinds, names), modSeq });
  }
  change.finish();
  return { kind: 'stored', changed, modified };
};

/** Taking keywords away makes no new kinds. */
function numbersFor(
  step: Step,
  mailbox: number,
  keywords: readonly string[],
  mode: Mode,
): number[] | undefined {
  if (mode !== 'remove') return addKeywords(step, mailbox, keywords);
  if (keywords.length === 0) return [];
  const known = keywordNumbers(step, mailbox);
  return keywords
    .map((keyword) => known.get(keyword.toLowerCase()))
    .filter((number) => number !== undefined);
}

function newMask(old: number, mask: number, mode: Mode): number {
  if (mode === 'replace') return mask;
  return mode === 'add' ? old | mask : old & ~mask;
}

function newKinds(row: PlacedRow, numbers: readonly number[], mode: Mode): string | null {
  if (mode === 'replace') return formatNumbers(numbers);
  if (numbers.length === 0) return row.keywords;
  const old = parseNumbers(row.keywords);
  if (mode === 'add') return formatNumbers([...old, ...numbers]);
  return formatNumbers(old.filter((number) => !numbers.includes(number)));
}
