/** Mailbox names: INBOX in any case is one mailbox, `/` stands between levels (RFC 3501 5.1). */

import { Failure } from '#base/failure.ts';

export const INBOX = 'INBOX';

/** A name as rows keep it: a first level that is INBOX in any case is written so. */
export function mailboxName(name: string): string {
  const end = name.indexOf('/');
  const first = end === -1 ? name : name.slice(0, end);
  return first.toUpperCase() === INBOX ? INBOX + name.slice(first.length) : name;
}

export function isInbox(name: string): boolean {
  return name === INBOX;
}

/** The name of a mailbox to be made; fails permanently with `bad-name` on an empty level. */
export function newMailboxName(name: string): string {
  if (isMailboxName(name)) return mailboxName(name);
  throw Failure.permanent('bad-name', 'a level of a mailbox name is empty');
}

export function isMailboxName(name: string): boolean {
  return !name.split('/').includes('') && !name.includes('\0') && name.isWellFormed();
}

/** `a/b/c` to `a` and `a/b`. */
export function parentNames(name: string): string[] {
  const parents: string[] = [];
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
    parents.push(name.slice(0, at));
  }
  return parents;
}

/** All names below `name` sort from `first` to before `end`. */
export function childRange(name: string): { readonly first: string; readonly end: string } {
  return { first: `${name}/`, end: `${name}0` };
}
