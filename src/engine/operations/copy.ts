/** copy: messages into another mailbox; as a move the originals go in the same step (RFC 6851). */

import type { Uid } from '#base/brand.ts';
import type { Operations } from '#store/operations.ts';
import { parseNumbers } from '../flags.ts';
import { refer } from '../steps/references.ts';
import { keywordNames, keywordsThatFit } from '../steps/keywords.ts';
import { findMailbox } from '../steps/mailbox.ts';
import type { MailboxRow } from '../steps/mailbox.ts';
import { MailboxChange, rowsWithin } from '../steps/message.ts';
import type { Run, Step } from '../steps/step.ts';

/** A copy is new in its mailbox (SAVEDATE, UID) and old in all else: date, flags, EMAILID. */
export const copy: Run<'copy'> = (step, input) => {
  const from = findMailbox(step, input.from);
  const to = findMailbox(step, input.to);
  if (from === undefined || to === undefined) return { kind: 'no-such-mailbox' };
  const rows = [...rowsWithin(step, from.id, input.uids)];
  const target = new MailboxChange(step, to);
  const keywords = keywordMap(step, from, to);
  const pairs = rows.map((row) => {
    refer(step, row.content);
    const placed = { ...row, keywords: keywords(row.keywords), savedMs: input.nowMs };
    return [row.uid as Uid, target.add(placed) as Uid] as const;
  });
  target.finish();
  if (input.move && rows.length > 0) removeAll(step, input, from.uidNext - 1);
  return { kind: 'copied', uidValidity: to.uidValidity, pairs };
};

/** The mailbox is read again: it may be the one that was just copied to, above `lastUid`. */
function removeAll(step: Step, input: Operations['copy']['input'], lastUid: number): void {
  const mailbox = findMailbox(step, input.from);
  if (mailbox === undefined) return;
  const source = new MailboxChange(step, mailbox);
  const old = input.uids.map(([first, last]) => [first, Math.min(last, lastUid)] as const);
  source.remove(old, 0, input.nowMs);
  source.finish();
}

/** Numbers of one mailbox to those of another, each combination looked up once. */
function keywordMap(
  step: Step,
  from: MailboxRow,
  to: MailboxRow,
): (numbers: string | null) => string | null {
  const known = new Map<string, string | null>();
  let names: ReadonlyMap<number, string> | undefined;
  return (numbers) => {
    if (numbers === null || from.id === to.id) return numbers;
    let mapped = known.get(numbers);
    if (mapped === undefined) {
      const kinds = (names ??= keywordNames(step, from.id));
      const words = parseNumbers(numbers).map((number) => kinds.get(number));
      mapped = keywordsThatFit(
        step,
        to.id,
        words.filter((word) => word !== undefined),
      );
      known.set(numbers, mapped);
    }
    return mapped;
  };
}
