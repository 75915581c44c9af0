/** Which mailboxes a LIST names, and with which attributes (RFC 3501 6.3.8, RFC 5258, 6154). */

import type { Mailbox } from '#store/mail.ts';
import { DELIMITER, decodeName } from './mailbox-name.ts';
import type { Session } from './session.ts';
import { store, type Task } from './task.ts';
import { matchesPattern } from './wildcard.ts';

const NAMES_AT_ONCE = 25;

export interface ListOptions {
  /** Only subscribed names, whether they exist or not. */
  readonly onlySubscribed: boolean;
  readonly onlySpecialUse: boolean;
  /** Also parents that match the pattern of subscribed names that do not. */
  readonly recursive: boolean;
  readonly showSubscribed: boolean;
}

export interface Listed {
  readonly name: string;
  readonly attributes: readonly string[];
  /** Why a parent is named that was not asked for. */
  readonly childInfo: boolean;
  readonly mailbox: Mailbox | undefined;
}

/** Sorted by name; `matches` says which names the patterns want (see `matchNames`). */
export function listMailboxes(
  mailboxes: readonly Mailbox[],
  subscriptions: readonly string[],
  matches: (name: string) => boolean,
  options: ListOptions,
): readonly Listed[] {
  const byName = new Map(mailboxes.map((mailbox) => [mailbox.name, mailbox]));
  const subscribed = new Set(subscriptions);
  const parents = ancestorsOf(byName.keys());
  const infos = options.recursive ? parentsToShow(subscriptions, matches) : new Set<string>();
  const names = options.onlySubscribed
    ? new Set([...subscribed, ...infos])
    : new Set(byName.keys());
  const listed: Listed[] = [];
  for (const name of [...names].sort()) {
    const mailbox = byName.get(name);
    if (!matches(name)) continue;
    if (options.onlySpecialUse && mailbox?.specialUse === undefined) continue;
    const attributes = mailbox === undefined ? ['\\NonExistent'] : [];
    attributes.push(parents.has(name) ? '\\HasChildren' : '\\HasNoChildren');
    if ((options.showSubscribed || options.onlySubscribed) && subscribed.has(name)) {
      attributes.push('\\Subscribed');
    }
    if (mailbox?.specialUse !== undefined) attributes.push(mailbox.specialUse);
    listed.push({ name, attributes, childInfo: infos.has(name), mailbox });
  }
  return listed;
}

/**
 * LSUB: subscribed names; where `%` stops above one, the parent as \Noselect (RFC 3501 6.3.9).
 */
export function listSubscribed(
  subscriptions: readonly string[],
  matches: (name: string) => boolean,
): readonly { readonly name: string; readonly selectable: boolean }[] {
  const found = new Map<string, boolean>();
  for (const name of subscriptions) if (matches(name)) found.set(name, true);
  for (const name of parentsToShow(subscriptions, matches)) {
    if (!found.has(name)) found.set(name, false);
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, selectable]) => ({ name, selectable }));
}

/** Parents that match, of names that do not. */
function parentsToShow(
  names: readonly string[],
  matches: (name: string) => boolean,
): ReadonlySet<string> {
  const hidden = names.filter((name) => !matches(name));
  return new Set([...ancestorsOf(hidden)].filter(matches));
}

function ancestorsOf(names: Iterable<string>): ReadonlySet<string> {
  const parents = new Set<string>();
  for (const name of names) {
    for (let at = name.indexOf(DELIMITER); at > 0; at = name.indexOf(DELIMITER, at + 1)) {
      parents.add(name.slice(0, at));
    }
  }
  return parents;
}

/**
 * Tries all names and their parents against patterns (on the wire's form, reference put in
 * front), a few at a time: thousands of long names and a hostile pattern are seconds of work,
 * and the others must not wait for it.
 */
export function* matchNames(
  session: Session,
  names: Iterable<string>,
  patterns: readonly string[],
): Task<(name: string) => boolean> {
  const candidates = new Set(names);
  for (const parent of ancestorsOf(candidates)) candidates.add(parent);
  const matches = matcher(patterns);
  const wanted = new Set<string>();
  let tried = 0;
  for (const name of candidates) {
    if (matches(name)) wanted.add(name);
    // Any question gives the host the chance to let others go first.
    if (++tried % NAMES_AT_ONCE === 0) yield* store(session, () => undefined);
  }
  return (name) => wanted.has(name);
}

/** A pattern that is no modified UTF-7 matches nothing; INBOX matches in any case. */
function matcher(patterns: readonly string[]): (name: string) => boolean {
  const decoded = patterns
    .map((pattern) => decodeName(pattern)?.normalize('NFC'))
    .filter((pattern) => pattern !== undefined);
  return (name) => {
    const inbox = name === 'INBOX' || name.startsWith(`INBOX${DELIMITER}`);
    return decoded.some(
      (pattern) =>
        matchesPattern(name, pattern) || (inbox && matchesPattern(name, upperFirst(pattern))),
    );
  };
}

/** The first level in upper case. */
function upperFirst(pattern: string): string {
  const end = pattern.indexOf(DELIMITER);
  const level = end < 0 ? pattern : pattern.slice(0, end);
  return level.toUpperCase() + pattern.slice(level.length);
}
