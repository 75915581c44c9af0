/** renameMailbox: a mailbox and its children get another name (RFC 3501 6.3.5). */

import { Failure } from '#base/failure.ts';
import type { UidRanges } from '#store/mail.ts';
import { childRange, isInbox, newMailboxName, parentNames } from '../names.ts';
import { findMailbox, findMailboxId, makeMailbox } from '../steps/mailbox.ts';
import type { MailboxRow } from '../steps/mailbox.ts';
import { refer } from '../steps/references.ts';
import { keywordNames } from '../steps/keywords.ts';
import { MailboxChange, rowsWithin } from '../steps/message.ts';
import type { Run, Step } from '../steps/step.ts';

const ALL: UidRanges = [[1, 0xffff_ffff]];
const MOVE = 'UPDATE mailboxes SET name = ? || substr(name, ?) WHERE id = ?';

export const renameMailbox: Run<'renameMailbox'> = (step, input) => {
  const mailbox = findMailbox(step, input.mailbox);
  if (mailbox === undefined) return { kind: 'no-such-mailbox' };
  const to = newMailboxName(input.to);
  if (findMailboxId(step, mailbox.account, to) !== undefined) return { kind: 'exists' };
  if (isInbox(mailbox.name)) return emptyInbox(step, mailbox, to, input.nowMs);
  if (to.startsWith(`${mailbox.name}/`)) return { kind: 'into-itself' };
  const family = familyOf(step, mailbox);
  for (const { name } of family) {
    const next = to + name.slice(mailbox.name.length);
    if (findMailboxId(step, mailbox.account, next) !== undefined) return { kind: 'exists' };
  }
  makeParents(step, mailbox.account, to);
  // Counted by SQLite in characters, which are not JavaScript's UTF-16 units.
  const skip = [...mailbox.name].length + 1;
  for (const { id } of family) {
    step.sql.run(MOVE, to, skip, id);
    step.effects.mailboxes.add(id);
  }
  return { kind: 'done' };
};

/** The mailbox itself and all below it. */
function familyOf(step: Step, mailbox: MailboxRow): { id: number; name: string }[] {
  const { first, end } = childRange(mailbox.name);
  const children = step.sql.all<{ id: number; name: string }>(
    'SELECT id, name FROM mailboxes WHERE account = ? AND name > ? AND name < ?',
    mailbox.account,
    first,
    end,
  );
  return [{ id: mailbox.id, name: mailbox.name }, ...children];
}

function makeParents(step: Step, account: number, name: string): void {
  const parent = parentNames(name).at(-1);
  if (parent === undefined || findMailboxId(step, account, parent) !== undefined) return;
  if (makeMailbox(step, account, parent) === undefined) throw tooMany();
}

function tooMany(): Failure {
  return Failure.permanent('too-many-mailboxes', 'the account has as many mailboxes as it may');
}

/** INBOX stays, with its children; its messages go to a new mailbox under new UIDs. */
function emptyInbox(step: Step, inbox: MailboxRow, to: string, nowMs: number): { kind: 'done' } {
  const id = makeMailbox(step, inbox.account, to);
  const target = id === undefined ? undefined : findMailbox(step, id);
  if (target === undefined) throw tooMany();
  for (const [number, name] of keywordNames(step, inbox.id)) {
    step.sql.run('INSERT INTO keywords VALUES (?, ?, ?)', target.id, number, name);
  }
  const source = new MailboxChange(step, inbox);
  const filled = new MailboxChange(step, target);
  for (const row of rowsWithin(step, inbox.id, ALL)) {
    refer(step, row.content);
    filled.add({ ...row, savedMs: nowMs });
  }
  source.remove(ALL, 0, nowMs);
  source.finish();
  filled.finish();
  step.effects.mailboxes.add(target.id);
  return { kind: 'done' };
}
